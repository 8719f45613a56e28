package agent_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
)

const (
	loadConnections = 64
	// loadShort is enough to see what is dropped; AMBIT_TEST_LOAD=10s has it run longer.
	loadShort = time.Second
	// loadMemory is what the heap may grow by between the middle of a load and its end,
	// in bytes: far less than it would by one request in a thousand that is kept.
	loadMemory = 16 << 20
)

// 64 connections at once, streams among them: every byte arrives, memory stays, and the
// server sees no more than twice the client's connections.
func TestLoad(t *testing.T) {
	length := loadShort
	if text := os.Getenv("AMBIT_TEST_LOAD"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	var opened atomic.Int64
	s := newCounted(t, &opened, loaded)
	l := lend(t, s, &source{current: token("pha_real", everything...)}, func(c *agent.Config) {
		c.Record, c.Log = io.Discard, slog.NewTextHandler(io.Discard, nil) // written, and not kept
	})
	w := way{url: l.url("gateway"), bearer: l.Terms().Lease}
	c := client()
	defer c.CloseIdleConnections()
	hammer(t, c, w, length/2)
	middle := heap()
	hammer(t, c, w, length/2)
	if grown := heap() - middle; grown > loadMemory {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if n := opened.Load(); n > 2*loadConnections {
		t.Errorf("%d connections to the server for %d of the client", n, loadConnections)
	}
	t.Logf("%d requests, %d connections to the server", l.Requests(), opened.Load())
}

func loaded(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	for i := range 4 {
		fmt.Fprintf(w, "data: %d %d\n\n", i, len(body))
		if r.URL.RawQuery == "stream" {
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func hammer(t *testing.T, c *http.Client, w way, length time.Duration) {
	t.Helper()
	want := ""
	for i := range 4 {
		want += fmt.Sprintf("data: %d %d\n\n", i, len(message))
	}
	end := time.Now().Add(length)
	var wg sync.WaitGroup
	for worker := range loadConnections {
		wg.Go(func() {
			for time.Now().Before(end) {
				resp, err := post(t.Context(), c, w, []string{"", "?stream"}[worker%2])
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || string(body) != want {
					t.Errorf("%d %v %q", resp.StatusCode, err, strings.TrimSpace(string(body)))
					return
				}
			}
		})
	}
	wg.Wait()
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
