package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
)

// The callback serves the browser: the start page, and the way back with the response.
// Every other request (another method, path or host, a state that is not ours) is
// refused and changes nothing, since any page in any browser can send one here.
type callback struct {
	at        *loopback
	current   *atomic.Pointer[attempt]
	start     func(authorizationURL string) http.Handler
	responses chan<- authorizationResponse
	tell      func(refused)   // at the terminal, what is not taken; it may not wait
	over      context.Context // ends with the login

	mu    sync.Mutex
	guest string               // cookie of the browser that has the start page; "" before the first visit
	told  map[string]bool      // what the terminal has heard of
	taken map[string]*lastPage // the page of each response that was taken, by the response
}

// A refused is what the callback does not take.
type refused struct {
	what     string
	reported string // words of the request, which no page repeats
	pastable bool   // the same would be taken from a person, who knows which login it is of
}

// ServeHTTP implements [http.Handler].
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	attempt := c.current.Load()
	stranger, _ := r.Context().Value(strangerKey{}).(string)
	switch {
	case stranger != "":
		c.refuseStranger(w, r, stranger)
	case r.Host != c.at.host(): // DNS rebinding, or a loopback sibling that nobody registered
		c.refuseElsewhere(w, r, http.StatusMisdirectedRequest, "this server answers only to "+c.at.host())
	case speculative(r.Header):
		refuse(w, http.StatusServiceUnavailable, "This page is for a visit, and not loaded ahead of one.")
	case r.URL.Path == c.at.path():
		c.serveResponse(w, r, attempt)
	case subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(c.at.start)) != 1:
		c.refuseElsewhere(w, r, http.StatusNotFound, "there is nothing at this address")
	case onlyGet(w, r):
		c.serveStart(w, r, attempt)
	}
}

// speculative reports whether a browser loads a page before anyone wants it. A code works once, and
// the page that follows is to be seen.
func speculative(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, purpose := range []string{"prefetch", "prerender", "preview"} {
			if strings.Contains(strings.ToLower(h.Get(name)), purpose) {
				return true
			}
		}
	}
	return false
}

// strangerKey is that of who made a connection, in the context of its requests: another user of this
// machine; "" where it is not, or where the system does not tell.
type strangerKey struct{}

// refuseStranger refuses another user of this machine, who may have read an address in the arguments of
// a browser. What matters is told: this user may be both.
func (c *callback) refuseStranger(w http.ResponseWriter, r *http.Request, who string) {
	switch query := r.URL.Query(); {
	case query.Has("code") || query.Has("error") || r.URL.Path == c.at.path():
		c.refuse(w, http.StatusForbidden, "stranger", refused{"a response came from " + who, "", true})
	case r.URL.Path == c.at.start:
		c.refuse(w, http.StatusForbidden, "visitor", refused{what: "the start page was asked for by " + who + ", who did not get it"})
	default:
		refuse(w, http.StatusForbidden, "This login is another user's.")
	}
}

// guestCookie is the name of the cookie by which the browser that has the start page gets it again.
const guestCookie = "ambit"

// admit lets in the first visitor of the start page, and after that nobody without its cookie: the
// address stands in the arguments of a browser, where other users may read it.
func (c *callback) admit(w http.ResponseWriter, r *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.guest == "" {
		c.guest = rand.Text()
		http.SetCookie(w, &http.Cookie{Name: guestCookie, Value: c.guest, Path: c.at.start, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return true
	}
	shown, err := r.Cookie(guestCookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(shown.Value), []byte(c.guest)) == 1
}

func (c *callback) serveStart(w http.ResponseWriter, r *http.Request, attempt *attempt) {
	if !c.admit(w, r) {
		c.refuse(w, http.StatusGone, "again", refused{what: "the start page is shown to one browser, and another asked for it again: whoever has no page goes on with the URL in the terminal, and if neither was you, another user of this machine has read its address"})
		return
	}
	if c.start == nil {
		http.Redirect(w, r, attempt.url, http.StatusSeeOther)
		return
	}
	c.start(attempt.url).ServeHTTP(w, r)
}

// serveResponse hands the response over and holds the request until there is a page that
// tells what came of it. Who repeats a response gets the page of the first.
func (c *callback) serveResponse(w http.ResponseWriter, r *http.Request, attempt *attempt) {
	said, ok := c.read(w, r)
	if !ok {
		return
	}
	got, page, err := c.take(said, attempt)
	if err != nil {
		c.refuseResponse(w, said, err)
		return
	}
	if got != nil {
		got.page, got.delivered = page, make(chan struct{})
		defer close(got.delivered)
		select {
		case c.responses <- *got:
		case <-c.over.Done():
		}
	}
	page.serve(c.over, w, r)
}

// read is what a response says: in the query, or in the body of a form that the server's page sends
// (OAuth 2.0 Form Post Response Mode §2). Nobody asked for that, and its state is as good as any.
func (c *callback) read(w http.ResponseWriter, r *http.Request) (said string, ok bool) {
	switch r.Method {
	case http.MethodGet:
		return r.URL.RawQuery, true
	case http.MethodPost:
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTimeout))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHeader))
		if err != nil {
			c.refuse(w, http.StatusBadRequest, "form", refused{what: "a form came that cannot be read"})
			return "", false
		}
		return string(body), true
	}
	w.Header().Set("Allow", "GET, POST")
	c.refuse(w, http.StatusMethodNotAllowed, r.Method, refused{what: "a " + text.Line(r.Method) + " request came, and only GET and POST bring a response"})
	return "", false
}

