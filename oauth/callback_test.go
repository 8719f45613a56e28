package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/browser"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// A request that nobody may make, with what it must be told.
type intrusion struct {
	name   string
	method string
	path   string // with query; STATE stands for the right state, START for the start page's path
	host   string // PORT stands for the port; "" is the right host
	status int
}

func intrusions() []intrusion {
	return []intrusion{
		{"no state", "GET", "/callback?code=x", "", 400},
		{"a wrong state", "GET", "/callback?code=x&state=wrong", "", 400},
		{"a wrong state with an error", "GET", "/callback?error=access_denied&state=wrong", "", 400},
		{"an error without a state", "GET", "/callback?error=access_denied", "", 400},
		{"neither code nor error", "GET", "/callback?state=STATE", "", 400},
		{"two codes", "GET", "/callback?code=x&code=y&state=STATE", "", 400},
		{"two states", "GET", "/callback?code=x&state=STATE&state=STATE", "", 400},
		{"a broken query", "GET", "/callback?code=%zz&state=STATE", "", 400},
		{"nothing", "GET", "/callback", "", 400},
		{"a form with nothing in it", "POST", "/callback?code=x&state=STATE", "", 400},
		{"PUT", "PUT", "/callback?code=x&state=STATE", "", 405},
		{"HEAD", "HEAD", "/callback?code=x&state=STATE", "", 405},
		{"another path", "GET", "/callback/?code=x&state=STATE", "", 404},
		{"another case", "GET", "/Callback?code=x&state=STATE", "", 404},
		{"an encoded path", "GET", "/call%2Fback?code=x&state=STATE", "", 404},
		{"an icon", "GET", "/favicon.ico", "", 404},
		{"a loopback sibling", "GET", "/callback?code=x&state=STATE", "127.0.0.1:PORT", 421},
		{"a name that was rebound", "GET", "/callback?code=x&state=STATE", "evil.example.com:PORT", 421},
		{"another port", "GET", "/callback?code=x&state=STATE", "localhost:1", 421},
		{"no port", "GET", "/callback?code=x&state=STATE", "localhost", 421},
		{"the start page under another name", "GET", "/START", "127.0.0.1:PORT", 421},
		{"POST to the start page", "POST", "/START", "", 405},
		{"who does not know the start page", "GET", "/", "", 404},
		{"who guesses", "GET", "/START0", "", 404},
	}
}

func TestIntrusionsDoNotEndTheWait(t *testing.T) {
	for _, in := range intrusions() {
		t.Run(in.name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
				seen := intrude(t, person, in, startURL, authorizationURL)
				if seen.status != in.status {
					t.Errorf("status %d, want %d", seen.status, in.status)
				}
				if storetest.Leaks(seen.body) || strings.Contains(seen.body, "code=") {
					t.Errorf("the page repeats what it was sent: %s", seen.body)
				}
				checkHeaders(t, seen)
				return person.open(ctx, startURL, authorizationURL) // and the login goes on
			}
			if _, err := login.Run(t.Context()); err != nil {
				t.Errorf("the login ended: %v", err)
			}
		})
	}
}

func intrude(t *testing.T, person *person, in intrusion, startURL, authorizationURL string) page {
	t.Helper()
	start, err := url.Parse(startURL)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + start.Host
	asked, err := url.Parse(authorizationURL)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(in.method, base+strings.NewReplacer("STATE", asked.Query().Get("state"), "/START", start.Path).Replace(in.path), nil)
	if err != nil {
		t.Fatal(err)
	}
	if in.host != "" {
		req.Host = strings.Replace(in.host, "PORT", req.URL.Port(), 1)
	}
	seen, err := person.do(req)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// checkHeaders: every page is locked up, whoever made it.
func checkHeaders(t *testing.T, p page) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %s = %q, want %q", p.url, name, got, want)
		}
	}
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'none'"} {
		if policy := p.header.Get("Content-Security-Policy"); !strings.Contains(policy, part) {
			t.Errorf("%s: the policy %q lacks %s", p.url, policy, part)
		}
	}
}

