package agent_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ambit-auth/ambit/agent"
)

// A child that reads no further than the whole of a response, until it is let go.
type patient struct {
	header http.Header
	length int
	got    int
	whole  *sync.WaitGroup // done when the response has come
	leave  chan struct{}
}

func (p *patient) Header() http.Header { return p.header }
func (p *patient) WriteHeader(int)     {}

func (p *patient) Write(text []byte) (int, error) {
	if p.got += len(text); p.got == p.length {
		p.whole.Done()
		<-p.leave
	}
	return len(text), nil
}

// held is how much memory so many requests take whose responses have come and are not at their end.
func held(t *testing.T, l *lending, body []byte, requests int, call string) uint64 {
	t.Helper()
	var whole, over sync.WaitGroup
	leave := make(chan struct{})
	whole.Add(requests)
	for range requests {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, l.url("mcp"), strings.NewReader(call))
		request.Header.Set("Authorization", "Bearer "+l.Terms().Lease)
		over.Go(func() {
			l.ServeHTTP(&patient{header: http.Header{}, length: len(body), whole: &whole, leave: leave}, request)
		})
	}
	whole.Wait()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	close(leave)
	over.Wait()
	return m.HeapAlloc
}

// What is kept of responses and of requests to be looked at has one budget for all of them, however
// many there are at once; what has no room in it passes as it came.
func TestWatchedBodiesShareABudget(t *testing.T) {
	const requests, budget = 2000, 32 << 20
	var body []byte
	var length int64
	transport := sends(func(r *http.Request) *http.Response {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: length, Request: r}
	})
	l := lend(t, "http://us.example", &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Transport = transport })
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + strings.Repeat("x", 50_000) + `"}}`
	body, length = bytes.Repeat([]byte(" "), 60<<10), 1<<20 // by what it says of itself, too long to be an error
	passed := held(t, l, body, requests, "{}")
	body, length = append(bytes.Repeat([]byte(" "), 60<<10), "{}"...), -1
	watched := held(t, l, body, requests, call)
	if more := int64(watched) - int64(passed); more > 2*budget {
		t.Errorf("%d requests at once take %d MiB more where they are looked at", requests, more>>20)
	}
	if told := l.verdicts(); len(told) > 0 {
		t.Errorf("nothing failed: %v", told)
	}
	// When they are over there is room again: an error in a response is told.
	body, length = []byte(toolResult("no", `"mcp/www_authenticate":["Bearer error=\"insufficient_scope\", scope=\"survey:read\""]`)), -1
	l.send("POST", "mcp", "", rpc("tools/call", `{"name":"notebook-edit"}`), bearer)
	if told := l.verdicts(); len(told) != 1 || told[0].Tool != "notebook-edit" {
		t.Errorf("with room again: %v", told)
	}
}

// sends is a transport in one function.
type sends func(*http.Request) *http.Response

func (s sends) RoundTrip(r *http.Request) (*http.Response, error) { return s(r), nil }
