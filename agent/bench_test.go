package agent_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
)

// A bench is a server, and the ways to reach it that are compared.
type bench struct {
	opened atomic.Int64 // connections that the server saw
	ways   []way
}

type way struct {
	name, url, bearer string
}

// newBench sets up the server, a well-tuned reverse proxy, and ours with a log file and
// an upload that is kept.
func newBench(b *testing.B, h http.HandlerFunc) *bench {
	b.Helper()
	s := &bench{}
	origin := newCounted(b, &s.opened, h)
	plain := httptest.NewServer(plainProxy(origin))
	b.Cleanup(plain.Close)
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	src := &source{current: token("pha_good", "llm_gateway:read", "user:read", "query:read", "notebook:write")}
	l := lend(b, origin, src, func(c *agent.Config) { c.Log = slog.NewJSONHandler(file, nil) })
	s.ways = []way{
		{"direct", origin + "/wizard", "pha_good"},
		{"reverseproxy", plain.URL + "/wizard", "pha_good"},
		{"ambit", l.url("gateway"), l.Terms().Lease},
	}
	return s
}

// plainProxy is what a careful person makes of the standard library.
func plainProxy(origin string) http.Handler {
	target, _ := url.Parse(origin)
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression, t.MaxIdleConns, t.MaxIdleConnsPerHost = true, 0, 256
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: t, BufferPool: &pages{}, ErrorLog: log.New(io.Discard, "", 0),
	}
}

type pages struct{ pool sync.Pool }

func (p *pages) Get() []byte {
	if page, ok := p.pool.Get().(*[32 << 10]byte); ok {
		return page[:]
	}
	return make([]byte, 32<<10)
}
func (p *pages) Put(page []byte) { p.pool.Put((*[32 << 10]byte)(page)) }

// message is as long as what an agent sends in a small conversation.
var message = strings.Repeat("x", 4<<10)

func post(ctx context.Context, c *http.Client, w way, query string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", w.url+"/v1/messages"+query, strings.NewReader(message))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+w.bearer)
	req.Header.Set("Content-Type", "application/json")
	return c.Do(req)
}

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256}}
}

