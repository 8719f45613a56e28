//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package typing

import (
	"errors"
	"os"
	"sync"

	"github.com/ambit-auth/ambit/internal/signals"
	"golang.org/x/sys/unix"
)

// A session is the time in which somebody reads from a keyboard.
type session struct {
	of      *Keyboard
	fd      int
	before  *unix.Termios
	lines   chan string
	ended   chan struct{}
	done    chan struct{}
	wakes   [2]*os.File // a pipe: what is written to it ends a wait for a key
	unwatch func()
	mu      sync.Mutex // of the editor, and of what stands on the screen
}

// begin takes the line from the terminal, and leaves it the signals of its keys but for Ctrl-Z.
func begin(k *Keyboard) (*session, error) {
	s := &session{
		of: k, fd: int(k.File.Fd()),
		lines: make(chan string), ended: make(chan struct{}), done: make(chan struct{}),
	}
	var err error
	if s.before, err = unix.IoctlGetTermios(s.fd, getModes); err != nil {
		return nil, err
	}
	if s.wakes[0], s.wakes[1], err = os.Pipe(); err != nil {
		return nil, err
	}
	if k.typed.suspend = s.before.Cc[unix.VSUSP]; k.typed.suspend == noKey {
		k.typed.suspend = 0
	}
	if err = s.take(); err != nil {
		s.closeWakes()
		return nil, err
	}
	s.unwatch = signals.OnContinue(func() { _ = s.take() })
	return s, nil
}

// take is for the beginning, and for when the program goes on after Ctrl-Z.
func (s *session) take() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	modes := *s.before
	modes.Lflag &^= unix.ICANON | unix.ECHO
	modes.Cc[unix.VMIN], modes.Cc[unix.VTIME] = 1, 0
	modes.Cc[unix.VSUSP] = noKey // the terminal is given back before the stop
	if now, err := unix.IoctlGetTermios(s.fd, getModes); err == nil && *now == modes {
		return nil // nobody took it away meanwhile
	}
	if err := unix.IoctlSetTermios(s.fd, setModes, &modes); err != nil {
		return err
	}
	s.show(s.marks(pasteMarks) + s.of.typed.shown())
	return nil
}

// give gives the terminal back as it was.
func (s *session) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show(s.marks(noPasteMarks))
	_ = unix.IoctlSetTermios(s.fd, setModes, s.before) // it may be gone
}

func (s *session) marks(sequence string) string {
	if s.of.Dumb {
		return ""
	}
	return sequence
}

func (s *session) show(text string) {
	if text != "" {
		s.of.Show(text)
	}
}

func (s *session) hide(hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of.typed.hidden = hidden
}

// read gives lines until the end. It alone uses what is queued.
func (s *session) read() {
	defer close(s.done)
	k := s.of
	for {
		for len(k.queued) > 0 {
			select {
			case s.lines <- k.queued[0]:
				k.queued = k.queued[1:]
			case <-s.ended:
				return
			}
		}
		lines, more := s.next()
		k.queued = append(k.queued, lines...)
		if !more && len(k.queued) == 0 {
			select {
			case <-s.ended: // who stops reads no end
			default:
				close(s.lines)
			}
			return
		}
	}
}

// next are the lines that the next keys finish, none for most; more is false at the end.
func (s *session) next() (lines []string, more bool) {
	if !s.wait() {
		return nil, false
	}
	buffer := make([]byte, 4<<10)
	n, err := unix.Read(s.fd, buffer)
	if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
		return nil, true
	}
	if err != nil || n <= 0 { // it was hung up
		return nil, false
	}
	lines, stopped, ended := s.feed(buffer[:n])
	if stopped {
		s.give()
		signals.Suspend()
		_ = s.take() // else the next read tells
	}
	return lines, !ended
}

func (s *session) feed(keys []byte) (lines []string, stopped, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	echo, lines, ended := s.of.typed.feed(keys)
	s.show(echo)
	stopped, s.of.typed.stopped = s.of.typed.stopped, false
	return lines, stopped, ended
}

// wait returns when a key can be read; false when the session is over.
func (s *session) wait() bool {
	wake := int(s.wakes[0].Fd())
	for {
		var ready unix.FdSet
		ready.Set(s.fd)
		ready.Set(wake)
		_, err := unix.Select(max(s.fd, wake)+1, &ready, nil, nil, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || ready.IsSet(wake):
			return false
		default:
			return true
		}
	}
}

// end returns when nobody reads any more, and the terminal is as it was.
func (s *session) end() {
	s.unwatch()
	close(s.ended)
	_, _ = s.wakes[1].Write([]byte{0})
	<-s.done
	s.closeWakes()
	if s.of.typed.shown() != "" {
		s.show("\n") // what follows begins a line
	}
	s.of.typed.forget()
	s.give()
}

func (s *session) closeWakes() {
	_ = s.wakes[0].Close()
	_ = s.wakes[1].Close()
}
