package agent_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// source is a credential in memory; renew gives the next of those that follow.
type source struct {
	mu      sync.Mutex
	current *credential.Credential
	next    []*credential.Credential
	renewed int
	asked   int
}

func (s *source) Current(context.Context) (*credential.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.asked > 1 && len(s.next) > 0 {
		s.current, s.next = s.next[0], s.next[1:]
	}
	return s.current, nil
}

func (s *source) Renew(context.Context, *credential.Credential) (*credential.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed++
	if len(s.next) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	s.current, s.next = s.next[0], s.next[1:]
	return s.current, nil
}

func (s *source) renewals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewed
}

// key is a lent key of the provider's own kind that holds these scopes.
func key(bearer string, held ...string) *credential.Credential {
	return &credential.Credential{
		Access: credential.NewSecret(bearer), Grant: agenttest.Grant("personal_api_key", scopes.SelfInspection, held...),
	}
}

// token is a lent token that can be renewed.
func token(bearer string, held ...string) *credential.Credential {
	return &credential.Credential{
		Access: credential.NewSecret(bearer), Refresh: credential.NewSecret("refresh"), Issuer: "https://us.example",
		Grant: agenttest.Grant(scopes.AccessToken, scopes.TokenResponse, held...),
	}
}

// confirms answers the question about a credential: its own server knows it, and says again what
// it holds.
func confirms(_ context.Context, c *credential.Credential) credential.Inquiry {
	return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: c.Grant}}
}

// serverAt is a server whose bases all stand at one place.
func serverAt(origin string) provider.Server {
	return provider.Server{Name: "us", Issuer: origin, Bases: []provider.Base{
		{Name: "api", URL: origin}, {Name: "gateway", URL: origin + "/wizard"}, {Name: "mcp", URL: origin + "/mcp"},
	}}
}

// upstream is a strict server: it fails the test on a request that carries the lease,
// or any credential but those that it knows.
func upstream(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			for _, v := range values {
				if strings.Contains(v, "ambit-lease-") {
					t.Errorf("the lease left in %s", name)
				}
			}
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// newTLS is a server that speaks HTTP/2.
func newTLS(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// newCounted is a server that counts the connections to it.
func newCounted(t testing.TB, opened *atomic.Int64, h http.HandlerFunc) (origin string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// A lending is a proxy under test and what it told.
type lending struct {
	*agent.Proxy
	t    testing.TB
	mu   sync.Mutex
	told []diagnosis.Verdict
	seen []profile.Conflict
	said []string
	log  *lockedBuffer
	http *http.Client
}

func lend(t testing.TB, origin string, src agent.Source, change func(*agent.Config)) *lending {
	t.Helper()
	l := &lending{t: t, log: &lockedBuffer{}}
	cfg := agent.Config{
		Provider: agenttest.Provider(t), Agent: agenttest.Profile(t, "claude-code"), Server: serverAt(origin), Needs: agenttest.Needs(t), Source: src,
		OnVerdict:  func(v diagnosis.Verdict) { l.mu.Lock(); l.told = append(l.told, v); l.mu.Unlock() },
		OnConflict: func(c profile.Conflict) { l.mu.Lock(); l.seen = append(l.seen, c); l.mu.Unlock() },
		OnNote:     func(note string) { l.mu.Lock(); l.said = append(l.said, note); l.mu.Unlock() },
		Log:        slog.NewJSONHandler(l.log, nil), LogPath: "/log",
	}
	if change != nil {
		change(&cfg)
	}
	p, err := agent.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.Proxy = p
	l.http = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256}}
	t.Cleanup(func() {
		l.http.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

func (l *lending) verdicts() []diagnosis.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]diagnosis.Verdict{}, l.told...)
}

func (l *lending) notes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.said...)
}

func (l *lending) url(base string) string {
	for _, b := range l.Terms().Bases {
		if b.Name == base {
			return b.URL
		}
	}
	l.t.Fatalf("no base %s", base)
	return ""
}

type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request; each of fields is a Name: value, and LEASE in it is the lease.
func (l *lending) send(method, base, path, body string, fields ...string) answer {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.url(base)+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if body == "" {
		req.Body, req.ContentLength = nil, 0
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, strings.ReplaceAll(value, "LEASE", l.Terms().Lease))
	}
	return l.do(req)
}

func (l *lending) do(req *http.Request) answer {
	l.t.Helper()
	resp, err := l.http.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

const bearer = "Authorization: Bearer LEASE"

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
