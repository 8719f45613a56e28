package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

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
	pending bool // a progress line stands there without its end
	Columns int  // of the terminal, in columns; 0 where there is none, and nothing is wrapped
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

// Failed words an error and its way out.
func (v *Console) Failed(f *view.Failure) {
	for line := range strings.Lines(f.Message) {
		v.line(v.Paint.Red("error:")+" ", strings.TrimSuffix(line, "\n"))
	}
	if f.Hint != "" {
		v.line(v.Paint.Yellow("hint:")+" ", f.Hint)
	}
}

func (v *Console) line(prefix, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	fmt.Fprintln(v.Out, v.fit(prefix+text))
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
func (v *Console) Write(block string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	io.WriteString(v.Out, block)
}

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
	v.clear()
	return err
}

func (v *Console) progress(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	io.WriteString(v.Out, v.Paint.Dim(text+" …"))
	v.pending = true
}

// clear takes an unfinished progress line away. The sequence is the plainest that
// every terminal knows: return, erase to the end of the line.
func (v *Console) clear() {
	if v.pending {
		io.WriteString(v.Out, "\r\x1b[K")
		v.pending = false
	}
}
