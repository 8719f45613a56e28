package ambit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/browser"
	"golang.org/x/term"
)

// A UI is how a session speaks with a person. The zero value is for where nobody is: each
// question is answered no, nothing is opened, nothing can be pasted, and notes are dropped.
// Its functions may be called by several goroutines, never two at a time.
type UI struct {
	// Ask puts a yes-or-no question. The error is that of a person who went away.
	Ask func(ctx context.Context, question string) (yes bool, err error)
	// Note says something that the person should know: a sentence without an end mark, fit
	// for one line of a terminal.
	Note func(sentence string)
	// Detail is Note for what only someone who looks into a problem wants to know.
	Detail func(sentence string)
	// Begin is called before something is begun that has to be put away whatever comes, such as a lease.
	// It may be called by several at once. nil: nobody is told.
	Begin func()
	// During runs work, and shows what is being done where that takes long.
	During func(doing string, work func() error) error

	// Open shows the person one of two pages: startURL is a short local one, authorizationURL
	// the server's. nil: the system's browser opens the local one, where Ask says that someone
	// is there, and else a login is [ErrNobody].
	Open func(ctx context.Context, startURL, authorizationURL string) error
	// Code shows a code that the person enters on another device (RFC 8628), beside the wait for
	// them, and must return when ctx ends. nil: no login goes that way.
	Code func(ctx context.Context, code oauth.DeviceCode)
	// Remote is why no page can be shown on this machine, as over SSH: then a login goes by Code
	// where the server offers that. "": one can be.
	Remote string
	// Paste gives what the person pastes, a line at a time: the URL at which the browser
	// ended, its query, or the code that the server shows. It is called by a login, which calls
	// done when it is over.
	Paste func() (lines <-chan string, done func())
	// PasteOnly says that no browser of this machine will answer either: once Paste is at its
	// end, the login is.
	PasteOnly bool
	// Linger is as [oauth.UI] has it: it ends the pages of a login that is over, a second or two later.
	// nil: they end with the login.
	Linger func(stop func())
	// Pages are what the browser shows of a login. nil: a plain sentence.
	Pages Pages
}

// Pages make what the person's browser shows of a login. Everything that they show came from
// files and servers, and is theirs to escape.
type Pages interface {
	// Start says what is about to be asked for, and leads on to authorizationURL.
	Start(plan *Plan, authorizationURL string) http.Handler
	// Finished says what was granted: the credential was kept.
	Finished(s *Session, h *Held) http.Handler
	// Failed says why nothing was granted or kept.
	Failed(s *Session, err error) http.Handler
}

func (u *UI) ask(ctx context.Context, question string) (bool, error) {
	if u.Ask == nil {
		return false, nil
	}
	return u.Ask(ctx, question)
}

func (u *UI) begin() {
	if u.Begin != nil {
		u.Begin()
	}
}

func (u *UI) note(sentence string) {
	if u.Note != nil {
		u.Note(sentence)
	}
}

func (u *UI) detail(sentence string) {
	if u.Detail != nil {
		u.Detail(sentence)
	}
}

// notes says sentences that came from elsewhere.
func (u *UI) notes(sentences []string) {
	for _, sentence := range sentences {
		u.note(text.Line(sentence))
	}
}

func (u *UI) during(doing string, work func() error) error {
	if u.During == nil {
		return work()
	}
	return u.During(doing, work)
}

// Terminal is the person at this process's standard input and error, if someone is there:
// where they are not terminals, or CI is set, it only says notes. It opens the browser that
// BROWSER names, or else the system's, and takes what is pasted; where no page can be shown, as over
// SSH, it shows a code for another device, if the server offers that.
func Terminal() UI {
	ui := UI{Note: func(sentence string) { fmt.Fprintln(os.Stderr, sentence) }}
	env := settings.Environment(os.Environ())
	if env.InCI() || !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return ui
	}
	lines := make(chan string)
	begin := sync.OnceFunc(func() { go readLines(os.Stdin, lines) })
	ui.Paste = func() (<-chan string, func()) { begin(); return lines, func() {} }
	ui.Ask = func(ctx context.Context, question string) (bool, error) {
		begin()
		fmt.Fprint(os.Stderr, question+" [y/N] ")
		select {
		case answer := <-lines:
			answer = strings.ToLower(strings.TrimSpace(answer))
			return answer == "y" || answer == "yes", nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	ui.Code = func(_ context.Context, code oauth.DeviceCode) {
		fmt.Fprintf(os.Stderr, "to log in, open %s on any device, and enter the code %s\n", code.URL, code.UserCode)
	}
	if env.Get("BROWSER") == "" {
		ui.Remote = env.Remote()
	}
	opener := browser.Opener{Command: env.Get("BROWSER"), List: true, Output: os.Stderr}
	ui.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		fmt.Fprintf(os.Stderr, "%s:\n%s\n", browser.Invitation("opening your browser", true), authorizationURL)
		if opener.Command != "" {
			startURL = authorizationURL
		}
		return opener.Open(ctx, startURL)
	}
	return ui
}

// readLines reads for the whole process: a read from a terminal cannot be taken back.
func readLines(from io.Reader, lines chan<- string) {
	defer close(lines)
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, maxPasted)
	for scanner.Scan() {
		lines <- scanner.Text()
	}
}

// maxPasted bounds a line from a person, in bytes: a URL at which a browser ended.
const maxPasted = 1 << 20
