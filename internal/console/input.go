package console

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/ambit-auth/ambit/internal/typing"
	"github.com/ambit-auth/ambit/internal/view"
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
	Dumb    func() bool     // reports whether the terminal knows no control sequences; nil: it knows them

	keyboard *typing.Keyboard
	typed    <-chan string // see scanned
}

// Lines gives what is typed, a line at a time, until the input ends or stop is called. A terminal
// keeps what is typed after that for whoever reads next, such as a child.
func (i *Input) Lines() (lines <-chan string, stop func()) {
	if lines, stop, ok := i.typing(false); ok {
		return lines, stop
	}
	return i.scanned(), func() {}
}

// typing reads a terminal; ok is false for what is none, and where the system has its own way.
func (i *Input) typing(hidden bool) (lines <-chan string, stop func(), ok bool) {
	file, isFile := i.From.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil, nil, false
	}
	if i.keyboard == nil {
		i.keyboard = &typing.Keyboard{File: file, Show: i.Console.Write, Dumb: i.Dumb != nil && i.Dumb()}
		if i.Ending != nil {
			context.AfterFunc(i.Ending, i.keyboard.Rest)
		}
	}
	lines, stop, err := i.keyboard.Lines(hidden)
	return lines, stop, err == nil
}

// Rest gives the terminal back as it was, whoever still reads.
func (i *Input) Rest() {
	if i.keyboard != nil {
		i.keyboard.Rest()
	}
}

// scanned are the lines of what is no terminal. One goroutine reads for the whole invocation: a
// second reader would lose what the first had begun.
func (i *Input) scanned() <-chan string {
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
	answer, err := i.answer(ctx, question+" [y/N]")
	if ctx.Err() != nil {
		i.Console.Write("\n")
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// maxTries is how often somebody may answer one question: whoever pipes a file into it never ends.
const maxTries = 20

// ErrNoAnswer is that of a question to which nobody gave an answer that could be taken.
var ErrNoAnswer = errors.New("nobody gave an answer")

// Choose puts a question until take takes the answer; what is wrong with one is told. Enter alone is
// no answer. The error is ErrNoAnswer, or that of an invocation that ended meanwhile.
func (i *Input) Choose(ctx context.Context, question string, take func(answer string) *view.Failure) error {
	i.wait()
	for range maxTries {
		answer, err := i.answer(ctx, question)
		if err != nil {
			i.Console.Write("\n")
			return cmp.Or(ctx.Err(), ErrNoAnswer)
		}
		if answer = strings.TrimSpace(answer); answer == "" {
			continue
		}
		wrong := take(answer)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if wrong == nil {
			return nil
		}
		i.Console.Failed(wrong)
	}
	return ErrNoAnswer
}

func (i *Input) wait() {
	if i.Waiting != nil {
		i.Waiting()
	}
}

// answer is the next line after a question; io.EOF where there is no more. The terminal is taken first:
// what a key means may not depend on how fast it is pressed.
func (i *Input) answer(ctx context.Context, question string) (string, error) {
	lines, stop := i.Lines()
	defer stop()
	i.Console.Write(i.Console.fit(question) + " ")
	select {
	case line, ok := <-lines:
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

// secret reads a line that the terminal does not show.
func (i *Input) secret() (string, error) {
	if i.Nobody != nil && i.Nobody() != "" {
		return "", errors.New("nobody is here to type it: " + i.Nobody())
	}
	i.wait() // Ctrl-C may not leave the terminal mute
	lines, stop, ok := i.typing(true)
	if !ok {
		return i.password()
	}
	defer stop()
	i.Console.Write(secretPrompt)
	select {
	case line, ok := <-lines:
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-i.Ending.Done():
		i.Console.Write("\n")
		return "", i.Ending.Err()
	}
}

const secretPrompt = "the API key, which is not shown here (Enter to finish, Ctrl-C to cancel): "

// password is secret as the system does it.
func (i *Input) password() (string, error) {
	terminal, ok := i.From.(*os.File)
	if !ok {
		return "", errors.New("nobody is here to type it")
	}
	i.Console.Write(secretPrompt)
	defer i.Console.Write("\n")
	type hidden struct {
		text []byte
		err  error
	}
	read := make(chan hidden, 1)
	go func() {
		text, err := term.ReadPassword(int(terminal.Fd()))
		read <- hidden{text, err}
	}()
	select {
	case got := <-read:
		return string(got.text), got.err
	case <-i.Ending.Done():
		return "", i.Ending.Err()
	}
}
