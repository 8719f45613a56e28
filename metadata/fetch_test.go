package metadata_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
)

// A document can be in three places, and the order is a promise: each place is
// tried only when those before it had nothing.
func TestPlacesInOrder(t *testing.T) {
	tests := map[string]struct {
		path string // of the issuer
		at   string // the place that has the document
		want []string
	}{
		"no path":           {"", oauthPath, []string{oauthPath}},
		"no path, OpenID":   {"", openIDPath, []string{oauthPath, openIDPath}},
		"slash, OpenID":     {"/", openIDPath, []string{oauthPath, openIDPath}},
		"inserted":          {"/t/1", oauthPath + "/t/1", []string{oauthPath + "/t/1"}},
		"inserted, slash":   {"/t/1/", oauthPath + "/t/1", []string{oauthPath + "/t/1"}},
		"OpenID appended":   {"/t/1", "/t/1" + openIDPath, []string{oauthPath + "/t/1", "/t/1" + openIDPath}},
		"OpenID, slash":     {"/t/1/", "/t/1" + openIDPath, []string{oauthPath + "/t/1", "/t/1" + openIDPath}},
		"OpenID inserted":   {"/t/1", openIDPath + "/t/1", []string{oauthPath + "/t/1", "/t/1" + openIDPath, openIDPath + "/t/1"}},
		"an escaped letter": {"/a%2Fb", openIDPath + "/a/b", []string{oauthPath + "/a%2Fb", "/a%2Fb" + openIDPath, openIDPath + "/a%2Fb"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(test.at, sends(serverFields(s.URL+test.path).json(t)))
			c := metadata.Client{}
			as, err := c.AuthorizationServer(context.Background(), s.URL+test.path)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, place := range test.want {
				want = append(want, "GET "+place)
			}
			if diff := cmp.Diff(want, s.requests()); diff != "" {
				t.Error(diff)
			}
			if wantURL := s.URL + test.want[len(test.want)-1]; as.Source.URL != wantURL || as.Source.From != metadata.FromNetwork {
				t.Errorf("source %+v, want %q from the network", as.Source, wantURL)
			}
		})
	}
}

func TestNotThisOneTryTheNext(t *testing.T) {
	elsewhere := newServer(t)
	elsewhere.on("/login", answers(200))
	elsewhere.on("/text", sends([]byte("please sign in"), "Content-Type", "text/plain"))
	tests := map[string]http.HandlerFunc{
		"404":                        answers(404),
		"405":                        answers(405),
		"410":                        answers(410),
		"403 of a gateway":           answers(403),
		"HTML with 200":              answers(200),
		"HTML called JSON":           answers(200, "Content-Type", "application/json"),
		"redirect to a login":        redirects(elsewhere.URL + "/login"),
		"redirect to text elsewhere": redirects(elsewhere.URL + "/text"),
		"redirect to nowhere":        redirects("/gone"),
		"redirect to plain http":     redirects("http://login.example/"),
		"redirects without end":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
	}
	for name, first := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(oauthPath, first)
			s.on(openIDPath, sends(serverFields(s.URL).json(t)))
			c := metadata.Client{}
			as, err := c.AuthorizationServer(context.Background(), s.URL)
			if err != nil {
				t.Fatal(err)
			}
			if as.Source.URL != s.URL+openIDPath {
				t.Errorf("found at %q", as.Source.URL)
			}
		})
	}
}

func TestDocumentBehindRedirectsOrOddTypes(t *testing.T) {
	tests := map[string]func(s *server, raw []byte){
		"text/plain": func(s *server, raw []byte) { s.on(oauthPath, sends(raw, "Content-Type", "text/plain")) },
		"text/html":  func(s *server, raw []byte) { s.on(oauthPath, sends(raw, "Content-Type", "text/html")) },
		"three redirects": func(s *server, raw []byte) {
			s.on(oauthPath, redirects("/1"))
			s.on("/1", redirects("/2"))
			s.on("/2", redirects("/3#part"))
			s.on("/3", sends(raw))
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			prepare(s, serverFields(s.URL).json(t))
			c := metadata.Client{}
			as, err := c.AuthorizationServer(context.Background(), s.URL)
			if err != nil {
				t.Fatal(err)
			}
			if as.Source.URL != s.URL+oauthPath {
				t.Errorf("found at %q", as.Source.URL)
			}
		})
	}
}

func TestNoDocumentAnywhere(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, answers(200))
	c := metadata.Client{}
	_, err := c.AuthorizationServer(context.Background(), s.URL)
	wantError(t, err, guard.KindNotFound, strings.TrimPrefix(s.URL, "http://"), oauthPath+`": a page of HTML`, openIDPath+`": 404 Not Found`)
}

func TestRefusedRedirectIsNamed(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, redirects("http://u:pa55@other.example/"))
	s.on(openIDPath, redirects(openIDPath))
	c := metadata.Client{}
	_, err := c.AuthorizationServer(context.Background(), s.URL)
	wantError(t, err, guard.KindNotFound, "user name or password", "more than three redirects")
	if strings.Contains(err.Error(), "pa55") {
		t.Errorf("%q shows a password", err)
	}
	if diff := cmp.Diff([]string{"GET " + oauthPath, "GET " + openIDPath, "GET " + openIDPath, "GET " + openIDPath, "GET " + openIDPath}, s.requests()); diff != "" {
		t.Error(diff)
	}
}

