package oauth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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
		{"POST", "POST", "/callback?code=x&state=STATE", "", 405},
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
