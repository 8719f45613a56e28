package typing

import (
	"os"
	"sync"
)

// A Keyboard is a terminal that a person types at. Set File and Show. Safe for concurrent use.
type Keyboard struct {
	File *os.File
	Show func(text string) // what is typed, on the terminal's screen
	Dumb bool              // the terminal knows no control sequences

	mu     sync.Mutex
	now    *session // nil while nobody reads
	users  int      // of now
	typed  editor
	queued []string // lines that nobody has taken yet
}

const (
	pasteMarks   = "\x1b[?2004h"
	noPasteMarks = "\x1b[?2004l"
)

// Lines gives what is typed, a line at a time, until the person ends the input (Ctrl-D) or stop is
// called; hidden is for a secret. The terminal is as it was before once every user has called
// stop; meanwhile Ctrl-C, Ctrl-Z and Ctrl-\ do what they ever do. Several users share the lines.
//
// The error is that of a system on which a terminal cannot be read so, or of a terminal that is gone.
func (k *Keyboard) Lines(hidden bool) (lines <-chan string, stop func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil {
		s, err := begin(k)
		if err != nil {
			return nil, nil, err
		}
		k.now, k.users = s, 0
		go s.read()
	}
	s := k.now
	k.users++
	s.hide(hidden)
	return s.lines, sync.OnceFunc(func() { k.release(s) }), nil
}

func (k *Keyboard) release(s *session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != s {
		return
	}
	s.hide(false)
	if k.users--; k.users == 0 {
		k.now = nil
		s.end()
	}
}

// Rest gives the terminal back, whoever still reads.
func (k *Keyboard) Rest() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != nil {
		s := k.now
		k.now = nil
		s.end()
	}
}
