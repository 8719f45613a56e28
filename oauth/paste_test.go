package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
)

func TestPaste(t *testing.T) {
	for name, paste := range map[string]func(back, query, code string) string{
		"the URL":           func(back, query, _ string) string { return "  " + back + "?" + query + "#_=_\n" },
		"the query":         func(_, query, _ string) string { return query },
		"with its mark":     func(_, query, _ string) string { return "?" + query },
		"the bare code":     func(_, _, code string) string { return code + "\n" },
		"another host's":    func(_, query, _ string) string { return "https://elsewhere.example.com/?" + query },
		"in quotes":         func(back, query, _ string) string { return "'" + back + "?" + query + "' " },
		"in curly quotes":   func(back, query, _ string) string { return "“" + back + "?" + query + "”" },
		"in angle quotes":   func(back, query, _ string) string { return "« " + back + "?" + query + " »" },
		"ending a sentence": func(back, query, _ string) string { return "<" + back + "?" + query + ">." },
		"before a comma":    func(back, query, _ string) string { return back + "?" + query + "," },
		"a labelled code":   func(_, _, code string) string { return "Code: " + code },
		"a quoted code":     func(_, _, code string) string { return "‘" + code + "’." },
		"in the fragment":   func(back, query, _ string) string { return back + "#" + query },
		"beside its state": func(_, query, code string) string {
			values, _ := url.ParseQuery(query)
			return code + "#" + values.Get("state")
		},
		"within a URL":       func(back, query, _ string) string { return url.QueryEscape(back + "?" + query) },
		"escaped for HTML":   func(back, query, _ string) string { return strings.ReplaceAll(back+"?"+query, "&", "&amp;") },
		"from a log":         func(_, query, _ string) string { return "GET /callback?" + query + " HTTP/1.1" },
		"without its state":  func(_, _, code string) string { return "code=" + code },
		"after wrong ones":   func(back, query, _ string) string { return back + "?" + query },
		"after a closed one": func(back, query, _ string) string { return back + "?" + query },
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			pasted := make(chan string)
			login.UI.Paste = pasted
			finished := 0
			login.UI.Finish = func(context.Context, *credential.Credential, error) http.Handler {
				finished++
				return http.NotFoundHandler() // nobody sees it
			}
			wrong := []string{}
			if name == "after wrong ones" {
				wrong = []string{"two words", "http://localhost/callback", "help", "a-code-of-another-login-altogether", "?code=x&state=wrong", "code=x", "state=&code=", "https://x.example/?a=b"}
			}
			told := make(chan struct{}, 1)
			login.UI.Tell = func(format string, args ...any) { person.tell(format, args...); told <- struct{}{} }
			login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
				for _, text := range wrong {
					pasted <- text
					<-told
				}
				person.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				if err := person.visit(ctx, authorizationURL); err != nil {
					return err
				}
				at, err := url.Parse(person.last().header.Get("Location"))
				if err != nil {
					return err
				}
				back := "http://" + at.Host + at.Path
				pasted <- paste(back, at.RawQuery, at.Query().Get("code"))
				if name == "after a closed one" {
					close(pasted)
				}
				return nil
			}
			c, err := login.Run(t.Context())
			if err != nil || c.Access.Empty() {
				t.Fatalf("%v, %v", c, err)
			}
			if len(person.told) != len(wrong) {
				t.Errorf("told: %q", person.told)
			}
			if finished != 1 {
				t.Errorf("Finish was called %d times", finished)
			}
		})
	}
}

// Someone at another machine says no, and pastes only that.
func TestPasteRefusal(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	pasted := make(chan string, 1)
	pasted <- "error=access_denied"
	login.UI.Open, login.UI.Paste = nil, pasted
	var refused *oauth.AuthorizationError
	if _, err := login.Run(t.Context()); !errors.As(err, &refused) || !refused.Denied() {
		t.Error(err)
	}
}

// Where nobody is at the browser, the end of the input is the end, but not before what
// was pasted last is settled.
func TestPasteOnly(t *testing.T) {
	for name, last := range map[string]func(code string) string{"nothing": nil, "a code": func(code string) string { return code }} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			pasted := make(chan string)
			login.UI.Paste, login.UI.PasteOnly = pasted, true
			login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
				defer close(pasted)
				if last == nil {
					return nil
				}
				person.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				if err := person.visit(ctx, authorizationURL); err != nil {
					return err
				}
				at, err := url.Parse(person.last().header.Get("Location"))
				pasted <- last(at.Query().Get("code"))
				return err
			}
			if _, err := login.Run(t.Context()); errors.Is(err, oauth.ErrPasteEnded) != (last == nil) || err != nil && last != nil {
				t.Error(err)
			}
		})
	}
}