func TestOneAnswerOnly(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Finish = func(ctx context.Context, c *credential.Credential, err error) http.Handler {
		asked := server.lastAsked()
		back := asked.Get("redirect_uri") + "?" + url.Values{"state": {asked.Get("state")}, "code": {"another"}}.Encode()
		if err := person.visit(ctx, back); err != nil { // while the first still waits for its page
			t.Error(err)
		}
		if got := person.last().status; got != http.StatusGone {
			t.Errorf("the second answer: status %d", got)
		}
		return text(200, "text/plain", "the only one")
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := person.last().body; got != "the only one" {
		t.Errorf("the last page: %q", got)
	}
	if len(server.sent()) != 1 {
		t.Errorf("requests: %v", server.sent())
	}
}

func TestStartPage(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Start = func(authorizationURL string) http.Handler {
		return text(200, "text/plain", authorizationURL)
	}
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		if !strings.HasPrefix(startURL, "http://localhost:") || strings.Contains(startURL, "?") {
			t.Errorf("startURL = %q", startURL)
		}
		if err := person.visit(ctx, startURL); err != nil {
			return err
		}
		start := person.last()
		checkHeaders(t, start)
		if start.body != authorizationURL {
			t.Errorf("the start page was told %q, want %q", start.body, authorizationURL)
		}
		asked, err := url.Parse(authorizationURL)
		if err != nil || strings.Contains(startURL, asked.Query().Get("state")) {
			t.Errorf("the address of the start page shows the state: %q, %v", startURL, err)
		}
		return person.open(ctx, "", start.body)
	}
	login.UI.Finish = func(context.Context, *credential.Credential, error) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", w.Header().Get("Content-Security-Policy")+"; style-src 'nonce-x'")
			_, _ = w.Write([]byte("done"))
		})
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkHeaders(t, person.last())
	if policy := person.last().header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src") {
		t.Errorf("a page cannot widen the policy: %q", policy)
	}
}

// Without a start page of the caller's, and with the callback at the root.
func TestStartLeadsOn(t *testing.T) {
	for _, path := range []string{"/callback", "/"} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Redirect.Path = path
		login.UI.Open = func(ctx context.Context, startURL, _ string) error { return person.open(ctx, "", startURL) }
		if _, err := login.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if got := person.last(); got.status != 200 || !strings.Contains(got.body, "logged in") {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// The last page arrives to its last byte, however large it is.
func TestLastPageIsWhole(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	large := strings.Repeat("page ", 4<<20/5)
	login.UI.Finish = func(context.Context, *credential.Credential, error) http.Handler {
		return text(200, "text/plain", large)
	}
	seen := make(chan error, 1)
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		go func() { seen <- person.open(ctx, startURL, authorizationURL) }()
		return nil
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-seen; err != nil || person.last().body != large {
		t.Errorf("%d of %d bytes, %v", len(person.last().body), len(large), err)
	}
}

// Browsers open connections in advance; one that is never used may not hold up the end.
func TestUnusedConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		target, err := url.Parse(startURL)
		if err != nil {
			return err
		}
		conn, err := net.Dial("tcp", target.Host)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = conn.Close() })
		return person.open(ctx, startURL, authorizationURL)
	}
	begun := time.Now()
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestOpenFails(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	urls := make(chan string, 1)
	login.UI.Open = func(_ context.Context, _, authorizationURL string) error {
		urls <- authorizationURL
		return errors.New("no display")
	}
	login.UI.Tell = func(format string, args ...any) { // the person is told, and opens it by hand
		person.tell(format, args...)
		go func() { _ = person.visit(context.Background(), <-urls) }()
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(person.told) != 1 || !strings.Contains(person.told[0], "no display") {
		t.Errorf("told: %q", person.told)
	}
}

// What shows the page hears that the login is over, and not that someone ended it.
func TestOpenHearsTheEnd(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	var cause error
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		err := person.open(ctx, startURL, authorizationURL)
		<-ctx.Done()
		cause = context.Cause(ctx)
		return err
	}
	if _, err := login.Run(t.Context()); err != nil || !errors.Is(cause, browser.ErrDone) {
		t.Errorf("%v, cause %v", err, cause)
	}
}

// What is not taken is told at the terminal too, each kind once: the browser that shows it may be on
// a screen that nobody looks at.
func TestRefusedResponsesAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, want string
		paste              bool // that is the way on
	}{
		"no state":           {"GET", "/callback?error=invalid_request&error_description=redirect_uri+mismatch", `it has no state, and may be another login's (it says "invalid_request redirect_uri mismatch"); if it is this login's, paste its URL here`, true},
		"another's":          {"GET", "/callback?code=x&state=wrong", "belongs to another login", false},
		"a parameter twice":  {"GET", "/callback?code=x&code=y&state=STATE", "code more than once", false},
		"another path":       {"GET", "/back?code=x&state=STATE", `/back", and this login takes it only at http://localhost:`, true},
		"another host":       {"GET", "//127.0.0.1/callback?code=x&state=STATE", `"127.0.0.1:`, true},
		"HEAD":               {"HEAD", "/callback?code=x&state=STATE", "a HEAD request came", false},
		"nothing of a login": {"GET", "/favicon.ico", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			login := newLogin(server, person)
			told := make(chan struct{}, 10)
			login.UI.Paste = make(chan string)
			login.UI.Tell = func(format string, args ...any) { person.tell(format, args...); told <- struct{}{} }
			login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
				in := intrusion{method: c.method, path: c.path}
				if path, ok := strings.CutPrefix(c.path, "//127.0.0.1"); ok {
					in.host, in.path = "127.0.0.1:PORT", path
				}
				for range 3 {
					intrude(t, person, in, startURL, authorizationURL)
				}
				if c.want != "" {
					<-told
				}
				return person.open(ctx, startURL, authorizationURL)
			}
			if _, err := login.Run(t.Context()); err != nil {
				t.Error(err)
			}
			if c.want == "" && len(person.told) > 0 || c.want != "" && (len(person.told) != 1 || !strings.Contains(person.told[0], c.want) || !strings.Contains(person.told[0], "still waiting") || strings.Contains(person.told[0], "paste") != c.paste) {
				t.Errorf("told: %q", person.told)
			}
		})
	}
}

