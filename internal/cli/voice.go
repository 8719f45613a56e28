package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A voice is the program's own words to a person, on standard error. Nothing else
// in the tree writes there. Its methods are safe for concurrent use.
type voice struct {
	mu      sync.Mutex
	out     io.Writer
	paint   palette
	live    bool // a terminal that someone watches: progress makes sense
	verbose bool
	pending bool // a progress line stands there without its end
	width   int  // of the terminal, in columns; 0 where there is none, and nothing is wrapped
}

// say tells the story: what happens, on a line of its own.
func (v *voice) say(format string, args ...any) { v.line("", fmt.Sprintf(format, args...)) }

// note tells something that the person should know and need not act on.
func (v *voice) note(format string, args ...any) {
	v.line(v.paint.yellow("note:")+" ", fmt.Sprintf(format, args...))
}

// detail is for those who asked with --verbose.
func (v *voice) detail(format string, args ...any) {
	if v.verbose {
		v.line("", v.paint.dim(fmt.Sprintf(format, args...)))
	}
}

// failed words an error and its way out.
func (v *voice) failed(f *failure) {
	for line := range strings.Lines(f.Message) {
		v.line(v.paint.red("error:")+" ", strings.TrimSuffix(line, "\n"))
	}
	if f.Hint != "" {
		v.line(v.paint.yellow("hint:")+" ", f.Hint)
	}
}

func (v *voice) line(prefix, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	fmt.Fprintln(v.out, v.fit(prefix+text))
}

// fit breaks long lines between words, for a terminal. A word that is longer than a line,
// such as a URL, stays whole, to be copied.
func (v *voice) fit(text string) string {
	if v.width == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if visible(line) > v.width {
			lines[i] = strings.Join(wrap(line, v.width-2), "\n  ")
		}
	}
	return strings.Join(lines, "\n")
}

// write puts a rendered block, such as a table, between the lines.
func (v *voice) write(block string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	io.WriteString(v.out, block)
}

// progressAfter is how long something may take before a person wants to know that
// it goes on.
const progressAfter = 500 * time.Millisecond

// during shows text on a terminal while work takes longer than [progressAfter].
func (v *voice) during(text string, work func() error) error {
	if !v.live {
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

func (v *voice) progress(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	io.WriteString(v.out, v.paint.dim(text+" …"))
	v.pending = true
}

// clear takes an unfinished progress line away. The sequence is the plainest that
// every terminal knows: return, erase to the end of the line.
func (v *voice) clear() {
	if v.pending {
		io.WriteString(v.out, "\r\x1b[K")
		v.pending = false
	}
}