func answerOnce(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"type":"message","content":[]}`))
}

func (w way) once(b *testing.B, c *http.Client) {
	resp, err := post(b.Context(), c, w, "")
	if err != nil {
		b.Error(err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Errorf("%d %v", resp.StatusCode, err)
	}
}

// burst is how many requests one way makes before the next has its turn: whatever else
// the machine does then slows all of them.
const burst = 512

// BenchmarkThroughput16 is requests a second at 16 connections, ours as a part of the
// plain proxy's, and how many connections the server saw for each of the client's.
func BenchmarkThroughput16(b *testing.B) {
	s := newBench(b, answerOnce)
	took := make([]time.Duration, len(s.ways))
	opened := make([]int64, len(s.ways))
	clients := []*http.Client{client(), client(), client()}
	rounds := 0
	for b.Loop() {
		rounds++
		for i, w := range s.ways {
			before, start := s.opened.Load(), time.Now()
			in16(burst, func() { w.once(b, clients[i]) })
			took[i] += time.Since(start)
			opened[i] += s.opened.Load() - before
		}
	}
	for i, w := range s.ways {
		clients[i].CloseIdleConnections()
		b.ReportMetric(float64(rounds*burst)/took[i].Seconds(), "req/s-"+w.name)
	}
	b.ReportMetric(float64(opened[2])/16, "upstream/client-conns")
	b.ReportMetric(float64(took[1])/float64(took[2]), "ambit/reverseproxy")
}

// in16 does something n times, by 16 at once.
func in16(n int, do func()) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				do()
			}
		})
	}
	wg.Wait()
}

// BenchmarkLatency1 is the median of one request after the other, and what ours adds as
// a multiple of what the plain proxy adds.
func BenchmarkLatency1(b *testing.B) {
	s := newBench(b, answerOnce)
	c := client()
	defer c.CloseIdleConnections()
	took := make([][]time.Duration, len(s.ways))
	for b.Loop() {
		for i, w := range s.ways {
			start := time.Now()
			w.once(b, c)
			took[i] = append(took[i], time.Since(start))
		}
	}
	report(b, s.ways, took, "median")
	direct := median(took[0])
	b.ReportMetric(float64(median(took[2])-direct)/float64(median(took[1])-direct), "added/added-by-reverseproxy")
}

func report(b *testing.B, ways []way, took [][]time.Duration, what string) {
	for i, w := range ways {
		b.ReportMetric(float64(median(took[i]).Nanoseconds())/1000, "µs-"+what+"-"+w.name)
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

const (
	events     = 200
	eventPause = 2 * time.Millisecond
)

// streamer sends events that say when they were sent.
func streamer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	tick := time.NewTicker(eventPause)
	defer tick.Stop()
	for range events {
		fmt.Fprintf(w, "data: %d\n\n", time.Now().UnixNano())
		if control.Flush() != nil {
			return
		}
		<-tick.C
	}
}

// readStream reads a stream to its end and returns the delay of each event.
func readStream(ctx context.Context, c *http.Client, w way) ([]time.Duration, error) {
	resp, err := post(ctx, c, w, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var delays []time.Duration
	scan := bufio.NewScanner(resp.Body)
	for scan.Scan() {
		var sent int64
		if _, err := fmt.Sscanf(scan.Text(), "data: %d", &sent); err == nil {
			delays = append(delays, time.Since(time.Unix(0, sent)))
		}
	}
	if len(delays) != events {
		return nil, fmt.Errorf("%d events of %d: %v", len(delays), events, scan.Err())
	}
	return delays, nil
}

// BenchmarkStreamEvents is the median delay of an event at 16 streams of 200.
func BenchmarkStreamEvents(b *testing.B) {
	s := newBench(b, streamer)
	c := client()
	defer c.CloseIdleConnections()
	delays := make([][]time.Duration, len(s.ways))
	for b.Loop() {
		for i, w := range s.ways {
			var mu sync.Mutex
			in16(16, func() {
				got, err := readStream(b.Context(), c, w)
				if err != nil {
					b.Error(err)
				}
				mu.Lock()
				delays[i] = append(delays[i], got...)
				mu.Unlock()
			})
		}
	}
	report(b, s.ways, delays, "event")
}

// BenchmarkFirstEvent is the time to the first event of a stream, one after the other.
func BenchmarkFirstEvent(b *testing.B) {
	s := newBench(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // nothing more comes: a proxy that waits for more is seen
	})
	c := client()
	defer c.CloseIdleConnections()
	took := make([][]time.Duration, len(s.ways))
	for b.Loop() {
		for i, w := range s.ways {
			took[i] = append(took[i], firstEvent(b, c, w))
		}
	}
	report(b, s.ways, took, "first")
	b.ReportMetric(float64(median(took[2]))/float64(median(took[0])), "ambit/direct")
}

func firstEvent(b *testing.B, c *http.Client, w way) time.Duration {
	start := time.Now()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	resp, err := post(ctx, c, w, "")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || line != "data: first\n" {
		b.Fatal(line, err)
	}
	return time.Since(start)
}

// BenchmarkFirstRefusal is the time from the first 401 of a scope that is known to be
// missing to the verdict: what the child waits for its answer is longer.
func BenchmarkFirstRefusal(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"detail":"Authentication required"}`)
	}))
	defer s.Close()
	var took []time.Duration
	for b.Loop() {
		var verdict time.Time
		l := lend(b, s.URL, &source{current: key("phx_a", "user:read")}, func(c *agent.Config) {
			c.OnVerdict = func(diagnosis.Verdict) { verdict = time.Now() }
		})
		start := time.Now()
		l.send("POST", "gateway", "/v1/messages", message, bearer)
		if verdict.IsZero() {
			b.Fatal("no verdict")
		}
		took = append(took, verdict.Sub(start))
		_ = l.Close()
	}
	b.ReportMetric(float64(median(took).Microseconds()), "µs-median")
}
