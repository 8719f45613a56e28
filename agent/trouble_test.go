package agent_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/guard"
)

// closedPort is an address of this machine at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// through is a transport of ours that uses a proxy.
func through(t *testing.T, proxy string) http.RoundTripper {
	t.Helper()
	transport, err := agent.NewTransport(guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
	return transport
}

// silent is a server that takes connections, and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

// impatient is a transport of ours that waits for no handshake.
func impatient(t *testing.T) http.RoundTripper {
	t.Helper()
	transport, err := agent.NewTransport(guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	transport.TLSHandshakeTimeout = time.Millisecond
	return transport
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server that does not answer is told at once, with the cause, in the shape that the clients of
// the base show; and with the status at which the agent stops, where to repeat the request does not
// help.
func TestUnreachable(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for name, tt := range map[string]struct {
		origin       string
		transport    http.RoundTripper
		status       int
		says, advice string
	}{
		"refused":       {closedPort(t), nil, 451, "connection refused", "HTTPS_PROXY"},
		"closed":        {raw(t, ""), nil, 502, "the connection was closed before the response was complete", "the server was reached"},
		"garbage":       {raw(t, "\x00\x01 sk-secret\r\n\r\n"), nil, 502, "malformed HTTP", "the server was reached"},
		"half a header": {raw(t, "HTTP/1.1 200 OK\r\nContent-Ty"), nil, 502, "malformed", "the server was reached"},
		"reset": {"http://far.example", roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
		}), 502, "connection reset", "the server was reached"},
		"an old certificate": {"https://far.example", roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}
		}), 451, "expired", "clock"},
		"another's certificate": {"https://far.example", roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a.example"}}, Host: "far.example"}}
		}), 451, "valid for a.example", "clock"},
		"a certificate": {secure.URL, nil, 451, "certificate", "--ca-file"},
		"a handshake":   {strings.Replace(silent(t), "http:", "https:", 1), impatient(t), 504, "TLS handshake timeout", "HTTPS_PROXY"},
		"the proxy":     {"http://far.example", through(t, closedPort(t)), 451, "through the proxy that the environment names: connect: connection refused", "HTTPS_PROXY"},
		"a name": {"http://far.example", roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "far.example"}}
		}), 451, "lookup far.example: no such host", "address"},
		"too slow": {"http://far.example", roundTrip(func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }), 504, "no response in time", "HTTPS_PROXY"},
	} {
		l := lend(t, tt.origin, &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Transport = tt.transport })
		var got answer
		for range 3 {
			got = l.send("POST", "gateway", "/v1/messages", "x", bearer)
		}
		if got.status != tt.status || !strings.HasPrefix(got.body, `{"type": "error", "error": {"type": "api_error", "message": "unreachable: base gateway: `) || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s: %+v", name, got)
		}
		l.send("GET", "api", "/x", "", bearer)
		told := l.verdicts()
		if len(told) != 2 || told[1].Base != "api" {
			t.Fatalf("%s: it is told once for each base: %+v", name, told)
		}
		v := told[0]
		if v.Cause != diagnosis.CauseUnreachable || v.Confidence != diagnosis.ConfidenceProved || v.Decides() || !strings.Contains(v.Message, tt.says) || strings.Contains(v.Message, "secret") {
			t.Errorf("%s: %+v", name, v)
		}
		if len(v.Next) != 1 || !strings.Contains(v.Next[0].Text, tt.advice) {
			t.Errorf("%s: next %+v", name, v.Next)
		}
	}
}

// Who goes away, or does not send what was promised, is no trouble of the server.
func TestTroubleOfTheChildIsNotTheServers(t *testing.T) {
	arrived := make(chan struct{}, 2)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	req, err := http.NewRequestWithContext(ctx, "GET", l.url("api")+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
	if resp, err := l.http.Do(req); err == nil {
		resp.Body.Close()
		t.Error("it was answered")
	}
	where, err := url.Parse(l.url("api") + "/y")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", where.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", where.Path, where.Host, l.Terms().Lease)
	_, _ = io.ReadAll(conn)
	_ = l.Close() // what runs comes to its end
	if told := l.verdicts(); len(told) != 0 {
		t.Errorf("%+v", told)
	}
}

