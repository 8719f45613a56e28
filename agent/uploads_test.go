package agent_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// A zeros is an upload of that many bytes.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), z.left)
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	z.left -= n
	return n, nil
}

// An uploadServer reads uploads. Those that come with its stale credential are refused, all at
// once, when so many of them have been read.
type uploadServer struct {
	stale string
	whole int
	full  func() // called before the refusals

	mu     sync.Mutex
	read   int
	held   chan struct{}
	others int // that came with another credential
}

func (s *uploadServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	if r.Header.Get("Authorization") != "Bearer "+s.stale {
		if n > 0 {
			s.others++
		}
		s.mu.Unlock()
		return
	}
	if s.read++; s.read == s.whole {
		s.full()
		close(s.held)
	}
	held := s.held
	s.mu.Unlock()
	<-held
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, agenttest.Silent)
}

func sendAll(l *lending, uploads, size int) (passed int64) {
	var wg sync.WaitGroup
	var refused atomic.Int64
	for range uploads {
		wg.Go(func() {
			request, _ := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url("gateway")+"/v1/messages", &zeros{left: size})
			request.ContentLength = int64(size)
			request.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
			resp, err := l.http.Do(request)
			if err != nil {
				l.t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusUnauthorized {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	return refused.Load()
}

// What uploads are kept has one budget for all of them: those that have no room in it pass, and
// a refusal of theirs passes too. When they are over, there is room again.
func TestUploadsShareABudget(t *testing.T) {
	const uploads, size, kept = 40, 1 << 20, 32
	server := &uploadServer{whole: uploads, full: func() {}}
	l := lend(t, upstream(t, server.ServeHTTP).URL, &source{
		current: token("pha_1", everything...), next: []*credential.Credential{token("pha_2", everything...), token("pha_3", everything...)},
	}, nil)
	for _, stale := range []string{"pha_1", "pha_2"} {
		server.stale, server.read, server.others, server.held = stale, 0, 0, make(chan struct{})
		if refused := sendAll(l, uploads, size); refused != uploads-kept || server.others != kept {
			t.Errorf("%s: %d were repeated, and %d refusals passed; there is room for %d of %d", stale, server.others, refused, kept, uploads)
		}
	}
}

// BenchmarkHeldUploads tells how much memory 64 uploads of 8 MB take while they are held.
func BenchmarkHeldUploads(b *testing.B) {
	for b.Loop() {
		var m runtime.MemStats
		server := &uploadServer{stale: "pha_1", whole: 64, full: func() { runtime.ReadMemStats(&m) }, held: make(chan struct{})}
		l := lend(b, upstream(b, server.ServeHTTP).URL, &source{current: token("pha_1", everything...), next: []*credential.Credential{token("pha_2", everything...)}}, nil)
		sendAll(l, 64, 8_000_000)
		b.ReportMetric(float64(m.HeapSys+m.StackSys)/(1<<20), "MiB")
	}
}

// A lateReader is a transport as net/http's may be on a busy machine: it looks for more of an
// upload when the response is on its way already.
type lateReader struct{ late chan error }

func (l *lateReader) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, io.LimitReader(r.Body, r.ContentLength))
	body := &lateBody{Reader: strings.NewReader(strings.Repeat("x", 1<<20)), read: func() {
		_, err := r.Body.Read(make([]byte, 1))
		l.late <- err
	}}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, ContentLength: -1, Request: r}, err
}

type lateBody struct {
	io.Reader
	read func()
}

func (b *lateBody) Close() error { return nil }

func (b *lateBody) Read(into []byte) (int, error) {
	n, err := b.Reader.Read(into)
	if err == io.EOF {
		b.read()
	}
	return n, err
}

// The end of an upload is its end though the response has begun: else the transport would cut the
// connection, and the child would get half a response.
func TestUploadEndsOnce(t *testing.T) {
	for name, lent := range map[string]*credential.Credential{"kept": token("pha_1", everything...), "not kept": key("phx_real", everything...)} {
		transport := &lateReader{late: make(chan error, 1)}
		l := lend(t, "http://us.example", &source{current: lent}, func(c *agent.Config) { c.Transport = transport })
		got := l.send("POST", "mcp", "", `{"a":1}`, bearer)
		if err := <-transport.late; err != io.EOF || len(got.body) != 1<<20 {
			t.Errorf("%s: %v, %d bytes", name, err, len(got.body))
		}
	}
}
