package metadata_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
)

const (
	oauthPath    = "/.well-known/oauth-authorization-server"
	openIDPath   = "/.well-known/openid-configuration"
	resourcePath = "/.well-known/oauth-protected-resource"
)

// server is an HTTP server whose paths can be given other handlers between
// requests, and that remembers what it was asked.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	asked    []string
	headers  []http.Header
}

func newServer(t *testing.T) *server {
	t.Helper()
	return start(t, newPlain)
}

func start(t testing.TB, open func(http.Handler) *httptest.Server) *server {
	s := &server{handlers: make(map[string]http.HandlerFunc)}
	s.Server = open(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.RequestURI)
		s.headers = append(s.headers, r.Header.Clone())
		handle := s.handlers[r.URL.Path]
		s.mu.Unlock()
		if handle == nil {
			http.NotFound(w, r)
			return
		}
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) on(path string, handle http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path] = handle
}

// requests returns what was asked since the last call.
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *server) lastHeader() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.headers[len(s.headers)-1]
}

// fields is a document to be; serverFields is the smallest valid one.
type fields map[string]any

func serverFields(issuer string) fields {
	return fields{
		"issuer":                   issuer,
		"authorization_endpoint":   issuer + "/authorize",
		"token_endpoint":           issuer + "/token",
		"response_types_supported": []string{"code"},
	}
}

// with returns a copy in which changes are made; a nil takes the field away.
func (f fields) with(changes fields) fields {
	changed := maps.Clone(f)
	for name, value := range changes {
		changed[name] = value
		if value == nil {
			delete(changed, name)
		}
	}
	return changed
}

func (f fields) json(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sends answers with a JSON document; headers are name, value, name, value.
func sends(raw []byte, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Write(raw)
	}
}

// answers sends a status, with headers, and a short HTML page.
func answers(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		w.Write([]byte("\n<!doctype html><title>Sign in</title>"))
	}
}

func redirects(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// clock is a time that a test moves by hand.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// wantError checks the kind and that the text names each of the words.
func wantError(t *testing.T, err error, kind guard.Kind, words ...string) *guard.Error {
	t.Helper()
	e, ok := errors.AsType[*guard.Error](err)
	if !ok {
		t.Fatalf("got %v (%T), want a metadata.Error", err, err)
	}
	if e.Kind != kind {
		t.Errorf("kind %q, want %q: %v", e.Kind, kind, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	return e
}

// wantWarning checks that exactly one warning names all of the words.
func wantWarning(t *testing.T, source metadata.Source, words ...string) {
	t.Helper()
	if len(source.Warnings) != 1 {
		t.Fatalf("warnings %q, want one", source.Warnings)
	}
	for _, word := range words {
		if !strings.Contains(source.Warnings[0], word) {
			t.Errorf("warning %q does not say %q", source.Warnings[0], word)
		}
	}
}
