//go:build !windows

package main

import (
	"bytes"
	"io"
	"regexp"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestDeviceOnTerminal logs in over SSH: by a code, unless a browser is named.
func TestDeviceOnTerminal(t *testing.T) {
	s := startBox(t, sandbox.Options{Grant: "all", Misbehave: []string{"device"}})
	const ssh, code, picture, counts = "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22", `│  .*[A-Z]{4}-[A-Z]{4}.*  │`, `█▀▀▀▀▀█`, `the code expires in [45]:\d\d`
	for name, c := range map[string]struct {
		args      []string
		has, lack []string
	}{
		"by itself":          {[]string{ssh, "login"}, []string{"this is an SSH session", code, picture, counts, "no-browser", `With the code in it: http`, "scopes granted"}, nil},
		"asked for":          {[]string{"BROWSER=visit", "login", "--device"}, []string{code, picture, counts, "scopes granted"}, []string{"SSH", "no-browser"}},
		"a browser is named": {[]string{ssh, "login", "--browser", "visit"}, []string{"scopes granted"}, []string{code, counts}},
		"BROWSER is set":     {[]string{ssh, "BROWSER=visit", "login"}, []string{"scopes granted"}, []string{code, counts}},
		"without color":      {[]string{ssh, "NO_COLOR=1", "login"}, []string{code, counts}, []string{picture}},
		"ASCII":              {[]string{ssh, "LC_ALL=C", "login"}, []string{`\|  .*[A-Z]{4}-[A-Z]{4}.*  \|`, counts}, []string{picture, "│"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append(c.args, "-f", s.Ready().Manifest, "--store", "file")
			out, exit := onTerminal(t, t.TempDir(), nil, args...)
			if exit != 0 || onlyText(out) != nil {
				t.Errorf("exit code %d, and control sequences %q", exit, onlyText(out))
			}
			for _, want := range c.has {
				if !regexp.MustCompile(want).Match(out) {
					t.Errorf("%q is not on the screen:\n%s", want, out)
				}
			}
			for _, want := range c.lack {
				if regexp.MustCompile(want).Match(out) {
					t.Errorf("%q is on the screen:\n%s", want, out)
				}
			}
			if at := bytes.LastIndex(out, []byte("the code expires in")); at >= 0 && !bytes.Contains(out[at:], []byte("\r\x1b[K")) {
				t.Errorf("the countdown stays:\n%s", out)
			}
		})
	}
}

// TestDeviceInterrupted leaves nothing behind after Ctrl-C.
func TestDeviceInterrupted(t *testing.T) {
	s := startBox(t, sandbox.Options{Misbehave: []string{"device"}})
	typed := false // a second Ctrl-C ends it at once
	interrupt := func(text []byte, keyboard io.Writer) {
		if !typed && bytes.Contains(text, []byte("waiting for you")) {
			typed = true
			io.WriteString(keyboard, "\x03")
		}
	}
	home := t.TempDir()
	if out, exit := onTerminal(t, home, interrupt, "login", "--device", "-f", s.Ready().Manifest, "--store", "file"); exit != 130 {
		t.Errorf("after Ctrl-C: %d\n%s", exit, out)
	}
	if out, exit := onTerminal(t, home, nil, "status", "-f", s.Ready().Manifest, "--store", "file"); exit != 4 {
		t.Errorf("after Ctrl-C a login is there: %d\n%s", exit, out)
	}
}