// A browser that speaks TLS hears at once that this is not the place, and the person what to do.
func TestHTTPSIsTold(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	told := make(chan struct{}, 10)
	person.client.Timeout = 4 * time.Second
	login.UI.Tell = func(format string, args ...any) { person.tell(format, args...); told <- struct{}{} }
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		begun := time.Now()
		for range 2 {
			if _, err := person.client.Get(strings.Replace(startURL, "http:", "https:", 1)); err == nil {
				t.Error("someone answered with TLS")
			}
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("the browser waited %s", took)
		}
		select {
		case <-told:
		case <-time.After(10 * time.Second):
		}
		return person.open(ctx, startURL, authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if len(person.told) != 1 || !strings.Contains(person.told[0], "https") {
		t.Errorf("told: %q", person.told)
	}
}

// A server may send its response in a form that its page posts.
func TestFormPost(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
		back, err := person.wayBack(ctx, authorizationURL)
		if err != nil {
			return err
		}
		query := back.RawQuery
		back.RawQuery = ""
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, back.String(), strings.NewReader(query))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		seen, err := person.do(req)
		if seen.status != 200 || !strings.Contains(seen.body, "logged in") {
			t.Errorf("the browser: %+v", seen)
		}
		return err
	}
	if c, err := login.Run(t.Context()); err != nil || c.Access.Empty() {
		t.Error(err)
	}
}

// What a browser loads ahead of a visit spends no code, and the visit gets the page.
func TestPrefetchIsNotTaken(t *testing.T) {
	for name, value := range map[string]string{"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Purpose": "preview", "X-Moz": "prefetch"} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
			back, err := person.wayBack(ctx, authorizationURL)
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, back.String(), nil)
			if err != nil {
				return err
			}
			req.Header.Set(name, value)
			if ahead, err := person.do(req); err != nil || ahead.status != http.StatusServiceUnavailable {
				t.Errorf("%s: %v, %+v", name, err, ahead)
			}
			return person.open(ctx, "", back.String())
		}
		if _, err := login.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := person.last(); got.status != 200 {
			t.Errorf("%s: the visit: %+v", name, got)
		}
	}
}

// Some browsers come several times with one response: each visit gets the page, and the code is sent once.
func TestRepeatedResponseGetsThePage(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	const visits = 6
	var arrived, seen sync.WaitGroup
	arrived.Add(visits)
	login.UI.Open = func(ctx context.Context, _, authorizationURL string) error {
		back, err := person.wayBack(ctx, authorizationURL)
		if err != nil {
			return err
		}
		for range visits {
			seen.Go(func() {
				conn, err := net.Dial("tcp", strings.Replace(back.Host, "localhost", "127.0.0.1", 1))
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", back.RequestURI(), back.Host)
				if page, err := io.ReadAll(conn); err != nil || !strings.Contains(string(page), "the only one") {
					t.Errorf("%v: %s", err, page)
				}
			})
		}
		return nil
	}
	login.UI.Finish = func(context.Context, *credential.Credential, error) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			arrived.Done()
			arrived.Wait() // none is served before all have come
			_, _ = w.Write([]byte("the only one"))
		})
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen.Wait()
	if len(server.sent()) != 1 {
		t.Errorf("requests: %v", server.sent())
	}
}

// Whoever loads the last page again gets it for as long as the pages linger.
func TestLastPageLingers(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.UI.Finish = func(context.Context, *credential.Credential, error) http.Handler {
		return text(200, "text/plain", "logged in")
	}
	var stop func()
	login.UI.Linger = func(s func()) { stop = s }
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := person.last().url
	if err := person.visit(t.Context(), back); err != nil || person.last().body != "logged in" {
		t.Errorf("again: %v, %+v", err, person.last())
	}
	if err := person.visit(t.Context(), strings.Split(back, "?")[0]+"?code=another&state=x"); err != nil || person.last().status == 200 {
		t.Errorf("another response: %v, %+v", err, person.last())
	}
	stop()
	if err := person.visit(t.Context(), back); err == nil {
		t.Errorf("after the end: %+v", person.last())
	}
}
