//go:build linux || darwin

package typing

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// desk is a keyboard whose keys the test presses, and its modes.
func desk(t *testing.T) (k *Keyboard, press *os.File, modes func() unix.Termios) {
	t.Helper()
	press, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { press.Close(); terminal.Close() })
	modes = func() unix.Termios {
		now, err := unix.IoctlGetTermios(int(terminal.Fd()), getModes)
		if err != nil {
			t.Fatal(err)
		}
		return *now
	}
	return &Keyboard{File: terminal, Show: func(string) {}}, press, modes
}

func lines(t *testing.T, k *Keyboard) (typed <-chan string, stop func()) {
	t.Helper()
	typed, stop, err := k.Lines(false)
	if err != nil {
		t.Fatal(err)
	}
	return typed, stop
}

func line(t *testing.T, typed <-chan string) string {
	t.Helper()
	select {
	case line, open := <-typed:
		if !open {
			t.Fatal("the input has ended")
		}
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("no line came")
	}
	return ""
}

// A terminal's own editor keeps 4,095 bytes of a line at the most.
func TestLongLine(t *testing.T) {
	k, press, modes := desk(t)
	before := modes()
	typed, stop := lines(t, k)
	long := strings.Repeat("0123456789", 1000)
	if _, err := press.WriteString(long + "\n"); err != nil {
		t.Fatal(err)
	}
	if got := line(t, typed); got != long {
		t.Errorf("%d of %d bytes", len(got), len(long))
	}
	if modes() == before {
		t.Error("the terminal has not changed")
	}
	if modes().Lflag&unix.ISIG == 0 {
		t.Error("Ctrl-C is not the terminal's any more")
	}
	stop()
	stop()
	if modes() != before {
		t.Error("the terminal is not as it was")
	}
}

// What nobody has taken is there for who reads next, and a line that was begun is not.
func TestLinesInTurn(t *testing.T) {
	k, press, _ := desk(t)
	typed, stop := lines(t, k)
	press.WriteString("first\nsecond\n")
	if got := line(t, typed); got != "first" {
		t.Errorf("%q", got)
	}
	stop()
	typed, stop = lines(t, k)
	if got := line(t, typed); got != "second" {
		t.Errorf("%q", got)
	}
	stop()
}

// A question is put while a login takes pastes: the terminal is given back after both.
func TestTwoUsers(t *testing.T) {
	k, press, modes := desk(t)
	before := modes()
	_, first := lines(t, k)
	typed, second := lines(t, k)
	press.WriteString("y\n")
	if got := line(t, typed); got != "y" {
		t.Errorf("%q", got)
	}
	second()
	if modes() == before {
		t.Error("the login lost the terminal")
	}
	first()
	if modes() != before {
		t.Error("the terminal is not as it was")
	}
}

func TestRest(t *testing.T) {
	k, _, modes := desk(t)
	before := modes()
	k.Rest()
	_, stop := lines(t, k)
	k.Rest()
	if modes() != before {
		t.Error("the terminal is not as it was")
	}
	stop()
}

// A terminal that was closed has no more lines.
func TestHangup(t *testing.T) {
	k, press, _ := desk(t)
	typed, stop := lines(t, k)
	defer stop()
	press.Close()
	select {
	case _, open := <-typed:
		if open {
			t.Error("a line came")
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits")
	}
}

func TestCtrlD(t *testing.T) {
	k, press, _ := desk(t)
	typed, stop := lines(t, k)
	defer stop()
	press.WriteString("\x04")
	select {
	case _, open := <-typed:
		if open {
			t.Error("a line came")
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits")
	}
}
