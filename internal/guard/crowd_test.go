package guard_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ambit-auth/ambit/internal/guard"
)

// Whoever opens many connections and sends no request keeps nobody out, and holds no more than the
// limit; the oldest goes first, and those between two requests stay as long as there are others.
func TestBoundWaiting(t *testing.T) {
	const limit, crowd = 8, 50
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	guard.BoundWaiting(server.Config, limit)
	server.Start()
	t.Cleanup(server.Close)
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	asks := func(conn net.Conn) string {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err.Error()
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err.Error()
		}
		text, _ := io.ReadAll(response.Body)
		return string(text)
	}
	between := dial()
	if got := asks(between); got != "here" {
		t.Fatal(got)
	}
	var waiting []net.Conn
	for range crowd {
		conn := dial()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX: "); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, conn)
	}
	if got := asks(dial()); got != "here" {
		t.Errorf("among the crowd: %s", got)
	}
	for _, conn := range waiting[:crowd-limit] { // each was told to go, or this waits for ever
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a connection that waited too long got something")
		}
	}
	if got := asks(between); got != "here" {
		t.Errorf("between two requests: %s", got)
	}
}
