package agent

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
)

const (
	// renewAhead is how long before its end a credential is renewed: longer than the
	// clocks of two machines differ, and than most answers take.
	renewAhead = time.Minute
	// renewPause is the wait after a source that could not give a living credential.
	renewPause = 10 * time.Second
	// renewTimeout bounds one question to the source, the wait for other processes
	// included.
	renewTimeout = 30 * time.Second
)

// A lender knows the credential to send now. Of all requests that want another one at
// the same moment one asks the source, and the others take what it got.
type lender struct {
	source  Source
	now     func() time.Time
	changed func(before, after *credential.Credential) // called before anybody gets the new one
	failed  func(error)

	state atomic.Pointer[lending]
	turn  chan struct{} // whoever holds its one token may ask the source and change state
}

// A lending is what the lender knows at one moment; it never changes.
type lending struct {
	lent    *credential.Credential
	renewAt time.Time // zero: never
	tried   bool      // a 401 led to a renewal already, and no good answer came since
}

// begin gets the first credential.
func (l *lender) begin(ctx context.Context) error {
	lent, err := l.source.Current(ctx)
	if lent == nil {
		return err
	}
	if err != nil {
		l.failed(err)
	}
	l.turn = make(chan struct{}, 1)
	l.turn <- struct{}{}
	l.state.Store(&lending{lent: lent, renewAt: l.renewAt(lent)})
	return nil
}

// renewAt is a minute before the end, or half of what is left where that is shorter.
func (l *lender) renewAt(lent *credential.Credential) time.Time {
	end := lent.ExpiresAt
	if end.IsZero() || !lent.Renewable() {
		return time.Time{}
	}
	now := l.now()
	left := end.Sub(now)
	if left <= 0 {
		return now.Add(renewPause)
	}
	return end.Add(-min(renewAhead, left/2))
}

// current is the credential to send, renewed if it is about to end. While somebody else
// renews it, it is used as long as it lives.
func (l *lender) current(ctx context.Context) *credential.Credential {
	s := l.state.Load()
	if s.renewAt.IsZero() || l.now().Before(s.renewAt) {
		return s.lent
	}
	select {
	case <-l.turn:
	default:
		if l.now().Before(s.lent.ExpiresAt) || !l.wait(ctx) {
			return s.lent
		}
	}
	defer l.pass()
	if s = l.state.Load(); l.now().Before(s.renewAt) {
		return s.lent // somebody did, just before
	}
	return l.ask(ctx, s, l.source.Current, false)
}

// refused is what to send in place of a credential that was answered 401; ok is false
// where there is nothing better.
func (l *lender) refused(ctx context.Context, stale *credential.Credential) (fresh *credential.Credential, ok bool) {
	if !l.wait(ctx) {
		return stale, false
	}
	defer l.pass()
	s := l.state.Load()
	switch {
	case !s.lent.Same(stale):
		return s.lent, true // somebody renewed it while this request was on its way
	case s.tried || !stale.Renewable():
		return stale, false
	}
	fresh = l.ask(ctx, s, func(ctx context.Context) (*credential.Credential, error) { return l.source.Renew(ctx, stale) }, true)
	return fresh, !fresh.Same(stale)
}

// ask puts a question to the source; the caller has the turn. A renewal that has begun
// goes on though its request is given up: the others wait for it.
func (l *lender) ask(ctx context.Context, s *lending, question func(context.Context) (*credential.Credential, error), tried bool) *credential.Credential {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	lent, err := question(ctx)
	if err != nil {
		l.failed(err)
	}
	if lent == nil {
		l.state.Store(&lending{lent: s.lent, renewAt: l.now().Add(renewPause), tried: tried || s.tried})
		return s.lent
	}
	if !lent.Same(s.lent) {
		l.changed(s.lent, lent)
	}
	l.state.Store(&lending{lent: lent, renewAt: l.renewAt(lent), tried: tried})
	return lent
}

// worked notes a good answer: the next 401 is news again.
func (l *lender) worked(lent *credential.Credential) {
	if s := l.state.Load(); s.tried && s.lent.Same(lent) {
		l.state.CompareAndSwap(s, &lending{lent: s.lent, renewAt: s.renewAt})
	}
}

// learn takes over what was found out about the credential.
func (l *lender) learn(lent *credential.Credential) {
	if s := l.state.Load(); s.lent.Same(lent) {
		l.state.CompareAndSwap(s, &lending{lent: lent, renewAt: s.renewAt, tried: s.tried})
	}
}

func (l *lender) wait(ctx context.Context) bool {
	select {
	case <-l.turn:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *lender) pass() { l.turn <- struct{}{} }