// A place that fails, or has a list, is passed over, and told; where no other place is of use, what
// was wrong at the first is the error.
func TestFailingPlace(t *testing.T) {
	for name, c := range map[string]struct {
		first http.HandlerFunc
		kind  guard.Kind
		words string
	}{
		"500":    {answers(500), guard.KindStatus, "answered 500 Internal Server Error"},
		"503":    {answers(503, "Retry-After", "90"), guard.KindStatus, "asks to wait 1m30s"},
		"599":    {answers(599), guard.KindStatus, "answered 599"},
		"a list": {sends([]byte(` [{"issuer":"x"}]`)), guard.KindInvalid, "is JSON, but not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			s, client := newServer(t), metadata.Client{Now: newClock().Now}
			s.on(oauthPath, c.first)
			s.on(resourcePath+"/mcp", c.first)
			s.on(openIDPath, sends(serverFields(s.URL).json(t)))
			s.on(resourcePath, sends(fields{"resource": s.URL + "/mcp"}.json(t)))
			as, err := client.AuthorizationServer(context.Background(), s.URL)
			if err != nil {
				t.Fatal(err)
			}
			wantWarning(t, as.Source, c.words, `the document at "`+s.URL+openIDPath+`" is used`)
			pr, err := client.ProtectedResource(context.Background(), s.URL+"/mcp")
			if err != nil {
				t.Fatal(err)
			}
			wantWarning(t, pr.Source, c.words, `the document at "`+s.URL+resourcePath+`" is used`)
			for _, second := range []http.HandlerFunc{answers(404), answers(502), sends([]byte("oops")), sends([]byte("{}"))} {
				s.on(openIDPath, second)
				s.on(resourcePath, second)
				_, err = client.AuthorizationServer(context.Background(), s.URL)
				wantError(t, err, c.kind, c.words)
				_, err = client.ProtectedResource(context.Background(), s.URL+"/mcp")
				wantError(t, err, c.kind, c.words)
			}
		})
	}
}

// faults are servers that have trouble: no other place is asked, but where a status says that this one
// fails, and a document in the cache stands in.
func faults() map[string]struct {
	handle http.HandlerFunc
	kind   guard.Kind
	words  string
} {
	return map[string]struct {
		handle http.HandlerFunc
		kind   guard.Kind
		words  string
	}{
		"500":             {answers(500), guard.KindStatus, "answered 500 Internal Server Error"},
		"503 with a time": {answers(503, "Retry-After", "90"), guard.KindStatus, "asks to wait 1m30s"},
		"429":             {answers(429), guard.KindRateLimited, "answered 429 Too Many Requests"},
		"429 for long":    {answers(429, "Retry-After", "5"), guard.KindRateLimited, "asks to wait 5s, until 2026-10-01T"},
		"408":             {answers(408), guard.KindStatus, "answered 408"},
		"unknown status":  {answers(599), guard.KindStatus, "answered 599"},
		"silence":         {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, guard.KindUnreachable, "no response in time"},
		"silence halfway": {stallHalfway, guard.KindUnreachable, "no response in time"},
		"closed":          {hangUp(false), guard.KindUnreachable, "closed before the response was complete"},
		"reset":           {hangUp(true), guard.KindUnreachable, "reset"},
		"cut":             {cutHalfway, guard.KindUnreachable, "closed before the response was complete"},
		"not HTTP":        {notHTTP, guard.KindUnreachable, "malformed HTTP"},
	}
}

func stallHalfway(w http.ResponseWriter, r *http.Request) {
	w.Write([]byte(`{"issuer":`))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func cutHalfway(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	w.Write([]byte(`{"issuer":`))
}

func hangUp(reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn := hijack(w)
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}

func notHTTP(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	defer conn.Close()
	io.WriteString(conn, "220 \x1b[31mmail server\r\n\r\n")
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

func TestFaultWithoutCache(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(oauthPath, fault.handle)
			c := metadata.Client{Now: newClock().Now}
			if strings.HasPrefix(name, "silence") {
				c.Timeout = 100 * time.Millisecond
			}
			_, err := c.AuthorizationServer(context.Background(), s.URL)
			e := wantError(t, err, fault.kind, strings.TrimPrefix(s.URL, "http://"), fault.words)
			if !e.Temporary() {
				t.Error("not said to be temporary")
			}
			wantPrintable(t, err.Error())
			for _, asked := range s.requests() {
				if asked != "GET "+oauthPath && e.Status < 500 {
					t.Errorf("asked %q of a server in trouble", asked)
				}
			}
		})
	}
}

