// Package typing reads what a person types or pastes at a terminal, a line at a time. A terminal
// that edits the line itself keeps no more of it than 4,095 bytes (1,024 on some systems), and drops
// the rest of a longer paste without a word; so here it does not.
package typing

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine bounds a line, in characters: a URL, of which the longest that browsers make has room.
const maxLine = 1 << 20

// maxEscape bounds a control sequence of a key, in bytes: what is longer is none.
const maxEscape = 32

// The keys that a terminal gives to who edits a line.
const (
	keyEnd       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyWord      = 0x17 // Ctrl-W
	keyEscape    = 0x1b
	keyDelete    = 0x7f
)

// What a terminal sends around a paste once [pasteMarks] is on (xterm's bracketed paste).
const (
	pasteBegins = "\x1b[200~"
	pasteEnds   = "\x1b[201~"
)

// An editor makes lines of keys. Line breaks within one paste are none: a mail or a narrow window
// put them there. What cannot be printed is left out, as no URL, code or key has any of it.
type editor struct {
	hidden  bool // nothing is shown but the line's end
	text    []rune
	pasting bool
	suspend byte   // the key that stops the program; 0 for none
	stopped bool   // that key was pressed: whoever feeds sees to it
	pending []byte // the beginning of a character or of a control sequence
}

// feed takes what was read, and gives what the terminal is to show, the lines that are finished,
// and whether the person ended the input.
func (e *editor) feed(read []byte) (echo string, lines []string, ended bool) {
	var show strings.Builder
	e.pending = append(e.pending, read...)
	for len(e.pending) > 0 && !ended {
		n := e.key()
		if n == 0 {
			break // the rest is to come
		}
		key := string(e.pending[:n])
		e.pending = e.pending[n:]
		done := false
		done, ended = e.press(key, &show)
		if done {
			lines, e.text = append(lines, joined(string(e.text))), nil
		}
	}
	if e.hidden {
		return strings.Repeat("\n", len(lines)), lines, ended
	}
	return show.String(), lines, ended
}

// key is the length of the key at the beginning of what is pending; 0 where its end is not there yet.
func (e *editor) key() int {
	if e.pending[0] != keyEscape {
		if !utf8.FullRune(e.pending) {
			return 0
		}
		_, size := utf8.DecodeRune(e.pending)
		return size
	}
	if len(e.pending) == 1 {
		return 0
	}
	switch e.pending[1] {
	case '[':
		final := slices.IndexFunc(e.pending[2:], func(b byte) bool { return b >= 0x40 && b <= 0x7e })
		switch {
		case final >= 0:
			return final + 3
		case len(e.pending) < maxEscape:
			return 0
		}
	case 'O':
		if len(e.pending) < 3 {
			return 0
		}
		return 3
	}
	return 1
}

// press is one key; done says that it finishes the line.
func (e *editor) press(key string, show *strings.Builder) (done, ended bool) {
	switch {
	case key == pasteBegins:
		e.pasting = true
		return false, false
	case key == pasteEnds:
		e.pasting = false
		return e.finishes(show, len(e.text) > 0 && e.text[len(e.text)-1] == '\n'), false
	case key[0] == keyEscape: // an arrow
		return false, false
	case key == "\r" || key == "\n":
		if e.pasting {
			e.text = append(e.text, '\n')
			return false, false
		}
		return e.finishes(show, true), false
	case e.pasting:
	case key[0] == e.suspend && e.suspend != 0:
		e.stopped = true
		return false, false
	case key[0] == keyEnd:
		return len(e.text) > 0, len(e.text) == 0
	case key[0] == keyBackspace || key[0] == keyDelete:
		e.erase(show, 1)
		return false, false
	case key[0] == keyKill:
		e.erase(show, len(e.text))
		return false, false
	case key[0] == keyWord:
		before := strings.TrimRight(string(e.text), " ")
		e.erase(show, len(e.text)-len([]rune(before[:strings.LastIndex(before, " ")+1])))
		return false, false
	}
	if r, _ := utf8.DecodeRuneInString(key); unicode.IsPrint(r) && r != utf8.RuneError {
		e.text = append(e.text, r)
		show.WriteRune(r)
	}
	return false, len(e.text) > maxLine
}

func (e *editor) finishes(show *strings.Builder, done bool) bool {
	if done {
		show.WriteString("\n")
	}
	return done
}

// erase takes the last characters away, on the terminal too.
func (e *editor) erase(show *strings.Builder, count int) {
	for range min(count, len(e.text)) {
		if e.text[len(e.text)-1] != '\n' {
			show.WriteString("\b \b")
		}
		e.text = e.text[:len(e.text)-1]
	}
}

// shown is what the terminal shows of the line so far.
func (e *editor) shown() string {
	if e.hidden {
		return ""
	}
	return strings.ReplaceAll(string(e.text), "\n", "")
}

// forget drops a line that was begun.
func (e *editor) forget() { e.text, e.pending, e.pasting = nil, nil, false }

// joined is a paste without the breaks in it.
func joined(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return text
	}
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "")
}
