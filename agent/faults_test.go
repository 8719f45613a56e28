package agent_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
)

// raw is a server that answers every request with these bytes, and closes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// seenBy is what a client gets through a proxy: status, body and how it ended.
func seenBy(t *testing.T, w way) string {
	t.Helper()
	c := client()
	defer c.CloseIdleConnections()
	resp, err := post(t.Context(), c, w, "")
	if err != nil {
		return "no answer"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ended := "well"
	if err != nil {
		ended = "cut"
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body), " ", ended)
}

// Whatever goes wrong at the server, the child gets what a plain proxy gives it.
func TestFaultsPassAsThroughAPlainProxy(t *testing.T) {
	for name, answer := range map[string]string{
		"cut in the middle":      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"cut in a stream":        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: x\n\r\n",
		"cut in a chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\ndata",
		"endless by its header":  "HTTP/1.1 200 OK\r\n\r\nno length",
		"a server's own fault":   "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
		"nothing but a status":   "HTTP/1.1 204 No Content\r\n\r\n",
		"a refusal that is cut":  "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{\"half\":",
		"a refusal of no length": "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	} {
		origin := raw(t, answer)
		plain := httptest.NewServer(plainProxy(origin))
		l := lend(t, origin, &source{current: token("pha_real", everything...)}, func(c *agent.Config) { c.Agent = agenttest.Profile(t, "any-command") })
		want := seenBy(t, way{url: plain.URL + "/wizard"})
		if got := seenBy(t, way{url: l.url("gateway"), bearer: l.Terms().Lease}); got != want {
			t.Errorf("%s: %q, the plain proxy %q", name, got, want)
		}
		plain.Close()
	}
}

// A refusal whose body does not come is told all the same, and what there is passes.
func TestRefusalWithoutAnEnd(t *testing.T) {
	release := make(chan struct{})
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":`)
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, `"late"}`)
	})
	told := make(chan struct{})
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(c *agent.Config) {
		c.Agent = agenttest.Profile(t, "any-command")
		c.OnVerdict = func(diagnosis.Verdict) { close(told) }
	})
	go func() { <-told; close(release) }()
	if got := l.send("POST", "gateway", "/v1/messages", "x", bearer); got.status != 403 || got.body != `{"detail":"late"}` {
		t.Errorf("%+v", got)
	}
}

// Closing does not wait for a stream without an end.
func TestCloseCutsWhatRuns(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	l := lend(t, s.URL, &source{current: key("phx_real")}, nil)
	resp := l.open(t.Context(), "POST", strings.NewReader("x"))
	defer resp.Body.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stream ended well")
	}
}
