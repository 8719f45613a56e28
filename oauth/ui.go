package oauth

import (
	"context"
	"net/http"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// A UI is how a [Login] speaks with the person: at the terminal, and in the browser.
// Every field may be left out; the zero value opens nothing and tells nobody, and waits
// for a browser that comes by itself.
type UI struct {
	// Open shows the person one of two pages: startURL is the short local one,
	// authorizationURL the server's. It may take as long as it likes, but must return
	// when ctx ends. An error is told through Tell and does not end the wait, since
	// people can open a page by hand. nil: nothing is opened.
	Open func(ctx context.Context, startURL, authorizationURL string) error
	// Code shows a code that the person enters on another device ([Login.RunDevice]), beside the
	// wait for them, and must return when ctx ends.
	Code func(ctx context.Context, code DeviceCode)
	// Paste brings what the person pasted: the URL at which the browser ended, its query
	// or the bare code. What is none of these is told through Tell, and so is a bare code
	// that the server does not know; the wait goes on. nil: nothing comes.
	Paste <-chan string
	// PasteOnly says that nobody is at a browser of this machine either once Paste is
	// closed: waiting further then ends with [ErrPasteEnded].
	PasteOnly bool
	// Tell says a sentence to the person, never two at a time. nil: nobody is told.
	Tell func(format string, args ...any)
	// Detail says what only someone who looks into a problem wants to know. nil: nobody is told.
	Detail func(sentence string)

	// Start makes the local start page. nil: it only leads on to the authorization URL.
	Start func(authorizationURL string) http.Handler
	// Finish is called once when the response is known: with the credential, after the code
	// was exchanged, or with the error. It makes the browser's last page, which arrives
	// before Run returns. It is not called when nobody answered; of a
	// login on another device it is called with the credential alone, and the page is nobody's. nil: a plain sentence.
	Finish func(ctx context.Context, c *credential.Credential, err error) http.Handler
	// Linger is given what ends the pages, once a browser has got its last one: until then, whoever
	// repeats the response gets that page again. It returns at once; stop is called once, a second or two
	// later, and waits for what is under way. nil: the pages end with the login.
	Linger func(stop func())
	// Narrow is asked when the server refuses the scopes that were asked for
	// ([AuthorizationError.InvalidScope]): with ok, the same browser window goes on to
	// another request. It is asked once, and once more where the second refusal names what
	// the first request did not ask for (scopes that were covered by those left out), or
	// names nothing where the first did. nil: the refusal ends the login.
	Narrow func(refusal *AuthorizationError) (fewer scopes.Set, ok bool)
}

func (u UI) tell(format string, args ...any) {
	if u.Tell != nil {
		u.Tell(format, args...)
	}
}

func (u UI) detail(sentence string) {
	if u.Detail != nil {
		u.Detail(sentence)
	}
}

func (u UI) finish(ctx context.Context, c *credential.Credential, err error) http.Handler {
	if u.Finish != nil {
		return u.Finish(ctx, c, err)
	}
	return PlainPage(err)
}

// PlainPage is the browser's last page in a sentence: of a login, or of why there is none.
func PlainPage(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sentence := "You are logged in, and can close this window."
		if err != nil {
			sentence = "The login failed: " + text.Line(err.Error())
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(sentence + "\n"))
	})
}