func TestFaultWithCache(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			s, clock := newServer(t), newClock()
			s.on(oauthPath, sends(serverFields(s.URL).json(t)))
			c := metadata.Client{Now: clock.Now, CacheDir: t.TempDir()}
			if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
				t.Fatal(err)
			}
			clock.advance(90 * 24 * time.Hour) // of any age
			s.on(oauthPath, fault.handle)
			if strings.HasPrefix(name, "silence") {
				c.Timeout = 100 * time.Millisecond
			}
			as, err := c.AuthorizationServer(context.Background(), s.URL)
			if err != nil {
				t.Fatal(err)
			}
			if !as.Source.Stale || as.Source.From != metadata.FromCache || as.Source.Age != 90*24*time.Hour || as.TokenEndpoint != s.URL+"/token" {
				t.Errorf("source %+v", as.Source)
			}
			wantWarning(t, as.Source, strings.TrimPrefix(s.URL, "http://"), "continuing with the document read 2160h0m0s ago")
			wantPrintable(t, as.Source.Warnings[0])
		})
	}
}

func TestServerDown(t *testing.T) {
	s := newServer(t)
	s.Close()
	c := metadata.Client{}
	_, err := c.AuthorizationServer(context.Background(), s.URL)
	wantError(t, err, guard.KindUnreachable, strings.TrimPrefix(s.URL, "http://"), "refused")
}

// A document that is wrong is not trouble of the server that will pass: it is told,
// although another place or the cache would have one.
func TestBrokenDocumentIsNotCoveredUp(t *testing.T) {
	broken := map[string]struct {
		handle http.HandlerFunc
		kind   guard.Kind
		words  []string
	}{
		"wrong shape": {sends([]byte(`{"issuer":"https://evil.example"}`)), guard.KindInvalid, []string{oauthPath, "issuer is"}},
		"not JSON":    {sends([]byte(`oops`)), guard.KindInvalid, []string{"is not JSON"}},
		"empty":       {sends(nil), guard.KindInvalid, []string{"is empty"}},
		"204":         {answers(204), guard.KindStatus, []string{"answered 204"}},
		"304 unasked": {answers(304), guard.KindStatus, []string{"answered 304"}},
		"too large":   {sends(bytes.Repeat([]byte(" "), guard.MaxDocument+1)), guard.KindInvalid, []string{"larger than 1048576 bytes"}},
		"gzip bomb":   {gzipBomb, guard.KindInvalid, []string{"larger than 1048576 bytes"}},
		"brotli":      {sends([]byte("\x0b\x02\x80{}\x03"), "Content-Encoding", "br"), guard.KindInvalid, []string{`packed as "br"`}},
	}
	for name, test := range broken {
		t.Run(name, func(t *testing.T) {
			s, clock := newServer(t), newClock()
			good := sends(serverFields(s.URL).json(t))
			s.on(oauthPath, good)
			s.on(openIDPath, good)
			c := metadata.Client{Now: clock.Now, CacheDir: t.TempDir()}
			if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
				t.Fatal(err)
			}
			clock.advance(time.Hour)
			s.on(oauthPath, test.handle)
			_, err := c.AuthorizationServer(context.Background(), s.URL)
			if e := wantError(t, err, test.kind, test.words...); e.Host != strings.TrimPrefix(s.URL, "http://") {
				t.Errorf("host %q", e.Host)
			}

			s.on(openIDPath, answers(404))
			s.on(oauthPath, answers(500)) // what is in the cache is still the good one
			if as, err := c.AuthorizationServer(context.Background(), s.URL); err != nil || !as.Source.Stale {
				t.Errorf("the cache was spoiled: %v", err)
			}
		})
	}
}

// gzipBomb is a valid document of 64 MiB in some 64 KiB.
func gzipBomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	defer packed.Close()
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 64 {
		if _, err := packed.Write(blanks); err != nil {
			return
		}
	}
}

func TestGzipIsRead(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		packed.Write(serverFields(s.URL).json(t))
		packed.Close()
	})
	c := metadata.Client{}
	if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
		t.Error(err)
	}
}

// Ctrl-C is not a server in trouble: the cache does not stand in.
func TestCanceled(t *testing.T) {
	s, clock := newServer(t), newClock()
	s.on(oauthPath, sends(serverFields(s.URL).json(t)))
	c := metadata.Client{Now: clock.Now, CacheDir: t.TempDir()}
	if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	s.on(oauthPath, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	_, err := c.AuthorizationServer(ctx, s.URL)
	wantError(t, err, guard.KindCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
}

func TestBadQuestionSendsNothing(t *testing.T) {
	s := newServer(t)
	c := metadata.Client{}
	_, err := c.AuthorizationServer(context.Background(), s.URL+"?x=1")
	wantError(t, err, guard.KindUsage, "has a query")
	_, err = c.ProtectedResource(context.Background(), s.URL+"#x")
	wantError(t, err, guard.KindUsage, "fragment")
	if asked := s.requests(); asked != nil {
		t.Errorf("asked %q", asked)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, sends(serverFields(s.URL).json(t), "Cache-Control", "max-age=0"))
	c := metadata.Client{CacheDir: t.TempDir()}
	done := make(chan error)
	for range 8 {
		go func() {
			as, err := c.AuthorizationServer(context.Background(), s.URL)
			if err == nil && as.Source.Warnings != nil {
				err = errors.New(as.Source.Warnings[0])
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