// When standard input ends, the browser is still waited for.
func TestPasteEnds(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	ended := make(chan string)
	close(ended)
	login.UI.Paste = ended
	if _, err := login.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPasteBesideBrowser has the browser come with its response while a pasted code is being
// exchanged: the response waits, counts where the paste was wrong, and gets a page either way.
func TestPasteBesideBrowser(t *testing.T) {
	for name, paste := range map[string]func(back, state string) string{
		"a wrong paste": func(string, string) string { return "a-code-of-another-login" },
		"a cut URL":     func(back, state string) string { return back + "?state=" + state + "&code=authorization" },
		"a right paste": nil,
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			pasted, visited := make(chan string, 1), make(chan error, 1)
			login.UI.Paste, login.Timeout = pasted, 10*time.Second
			exchanges := 0
			server.tokens = func(w http.ResponseWriter, r *http.Request) {
				if exchanges++; exchanges == 1 {
					asked := server.lastAsked()
					back := asked.Get("redirect_uri") + "?" + url.Values{"state": {asked.Get("state")}, "code": {"authorization-code-1"}}.Encode()
					go func() { visited <- person.visit(context.WithoutCancel(t.Context()), back) }()
					select {
					case err := <-visited:
						t.Errorf("the browser was sent away: %+v", person.last())
						visited <- err
					case <-time.After(100 * time.Millisecond): // it waits
					}
				}
				server.token(w, r)
			}
			login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
				client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				response, err := client.Get(authorizationURL)
				if err != nil {
					return err
				}
				response.Body.Close()
				if asked := server.lastAsked(); paste != nil {
					pasted <- paste(asked.Get("redirect_uri"), asked.Get("state"))
				} else {
					pasted <- "authorization-code-1"
				}
				return nil
			}
			login.UI.Finish = func(_ context.Context, _ *credential.Credential, err error) http.Handler {
				if err != nil {
					t.Error(err)
				}
				return text(200, "text/plain", "logged in")
			}
			if c, err := login.Run(t.Context()); err != nil || c.Access.Empty() {
				t.Fatalf("%v, %v", c, err)
			}
			if err := <-visited; err != nil || person.last().body != "logged in" {
				t.Errorf("the browser: %v, %+v", err, person.last())
			}
			if want := map[bool]int{true: 2, false: 1}[paste != nil]; exchanges != want {
				t.Errorf("%d token requests", exchanges)
			}
		})
	}
}

// A mail and a narrow window break a URL or a code: its parts are one paste, and none is sent alone.
func TestBrokenPaste(t *testing.T) {
	for name, lines := range map[string]func(back, query, code string) []string{
		"a URL within its code":    func(back, query, code string) []string { return broken(back+"?"+query, code) },
		"a URL in many parts":      func(back, query, _ string) []string { return parts(back+"?"+query, 20) },
		"with spaces at the break": func(back, query, _ string) []string { return []string{back + "?  ", "", "   " + query + " "} },
		"quoted by a mail": func(back, query, code string) []string {
			return []string{"> " + broken(back+"?"+query, code)[0], ">> " + broken(back+"?"+query, code)[1]}
		},
		"the source of a mail": func(back, query, _ string) []string {
			list := parts(strings.ReplaceAll(back+"?"+query, "=", "=3D"), 30)
			for i := range list[:len(list)-1] {
				list[i] += "="
			}
			return list
		},
		"a bare code":        func(_, _, code string) []string { return []string{code[:len(code)-3], code[len(code)-3:]} },
		"a URL behind words": func(back, query, _ string) []string { return []string{"the URL is", back + "?" + query} },
		"a URL before words": func(back, query, _ string) []string { return []string{back + "?" + query, "that is it"} },
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			pasted := make(chan string, 100)
			login.UI.Paste, login.Timeout = pasted, 10*time.Second
			login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
				back, err := person.wayBack(ctx, authorizationURL)
				if err != nil {
					return err
				}
				for _, line := range lines("http://"+back.Host+back.Path, back.RawQuery, back.Query().Get("code")) {
					pasted <- line
				}
				return nil
			}
			if c, err := login.Run(t.Context()); err != nil || c.Access.Empty() {
				t.Fatalf("%v, %v", c, err)
			}
			if len(person.told) > 0 || len(server.sent()) != 1 {
				t.Errorf("told %q, sent %v", person.told, server.sent())
			}
		})
	}
}

// broken breaks text within part.
func broken(text, part string) []string {
	at := strings.Index(text, part) + len(part)/2
	return []string{text[:at], text[at:]}
}

func parts(text string, size int) (list []string) {
	for part := range slices.Chunk([]byte(text), size) {
		list = append(list, string(part))
	}
	return list
}
