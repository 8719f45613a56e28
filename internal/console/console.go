package console

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/ambit-auth/ambit/internal/view"
)

// A Console is the program's own words to a person, on standard error. Nothing else
// in the tree writes there. Its methods are safe for concurrent use.
type Console struct {
	mu      sync.Mutex
	Out     io.Writer
	Paint   view.Palette
	Live    bool // a terminal that someone watches: progress makes sense
	Verbose bool
	pending string // a line that stands there without its end; "" for none
	Columns int    // of the terminal, in columns; 0 where there is none, and nothing is wrapped

	held    bool        // somebody else draws on the terminal; see Hold
	asides  int         // that are spoken meanwhile
	modes   *term.State // of the terminal, before that
	waiting []func()
}

// Say tells the story: what happens, on a line of its own.
func (v *Console) Say(format string, args ...any) { v.line("", fmt.Sprintf(format, args...)) }

// Note tells something that the person should know and need not act on.
func (v *Console) Note(format string, args ...any) {
	v.line(v.Paint.Yellow("note:")+" ", fmt.Sprintf(format, args...))
}

// Detail is for those who asked with --verbose.
func (v *Console) Detail(format string, args ...any) {
	if v.Verbose {
		v.line("", v.Paint.Dim(fmt.Sprintf(format, args...)))
	}
}

// excerptWidth is the room for a line of a file where there is no terminal.
const excerptWidth = 120

// Failed words an error and its way out.
func (v *Console) Failed(f *view.Failure) {
	for _, line := range f.Lines(cmp.Or(v.Columns, excerptWidth)) {
		v.line(v.Paint.Red("error:")+" ", line[0])
		if line[1] != "" {
			v.put(func() { fmt.Fprintln(v.Out, v.Paint.Dim(line[1])) })
		}
	}
	if f.Hint != "" {
		v.line(v.Paint.Yellow("hint:")+" ", f.Hint)
	}
}

func (v *Console) line(prefix, text string) {
	v.put(func() { fmt.Fprintln(v.Out, v.fit(prefix+text)) })
}

// put writes now, or when the terminal is free again.
func (v *Console) put(write func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held && v.asides == 0 {
		v.waiting = append(v.waiting, write)
		return
	}
	v.clear()
	write()
}

// fit breaks long lines between words, for a terminal. A word that is longer than a line,
// such as a URL, stays whole, to be copied.
func (v *Console) fit(text string) string {
	if v.Columns == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if view.Visible(line) > v.Columns {
			lines[i] = strings.Join(view.Wrap(line, v.Columns-2), "\n  ")
		}
	}
	return strings.Join(lines, "\n")
}

// Write puts a rendered block, such as a table, between the lines.
func (v *Console) Write(block string) { v.put(func() { io.WriteString(v.Out, block) }) }

// Show lays something out when it is written, for the width that the terminal has then.
func (v *Console) Show(lay func(*view.Printer)) {
	v.put(func() {
		p := &view.Printer{Paint: v.Paint, Width: Width(v.Out)}
		lay(p)
		io.WriteString(v.Out, p.String())
	})
}

// Hold keeps whatever is said from now on until Release: a child has the terminal for itself.
func (v *Console) Hold() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	v.held = true
	v.modes = modesOf(v.Out)
}

// Release says what waited, in its order. A child that was killed could not tidy up: then the
// terminal gets back what it was. Without a Hold nothing happens.
func (v *Console) Release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = false
	if restored(v.Out, v.modes) {
		io.WriteString(v.Out, plainScreen)
	}
	if len(v.waiting) > 0 {
		io.WriteString(v.Out, belowChild)
	}
	if v.Columns > 0 {
		v.Columns = Width(v.Out)
	}
	for _, write := range v.waiting {
		write()
	}
	v.waiting, v.modes = nil, nil
}

// Aside says at once what do says, though somebody else writes on the terminal: a question that
// cannot wait. spoken is false, and do is not called, where a screen is drawn there: then the
// terminal has other modes than before.
func (v *Console) Aside(do func()) (spoken bool) {
	v.mu.Lock()
	if now := modesOf(v.Out); v.modes != nil && now != nil && *now != *v.modes {
		v.mu.Unlock()
		return false
	}
	v.asides++
	v.mu.Unlock()
	do()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asides--
	return true
}

// belowChild begins a line, for the child's last one may have no end, and erases what a child
// that was ended has left below the cursor: the lower half of an input box.
const belowChild = "\n\x1b[J"

// progressAfter is how long something may take before a person wants to know that
// it goes on.
const progressAfter = 500 * time.Millisecond

// During shows text on a terminal while work takes longer than [progressAfter].
func (v *Console) During(text string, work func() error) error {
	if !v.Live {
		return work()
	}
	timer := time.AfterFunc(progressAfter, func() { v.progress(text) })
	err := work()
	timer.Stop()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pending == text+" …" { // else the line is another's
		v.clear()
	}
	return err
}

func (v *Console) progress(text string) { v.pend(text + " …") }

// pend shows a line that the next one replaces.
func (v *Console) pend(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held && v.asides == 0 {
		return
	}
	v.clear()
	io.WriteString(v.Out, v.Paint.Dim(text))
	v.pending = text
}

// clear takes an unfinished progress line away. The sequence is the plainest that
// every terminal knows: return, erase to the end of the line.
func (v *Console) clear() {
	if v.pending != "" {
		io.WriteString(v.Out, "\r\x1b[K")
		v.pending = ""
	}
}
