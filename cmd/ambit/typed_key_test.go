//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestTypedKey types an API key at a terminal: it is asked for, and never shown.
func TestTypedKey(t *testing.T) {
	ready := startBox(t, sandbox.Options{}).Ready()
	asks := filepath.Join(t.TempDir(), "scopes.yaml")
	text := "version: 1\nname: asks\nprovider: https://auth.invalid\nscopes:\n  - {scope: a, level: required, why: b}\n"
	if err := os.WriteFile(asks, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		typed    string
		args     []string
		want     string
		code     int
		question bool // about a host, before the key
	}{
		"a key":            {typed: ready.Keys.Full + "\n", args: []string{"login", "-f", ready.Manifest, "--store", "file"}, want: "more granted"},
		"Ctrl-C":           {typed: "\x03", args: []string{"login", "-f", ready.Manifest, "--store", "file"}, want: "interrupted", code: 130},
		"after a question": {typed: "phx_nobody_knows_this_one\n", args: []string{"status", "-f", asks}, want: "there is no way to ask", code: 6, question: true},
		"check":            {args: []string{"check", "-f", ready.Manifest}, want: "nobody is here to type it: check", code: 4},
		"nobody":           {args: []string{"CI=1", "login", "-f", ready.Manifest, "--store", "file"}, want: "nobody is here to type it: CI is set", code: 4},
	} {
		t.Run(name, func(t *testing.T) {
			const prompt = "the API key, which is not shown here (Enter to finish, Ctrl-C to cancel): "
			answer := answering("y\n")
			typed := c.typed == ""
			watch := func(text []byte, keyboard io.Writer) {
				answer(text, keyboard)
				if !typed && bytes.Contains(text, []byte(prompt)) {
					typed = true
					io.WriteString(keyboard, c.typed)
				}
			}
			out, code := onTerminal(t, t.TempDir(), watch, append(c.args, "--api-key-stdin")...)
			if code != c.code || !bytes.Contains(out, []byte(c.want)) || bytes.Contains(out, []byte("phx_n")) || bytes.Contains(out, []byte(ready.Keys.Full)) {
				t.Errorf("exit code %d\n%s", code, out)
			}
			if asked := bytes.Contains(out, []byte("[y/N]")); asked != c.question {
				t.Errorf("a question: %t", asked)
			}
			if asked := bytes.Count(out, []byte(prompt)); asked > 1 || asked == 0 && c.typed != "" {
				t.Errorf("the key was asked for %d times", asked)
			}
		})
	}
}