// Trouble that lasts is told once for each base: agents repeat such requests in silence.
func TestTroubleThatLasts(t *testing.T) {
	status := 429
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(status)
	})
	c := &clock{}
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(cfg *agent.Config) { cfg.Now = c.now })
	call := func(base string, code int, after time.Duration) int {
		status = code
		c.forward(after)
		if got := l.send("POST", base, "/v1/messages", "x", bearer); got.status != code || got.header.Get("Retry-After") != "30" {
			t.Errorf("%+v", got)
		}
		return len(l.verdicts())
	}
	for i, step := range []struct {
		base  string
		code  int
		after time.Duration
		told  int
	}{
		{"gateway", 429, 0, 0},
		{"gateway", 529, 19 * time.Second, 0},
		{"gateway", 200, time.Second, 0}, // it is over
		{"gateway", 429, time.Minute, 0},
		{"api", 503, 0, 0},
		{"gateway", 500, 10 * time.Second, 0},
		{"gateway", 429, 10 * time.Second, 1},
		{"gateway", 429, time.Minute, 1},
		{"api", 503, 0, 2},
	} {
		if got := call(step.base, step.code, step.after); got != step.told {
			t.Errorf("step %d: %d told, want %d", i, got, step.told)
		}
	}
	v := l.verdicts()[0]
	const last = "not a scope problem: base gateway has answered 429 Too Many Requests for 1m20s, to each of 4 requests, and asks to wait 30s"
	if now := l.Latest(v); now.Message != last || l.Verdicts()[0].Message != last {
		t.Errorf("%+v", now)
	}
	if v.Message != "not a scope problem: base gateway has answered 429 Too Many Requests for 20s, to each of 3 requests, and asks to wait 30s" ||
		v.Cause != diagnosis.CauseNotAScopeProblem || v.Status != 429 || v.Decides() {
		t.Errorf("%+v", v)
	}
}

// A server that fails over a scope, and names it, is in no trouble of its own.
func TestFailsOverAScope(t *testing.T) {
	const body = `{"error":"insufficient_scope","scope":"llm_gateway:read"}`
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, body)
	})
	c := &clock{}
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(cfg *agent.Config) { cfg.Now = c.now })
	for range 4 {
		if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != http.StatusInternalServerError || got.body != body {
			t.Errorf("%+v", got)
		}
		c.forward(15 * time.Second)
	}
	if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope || told[0].Missing[0] != "llm_gateway:read" {
		t.Errorf("%+v", told)
	}
}

// A server that takes a request and does not respond is told of, once, and the request goes on: it
// may be a slow model. A response that came in time is none, and a listener waits for what may
// never come.
func TestSilence(t *testing.T) {
	respond := make(chan bool)
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-respond
		}
	})
	timers := make(chan func(), 10)
	stopped := make(chan bool, 10)
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(cfg *agent.Config) {
		cfg.After = func(d time.Duration, f func()) func() bool {
			if d != 20*time.Second {
				t.Errorf("told after %s", d)
			}
			timers <- f
			return func() bool { stopped <- true; return true }
		}
	})
	l.send("GET", "gateway", "/x", "", bearer)
	<-timers
	<-stopped
	l.send("GET", "gateway", "/events", "", bearer, "Accept: text/event-stream")
	if len(timers) != 0 {
		t.Error("somebody waits for an event")
	}
	for range 2 {
		done := make(chan answer)
		go func() { done <- l.send("POST", "gateway", "/v1/messages", "x", bearer) }()
		(<-timers)()
		if told := l.verdicts(); len(told) != 1 {
			t.Errorf("%+v", told)
		}
		respond <- true
		if got := <-done; got.status != http.StatusOK {
			t.Errorf("%+v", got)
		}
	}
	v := l.verdicts()[0]
	if v.Message != "not a scope problem: base gateway has not responded for 20s; ambit goes on waiting" || v.Status != 0 || v.Decides() || len(l.Verdicts()) != 1 {
		t.Errorf("%+v", v)
	}
}

// What came without the lease is counted apart from what came with it.
func TestTraffic(t *testing.T) {
	s := upstream(t, func(http.ResponseWriter, *http.Request) {})
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, nil)
	l.send("GET", "api", "/x", "", bearer)
	l.send("GET", "api", "/x", "", "Authorization: Bearer other")
	l.send("HEAD", "api", "/x", "")
	l.send("GET", "api", "/x", "")
	req, err := http.NewRequestWithContext(t.Context(), "GET", strings.TrimSuffix(l.url("api"), "api")+"v1/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	l.do(req)
	// With the lease, and refused here: the child does use what it was lent.
	l.send("GET", "api", "/x", "", bearer, "Host: host.example:1")
	l.send("GET", "api", "/x", "", "Host: host.example:1", "X-Own: "+l.Terms().Lease)
	l.send("GET", "api", "/x", "", "Host: host.example:2")
	l.send("GET", "api", "/%2e%2e/x", "", bearer)
	if notes := l.notes(); len(notes) != 3 || notes[0] != "a request for /{secret}/v1/messages came to ambit, which is not below one of the bases, and got a 404" ||
		!strings.HasPrefix(notes[1], "a request with the lease went to host host.example:1: ambit serves 127.0.0.1:") ||
		notes[2] != "a request with the lease went to a path that leads out of base api" {
		t.Errorf("%q", notes)
	}
	if got, want := l.Traffic(), (diagnosis.Traffic{Lent: 4, Others: 1, Bare: 2, Astray: 1}); got != want {
		t.Errorf("%+v", got)
	}
}
