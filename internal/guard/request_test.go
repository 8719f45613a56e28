package guard_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
)

// A body that is copied arrives whole or is an error; one beyond the limit is not cut.
func TestCopy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "0123456789") }))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	response, err := (&guard.Requester{}).Copy(&got, request, 10)
	if err != nil || got.String() != "0123456789" || response.Body != nil {
		t.Errorf("%q, %v", got.String(), err)
	}
	_, err = (&guard.Requester{}).Copy(io.Discard, request, 9)
	if large, ok := errors.AsType[files.TooLargeError](err); !ok || large != 9 {
		t.Errorf("too large: %v", err)
	}
	if _, err = (&guard.Requester{}).Copy(full{}, request, 10); !errors.Is(err, errFull) {
		t.Errorf("a disk that is full: %v", err)
	}
}

// What was sent, and what not, is known: only the first may have come to pass.
func TestUnsent(t *testing.T) {
	silent := func(w http.ResponseWriter, _ *http.Request) {
		line, _, _ := w.(http.Hijacker).Hijack()
		line.Close()
	}
	server := httptest.NewServer(http.HandlerFunc(silent))
	defer server.Close()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer busy.Close()
	dial := func(err error) *http.Client {
		return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err }}}
	}
	for name, c := range map[string]struct {
		url    string
		client *http.Client
		unsent bool
	}{
		"no response":                {server.URL, nil, false},
		"nobody there":               {server.URL, dial(&net.OpError{Op: "dial", Err: errFull}), true},
		"ended while it connects":    {server.URL, dial(context.Canceled), true},
		"too slow to connect":        {server.URL, dial(context.DeadlineExceeded), true},
		"cut in the handshake":       {strings.Replace(server.URL, "http:", "https:", 1), nil, true},
		"ended while a server waits": {busy.URL, nil, true},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader("spent"))
		if err != nil {
			t.Fatal(err)
		}
		requester := guard.Requester{HTTP: c.client, Wait: func(context.Context, time.Duration) error { return context.Canceled }}
		_, err = requester.Do(request, 10)
		if e, ok := errors.AsType[*guard.Error](err); !ok || e.Unsent != c.unsent {
			t.Errorf("%s: %#v", name, err)
		}
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
