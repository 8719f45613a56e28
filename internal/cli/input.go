package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// lines gives what is typed, a line at a time, until the input ends. One goroutine
// reads for the whole invocation: a read from a terminal cannot be taken back, so a
// second reader would lose what the first had begun.
func (r *run) lines() <-chan string {
	if r.typed != nil {
		return r.typed
	}
	typed := make(chan string)
	r.typed = typed
	go func() {
		defer close(typed)
		// What is pasted is a URL; maxPasted has room for the longest that browsers make.
		scanner := bufio.NewScanner(io.LimitReader(r.Stdin, maxPasted))
		scanner.Buffer(nil, maxPasted)
		for scanner.Scan() {
			typed <- scanner.Text()
		}
	}()
	return typed
}

// maxPasted bounds what is read from a person, in bytes.
const maxPasted = 1 << 20

// readLine is the next line; io.EOF where there is no more.
func (r *run) readLine(ctx context.Context) (string, error) {
	select {
	case line, ok := <-r.lines():
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// keyInput is where --api-key-stdin reads: at a terminal, what someone types there.
func (r *run) keyInput() io.Reader {
	if isTerminal(r.Stdin) {
		return &typedSecret{run: r}
	}
	return r.Stdin
}

// A typedSecret asks for a line at the terminal when it is first read.
type typedSecret struct {
	run  *run
	line io.Reader
}

// Read reads the line without its end.
func (s *typedSecret) Read(p []byte) (int, error) {
	if s.line == nil {
		line, err := s.run.readSecret()
		if err != nil {
			return 0, err
		}
		s.line = strings.NewReader(line)
	}
	return s.line.Read(p)
}

// readSecret reads a line that the terminal does not show. Where a question was asked
// before, the goroutine that read its answer still reads, and may be the one that gets it.
func (r *run) readSecret() (string, error) {
	terminal, ok := r.Stdin.(*os.File)
	if !ok || r.settings.NoInput || r.env.InCI() {
		return "", errors.New("nobody is here to type it: " + r.whyNobody())
	}
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	r.watchSignals() // Ctrl-C may not leave the terminal mute
	defer func() {
		_ = term.Restore(fd, before)
		r.voice.write("\n")
	}()
	type hidden struct {
		text []byte
		err  error
	}
	read := make(chan hidden, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- hidden{text, err}
	}()
	untilMute(fd, before)
	r.voice.write("the API key, which is not shown here (Enter ends it, Ctrl-C leaves): ")
	select {
	case got := <-read:
		return string(got.text), got.err
	case line := <-r.typed:
		return line, nil
	case <-r.ctx.Done():
		return "", r.ctx.Err()
	}
}

// muteWithin is how long a terminal is given to stop showing what is typed; one that showed
// nothing before never changes.
const muteWithin = 100 * time.Millisecond

// untilMute waits until the terminal is in another state than before: who reads the prompt
// may type at once.
func untilMute(fd int, before *term.State) {
	for end := time.Now().Add(muteWithin); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if now, err := term.GetState(fd); err != nil || *now != *before {
			return
		}
	}
}
