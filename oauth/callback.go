package oauth

import (
	"context"
	"crypto/subtle"
	"io"
	"log"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The callback serves the browser: the start page, and the way back with the response.
// Every other request (another method, path or host, a state that is not ours) is
// refused and changes nothing, since any page in any browser can send one here.
type callback struct {
	at        *loopback
	current   *atomic.Pointer[attempt]
	start     func(authorizationURL string) http.Handler
	responses chan<- authorizationResponse
	over      context.Context // ends with the login
}

// ServeHTTP implements [http.Handler].
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	attempt := c.current.Load()
	switch {
	case r.Host != c.at.host(): // DNS rebinding, or a loopback sibling that nobody registered
		refuse(w, http.StatusMisdirectedRequest, "This server answers only to "+c.at.host()+".")
	case r.URL.Path == c.at.path():
		c.serveResponse(w, r, attempt)
	case subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(c.at.start)) != 1:
		refuse(w, http.StatusNotFound, "There is nothing here.")
	case onlyGet(w, r):
		c.serveStart(w, r, attempt)
	}
}

func (c *callback) serveStart(w http.ResponseWriter, r *http.Request, attempt *attempt) {
	if c.start == nil {
		http.Redirect(w, r, attempt.url, http.StatusSeeOther)
		return
	}
	c.start(attempt.url).ServeHTTP(w, r)
}

// serveResponse hands the response over and holds the request until there is a page that
// tells what came of it.
func (c *callback) serveResponse(w http.ResponseWriter, r *http.Request, attempt *attempt) {
	if !onlyGet(w, r) {
		return
	}
	got, err := readResponse(r.URL.RawQuery, attempt)
	if err != nil {
		refuse(w, http.StatusBadRequest, "This response is not accepted: "+err.Error()+". The login still waits for its own.")
		return
	}
	if !attempt.answered.CompareAndSwap(false, true) {
		refuse(w, http.StatusGone, "This login has already had its response.")
		return
	}
	got.page, got.delivered = make(chan http.Handler, 1), make(chan struct{})
	defer close(got.delivered)
	select {
	case c.responses <- got:
	case <-c.over.Done():
		refuse(w, http.StatusServiceUnavailable, "The login is over.")
		return
	}
	select {
	case page := <-got.page:
		page.ServeHTTP(w, r)
	case <-c.over.Done():
		refuse(w, http.StatusServiceUnavailable, "The login is over.")
	}
}

// secure sets what every page of ours wants. A page that has styles widens the policy
// by itself. The URL holds a code, so it goes nowhere as a referrer, and is not kept.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func onlyGet(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet {
		return true
	}
	w.Header().Set("Allow", http.MethodGet)
	refuse(w, http.StatusMethodNotAllowed, "Only GET is served here.")
	return false
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

const (
	// headerTimeout is for a browser on the same machine; it keeps a silent connection
	// from staying.
	headerTimeout = 5 * time.Second
	// maxHeader holds the longest response that is believed in: a code of maxToken, and
	// a browser's own fields.
	maxHeader = 64 << 10
	// pageTimeout bounds the delivery of the last page.
	pageTimeout = 5 * time.Second
	// closeTimeout is for connections that the browser opened in advance and never
	// used, which a graceful end would wait for.
	closeTimeout = 250 * time.Millisecond
)

// A pageServer serves one handler on the loopback listeners.
type pageServer struct {
	server *http.Server
	at     *loopback
	wait   sync.WaitGroup
}

func servePages(at *loopback, pages http.Handler) *pageServer {
	s := &pageServer{at: at}
	s.server = &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it would write to the terminal
	}
	for _, listener := range at.listeners {
		s.wait.Go(func() { _ = s.server.Serve(listener) }) // ends with [pageServer.stop]
	}
	return s
}

// stop lets the pages that are under way arrive, and then ends everything.
func (s *pageServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close()
	}
	s.at.close()
	s.wait.Wait()
}
