package console

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

// An Input is what a person types, for the whole of an invocation. Set From; the zero value
// of everything else is safe.
type Input struct {
	From    io.Reader
	Console *Console
	Ending  context.Context // of the invocation: a wait for a person ends with it
	Nobody  func() string   // why nobody is here to type; "" or nil where someone may be
	Waiting func()          // is called before a wait that Ctrl-C may end

	typed <-chan string // see Lines
}

// Lines gives what is typed, a line at a time, until the input ends. One goroutine reads for
// the whole invocation: a read from a terminal cannot be taken back, so a second reader would
// lose what the first had begun.
func (i *Input) Lines() <-chan string {
	if i.typed != nil {
		return i.typed
	}
	typed := make(chan string)
	i.typed = typed
	go func() {
		defer close(typed)
		scanner := bufio.NewScanner(i.From)
		scanner.Buffer(nil, maxPasted)
		for scanner.Scan() {
			typed <- scanner.Text()
		}
	}()
	return typed
}

// maxPasted bounds a line from a person, in bytes: a URL, of which the longest that browsers
// make has room.
const maxPasted = 1 << 20

// Ask puts a yes-or-no question. The error is that of a person who went away without an
// answer.
func (i *Input) Ask(ctx context.Context, question string) (yes bool, err error) {
	i.wait()
	i.Console.Write(i.Console.fit(question+" [y/N]") + " ")
	answer, err := i.line(ctx)
	if ctx.Err() != nil {
		i.Console.Write("\n")
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

func (i *Input) wait() {
	if i.Waiting != nil {
		i.Waiting()
	}
}

// line is the next line; io.EOF where there is no more.
func (i *Input) line(ctx context.Context) (string, error) {
	select {
	case line, ok := <-i.Lines():
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Secret is where a secret is read: at a terminal, what someone types there without seeing
// it; else the input itself.
func (i *Input) Secret() io.Reader {
	if IsTerminal(i.From) {
		return &typedSecret{input: i}
	}
	return i.From
}

// A typedSecret asks for a line at the terminal when it is first read.
type typedSecret struct {
	input *Input
	line  io.Reader
}

// Read reads the line without its end.
func (s *typedSecret) Read(p []byte) (int, error) {
	if s.line == nil {
		line, err := s.input.secret()
		if err != nil {
			return 0, err
		}
		s.line = strings.NewReader(line)
	}
	return s.line.Read(p)
}

// secret reads a line that the terminal does not show. Where a question was asked before, the
// goroutine that read its answer still reads, and may be the one that gets it.
func (i *Input) secret() (string, error) {
	terminal, ok := i.From.(*os.File)
	if i.Nobody != nil && i.Nobody() != "" {
		return "", errors.New("nobody is here to type it: " + i.Nobody())
	}
	if !ok {
		return "", errors.New("nobody is here to type it")
	}
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	i.wait() // Ctrl-C may not leave the terminal mute
	defer func() {
		_ = term.Restore(fd, before)
		i.Console.Write("\n")
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
	i.Console.Write("the API key, which is not shown here (Enter to finish, Ctrl-C to cancel): ")
	select {
	case got := <-read:
		return string(got.text), got.err
	case line := <-i.typed:
		return line, nil
	case <-i.Ending.Done():
		return "", i.Ending.Err()
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
