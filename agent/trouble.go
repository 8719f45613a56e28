package agent

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// failed answers where the server did not, and tells why.
func (x *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	if x.problem == nil {
		x.problem = err
	}
	if errors.Is(r.Context().Err(), context.Canceled) { // the child has gone
		return
	}
	if x.cut.Load() { // it was the child that did not finish
		x.write(w, http.StatusBadRequest, provider.FailingRequest, "the request's body could not be read to its end")
		return
	}
	trouble, ok := errors.AsType[*guard.Error](guard.RequestError(r, err))
	if !ok {
		x.write(w, http.StatusBadGateway, provider.FailingUnreachable, "")
		return
	}
	v := diagnosis.Unreachable(x.p.caseOf(x, diagnosis.Response{}), trouble)
	x.p.report(v)
	status := diagnosis.GatewayStatus(err)
	if trouble.Lasting() {
		status = cmp.Or(x.p.cfg.Agent.RefusalStatus, status)
	}
	x.write(w, status, v.Failing(), v.Message)
}

// An uploadWatch notes that it was the child's upload that failed, and not the server.
type uploadWatch struct {
	io.ReadCloser
	cut *atomic.Bool
}

// Read implements [io.Reader].
func (u uploadWatch) Read(into []byte) (int, error) {
	n, err := u.ReadCloser.Read(into)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, http.ErrBodyReadAfterClose) {
		u.cut.Store(true)
	}
	return n, err
}

// patience is for how long a base may answer with nothing but trouble of its own, or with nothing
// at all, before that is told: agents repeat such requests, and wait, in silence.
const patience = 20 * time.Second

// A spell is a time in which a base answers with nothing but trouble of its own.
type spell struct {
	mu    sync.Mutex
	since time.Time // zero: there is none
	count int       // responses since then
}

// lasts notes a response, and is what is known of the spell now.
func (s *spell) lasts(trouble bool, now time.Time) diagnosis.Spell {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !trouble:
		s.since, s.count = time.Time{}, 0
		return diagnosis.Spell{}
	case s.since.IsZero():
		s.since = now
	}
	s.count++
	return diagnosis.Spell{Lasted: now.Sub(s.since), Responses: s.count}
}

// roundTrip sends a request, and tells of a server that has not begun to respond within patience.
// The request goes on: a model can think for longer. A listener waits for what may never come.
func (x *exchange) roundTrip(req *http.Request) (*http.Response, error) {
	if !listens(req) {
		defer x.p.cfg.After(patience, func() { x.p.report(diagnosis.Silent(x.asSent(), patience)) })()
	}
	return x.p.transport.RoundTrip(req)
}

// listens reports whether a request asks for an event stream and nothing else: some servers send
// its header with the first event.
func listens(req *http.Request) bool {
	return req.Method == http.MethodGet && strings.Contains(req.Header.Get("Accept"), "text/event-stream")
}

// asSent is the case of the request before anything is known of a response. It reads only what
// does not change once the request was taken.
func (x *exchange) asSent() diagnosis.Case {
	return x.p.baseCase(x.p.credential()).Of(scopes.Operation{Method: x.method, Base: x.route.base.Name, Path: x.path}, diagnosis.Response{})
}

// answered notes what the server answered with, and tells of trouble that lasts: once, and then
// how long it lasts.
func (x *exchange) answered(resp *http.Response) {
	x.status = resp.StatusCode
	now := x.p.cfg.Now()
	if spell := x.route.trouble.lasts(guard.IsTemporary(resp.StatusCode), now); spell.Lasted >= patience {
		c := x.p.caseOf(x, diagnosis.Response{Status: resp.StatusCode, Header: resp.Header})
		x.p.report(diagnosis.Repeated(c, spell, guard.RetryAfter(resp.Header, now)))
	}
}
