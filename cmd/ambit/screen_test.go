//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// A screen that an agent draws is its own: nothing is written across it. When the agent has
// ended, everything that waited is said, each thing once, on the main screen.
func TestAgentKeepsItsScreen(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all"})
	for name, c := range map[string]struct {
		flags []string
		press string // when the agent is ready; "" where it is stopped
		code  int
	}{
		"it ends":                {[]string{"--on-denied", "continue"}, "q", 7},
		"it is killed":           {[]string{"--on-denied", "continue"}, "k", 137},
		"the verdict stops it":   {[]string{"--on-denied", "stop"}, "", 3},
		"ambit is told to end":   {[]string{"--on-denied", "continue"}, "t", 143},
		"ambit is interrupted":   {[]string{"--on-denied", "continue"}, "i", 130},
		"the terminal is closed": {[]string{"--on-denied", "continue"}, "h", 129},
	} {
		t.Run(name, func(t *testing.T) {
			if c.press == "h" && signal.Ignored(syscall.SIGHUP) {
				t.Skip("these tests run with SIGHUP ignored, as under nohup, and so would the agent")
			}
			pressed := c.press == ""
			watch := func(text []byte, keyboard io.Writer) {
				if !pressed && bytes.HasSuffix(text, []byte("> ready")) {
					pressed = true
					io.WriteString(keyboard, c.press)
				}
			}
			args := append([]string{"AMBIT_API_KEY=" + box.Ready().Keys.NoGateway, "OTHER_KEY=sk-other", "run", "-f", box.Ready().Manifest, "--start-anyway"}, c.flags...)
			out, code := onTerminal(t, t.TempDir(), watch, append(args, "--", "drawer", "gateway/v1/messages", "gateway/v1/messages")...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			begin := bytes.Index(out, []byte("\x1b[?1049h"))
			end := bytes.LastIndex(out, []byte("\x1b[?1049l"))
			if begin < 0 || end < begin {
				t.Fatalf("no screen, or it was not left: %q", out)
			}
			if during := out[begin:end]; bytes.Contains(during, []byte("ambit:")) || bytes.Contains(during, []byte("note:")) {
				t.Errorf("written across the screen: %q", during)
			}
			after := string(out[end:])
			for _, once := range []string{"missing scope: llm_gateway:read", "next ", "log ", "another credential"} {
				if strings.Count(after, once) != 1 {
					t.Errorf("%q does not stand there once: %q", once, after)
				}
			}
			if !strings.Contains(after, "\r\n\x1b[J\x1b[33mnote:") {
				t.Errorf("what the agent left below its last line is not erased: %q", after)
			}
			if strings.Contains(strings.ReplaceAll(after, "\r\n", ""), "\n") {
				t.Errorf("the terminal is still raw: %q", after)
			}
		})
	}
}

// A pipeline may give its programs a terminal, but nobody works at it: a refusal is told at once.
func TestPipelineIsToldAtOnce(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all"})
	told := false
	watch := func(text []byte, keyboard io.Writer) {
		if !told && bytes.HasSuffix(text, []byte("> ready")) {
			told = bytes.Contains(text, []byte("missing scope: llm_gateway:read (every"))
			io.WriteString(keyboard, "q")
		}
	}
	onTerminal(t, t.TempDir(), watch, "CI=1", "AMBIT_API_KEY="+box.Ready().Keys.NoGateway, "run", "-f", box.Ready().Manifest,
		"--start-anyway", "--on-denied", "continue", "--", "drawer", "gateway/v1/messages")
	if !told {
		t.Error("the verdict waited for the end of the agent")
	}
}

// Whoever redirects standard error still sits at the terminal that the agent draws on: it is not
// stopped, and the file has what was said, in whole lines.
func TestErrorsIntoAFile(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all"})
	pressed := false
	watch := func(text []byte, keyboard io.Writer) {
		if !pressed && bytes.HasSuffix(text, []byte("> ready")) {
			pressed = true
			io.WriteString(keyboard, "q")
		}
	}
	file := filepath.Join(t.TempDir(), "errors.txt")
	out, code := onTerminal(t, t.TempDir(), watch, "2>"+file, "AMBIT_API_KEY="+box.Ready().Keys.NoGateway, "run", "-f", box.Ready().Manifest,
		"--start-anyway", "--", "drawer", "gateway/v1/messages")
	if code != 7 || !bytes.Contains(out, []byte("bye")) {
		t.Errorf("exit code %d: %q", code, out)
	}
	said, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(said, []byte("  next          replace the key from AMBIT_API_KEY with one that also includes llm_gateway:read; at http")) {
		t.Errorf("%s, %v", said, err)
	}
}