// take makes what came the one response of the attempt; got is nil where it is one that was taken
// before.
func (c *callback) take(said string, attempt *attempt) (got *authorizationResponse, page *lastPage, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if page := c.taken[said]; page != nil {
		return nil, page, nil
	}
	response, err := readResponse(said, attempt)
	if err == nil && !attempt.answered.CompareAndSwap(false, true) {
		err = errSecond
	}
	if err != nil {
		return nil, nil, err
	}
	if c.taken == nil {
		c.taken = map[string]*lastPage{}
	}
	page = newLastPage()
	c.taken[said] = page
	return &response, page, nil
}

// refuseResponse refuses what came to the right address.
func (c *callback) refuseResponse(w http.ResponseWriter, said string, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, errSecond) {
		status = http.StatusGone
	}
	c.refuse(w, status, err.Error(), refused{"a response came, but " + err.Error(), reported(said), errors.Is(err, errNoState)})
}

// refuseElsewhere refuses what came to another address. One that brings a response is told of.
func (c *callback) refuseElsewhere(w http.ResponseWriter, r *http.Request, status int, why string) {
	if query := r.URL.Query(); !query.Has("code") && !query.Has("error") {
		refuse(w, status, sentence(why)+".")
		return
	}
	c.refuse(w, status, why, refused{"a response came to " + text.Quote(r.Host+r.URL.Path) + ", and this login takes it only at " + c.at.redirectURI(), "", true})
}

// refuse tells the page, and the first time the terminal too, what is not taken.
func (c *callback) refuse(w http.ResponseWriter, status int, kind string, it refused) {
	said := sentence(it.what) + ". The login still waits"
	if it.pastable {
		said += "; if this is its response, paste the URL of this page into the terminal"
	}
	refuse(w, status, said+".")
	c.tellOnce(kind, it)
}

// sayHTTPS is for a browser that begins to speak TLS.
func (c *callback) sayHTTPS() {
	c.tellOnce("https", refused{"the browser came with https, and only http is spoken here: change that in its address line", "", true})
}

func (c *callback) tellOnce(kind string, it refused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == nil {
		c.told = map[string]bool{}
	}
	if !c.told[kind] && len(c.told) < maxTold {
		c.told[kind] = true
		c.tell(it)
	}
}

// maxTold bounds what the terminal is told of requests: the method is the sender's choice.
const maxTold = 8

// reported is what a refusal that is not taken says, for it may be this login's after all.
func reported(said string) string {
	values, err := url.ParseQuery(said)
	if err != nil || values.Get("error") == "" {
		return ""
	}
	says := strings.TrimSpace(values.Get("error") + " " + values.Get("error_description"))
	return " (it says " + text.Quote(text.Line(says)) + ")"
}

func sentence(what string) string { return strings.ToUpper(what[:1]) + what[1:] }

// A lastPage is what a browser gets to see for its response, once that is known.
type lastPage struct {
	ready chan struct{}
	page  http.Handler
}

func newLastPage() *lastPage { return &lastPage{ready: make(chan struct{})} }

// show is called once.
func (p *lastPage) show(page http.Handler) {
	p.page = page
	close(p.ready)
}

// isShown reports whether there is a page.
func (p *lastPage) isShown() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

func (p *lastPage) serve(over context.Context, w http.ResponseWriter, r *http.Request) {
	select {
	case <-p.ready:
	case <-over.Done():
		if !p.isShown() {
			refuse(w, http.StatusServiceUnavailable, "The login is over.")
			return
		}
	}
	p.page.ServeHTTP(w, r)
}

// isShown reports whether a browser has got the page of a response.
func (c *callback) isShown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, page := range c.taken {
		if page.isShown() {
			return true
		}
	}
	return false
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
