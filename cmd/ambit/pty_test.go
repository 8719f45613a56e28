//go:build !windows

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestSilentTerminal runs commands on a terminal that answers nothing. None may ask
// it anything, nor wait: a program that queries a terminal's colours stands still
// for seconds on one that does not know the question.
func TestSilentTerminal(t *testing.T) {
	s, err := sandbox.Start(t.Context(), sandbox.Options{Grant: "all", Manifest: ambit.Manifest, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	manifest := s.Ready().Manifest
	home := t.TempDir()
	for _, args := range [][]string{
		{"version"}, {"--help"}, {"completion", "bash"}, {"init", "-f", filepath.Join(home, "new.yaml")},
		{"plan", "-f", manifest}, {"status", "-f", manifest}, {"login", "-f", manifest, "--browser", "visit", "--store", "file"},
		{"status", "-f", manifest}, {"token", "-f", manifest}, {"logout", "-f", manifest}, {"demo"},
	} {
		out := onTerminal(t, home, args)
		if len(out) == 0 {
			t.Errorf("%v wrote nothing", args)
		}
		if asked := onlyText(out); asked != nil {
			t.Errorf("%v wrote %q to the terminal", args, asked)
		}
	}
}

// onTerminal runs ambit on a pseudo-terminal of 80 columns, and gives what it wrote.
func onTerminal(t *testing.T, home string, args []string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Under this name the test's own binary is the program; see TestMain.
	tools := filepath.Join(home, "bin")
	os.MkdirAll(tools, 0o700)
	for _, name := range []string{"visit", "xdg-open"} {
		os.Symlink(self, filepath.Join(tools, name))
	}
	c := exec.CommandContext(ctx, self)
	c.Args = append([]string{"ambit"}, args...)
	c.Env = []string{"HOME=" + home, "TERM=xterm-256color", "PATH=" + tools, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + home + "/no-bus"}
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var out bytes.Buffer
	// Linux ends a terminal whose program is gone with EIO.
	if _, err := io.Copy(&out, terminal); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	c.Wait() // the exit code is for other tests
	if ctx.Err() != nil {
		t.Fatalf("%v still ran after %s", args, hangs)
	}
	return out.Bytes()
}

// onlyText finds the first control sequence that is not a colour or the clearing of
// a progress line; nil where there is none.
func onlyText(out []byte) []byte {
	rest := regexp.MustCompile(`\x1b\[[0-9;]*m|\r\x1b\[K`).ReplaceAll(out, nil)
	if at := bytes.IndexByte(rest, 0x1b); at >= 0 {
		return rest[at:min(len(rest), at+12)]
	}
	return nil
}
