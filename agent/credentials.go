package agent

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
)

const (
	// renewPause is the wait after a source that could not give a living credential.
	renewPause = 10 * time.Second
	// renewTimeout bounds one question to the source, the wait for other processes
	// included.
	renewTimeout = 30 * time.Second
)

// The credentials of a run: which one to send now. Of all requests that want another one at
// the same moment one asks the source, and the others take what it got.
type credentials struct {
	source  Source
	now     func() time.Time
	changed func(before, after *credential.Credential) // called before anybody gets the new one
	failed  func(error)

	state atomic.Pointer[credentialState]
	turn  chan struct{} // whoever holds its one token may ask the source and change state
}

// A credentialState is what is known at one moment; it never changes.
type credentialState struct {
	credential *credential.Credential
	renewAt    time.Time // zero: never
	tried      bool      // a 401 led to a renewal already, and no good answer came since
	problem    error     // why the last renewal failed; nil where it did not
	again      time.Time // when one that failed is tried again
}

// begin gets the first credential.
func (c *credentials) begin(ctx context.Context) error {
	got, err := c.source.Current(ctx)
	if got == nil {
		return err
	}
	if err != nil {
		c.failed(err)
	}
	c.turn = make(chan struct{}, 1)
	c.turn <- struct{}{}
	c.state.Store(&credentialState{credential: got, renewAt: c.renewAt(got), problem: err})
	return nil
}

// renewAt is a minute before the end, or half of what is left where that is shorter.
func (c *credentials) renewAt(used *credential.Credential) time.Time {
	end := used.ExpiresAt
	if end.IsZero() || !used.Renewable() {
		return time.Time{}
	}
	now := c.now()
	left := end.Sub(now)
	if left <= 0 {
		return now.Add(renewPause)
	}
	return end.Add(-min(credential.RenewAhead, left/2))
}

// current is the credential to send, renewed if it is about to end. While somebody else
// renews it, it is used as long as it lives.
func (c *credentials) current(ctx context.Context) *credential.Credential {
	s := c.state.Load()
	if s.renewAt.IsZero() || c.now().Before(s.renewAt) {
		return s.credential
	}
	select {
	case <-c.turn:
	default:
		if c.now().Before(s.credential.ExpiresAt) || !c.wait(ctx) {
			return s.credential
		}
	}
	defer c.pass()
	if s = c.state.Load(); c.now().Before(s.renewAt) {
		return s.credential // somebody did, just before
	}
	return c.ask(ctx, s, c.source.Current, false)
}

// refused is what to send in place of a credential that was answered 401; ok is false
// where there is nothing better.
func (c *credentials) refused(ctx context.Context, stale *credential.Credential) (fresh *credential.Credential, ok bool) {
	if !c.wait(ctx) {
		return stale, false
	}
	defer c.pass()
	s := c.state.Load()
	switch {
	case !s.credential.Same(stale):
		return s.credential, true // somebody renewed it while this request was on its way
	case s.tried || !stale.Renewable() || c.now().Before(s.again):
		return stale, false
	}
	fresh = c.ask(ctx, s, func(ctx context.Context) (*credential.Credential, error) { return c.source.Renew(ctx, stale) }, true)
	return fresh, !fresh.Same(stale)
}

// ask puts a question to the source; the caller has the turn. A renewal that has begun
// goes on though its request is given up: the others wait for it.
func (c *credentials) ask(ctx context.Context, s *credentialState, question func(context.Context) (*credential.Credential, error), tried bool) *credential.Credential {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	got, err := question(ctx)
	if err != nil {
		c.failed(err)
	}
	if got == nil {
		next := c.now().Add(renewPause)
		c.state.Store(&credentialState{credential: s.credential, renewAt: next, again: next, tried: s.tried, problem: err})
		return s.credential
	}
	if !got.Same(s.credential) {
		c.changed(s.credential, got)
	}
	next := &credentialState{credential: got, renewAt: c.renewAt(got), tried: tried && err == nil, problem: err}
	if err != nil { // it could not be renewed, and lives
		next.renewAt = c.now().Add(renewPause)
		next.again = next.renewAt
	}
	c.state.Store(next)
	return got
}

// worked notes a good answer: the next 401 is news again.
func (c *credentials) worked(used *credential.Credential) {
	if s := c.state.Load(); s.tried && s.credential.Same(used) {
		c.state.CompareAndSwap(s, &credentialState{credential: s.credential, renewAt: s.renewAt})
	}
}

// learn takes over what was found out about the credential.
func (c *credentials) learn(used *credential.Credential) {
	if s := c.state.Load(); s.credential.Same(used) {
		c.state.CompareAndSwap(s, &credentialState{credential: used, renewAt: s.renewAt, again: s.again, tried: s.tried, problem: s.problem})
	}
}

// problem is why a credential could not be renewed the last time; nil where it could.
func (c *credentials) problem(used *credential.Credential) error {
	if s := c.state.Load(); s.credential.Same(used) {
		return s.problem
	}
	return nil
}

// put makes what a new login gave the one to send, and returns the one before.
func (c *credentials) put(fresh *credential.Credential) (before *credential.Credential) {
	c.wait(context.Background()) // a renewal under way has an end
	defer c.pass()
	before = c.state.Load().credential
	c.state.Store(&credentialState{credential: fresh, renewAt: c.renewAt(fresh)})
	return before
}

func (c *credentials) wait(ctx context.Context) bool { return take(ctx, c.turn) }

// take waits for the one token of a turn.
func take(ctx context.Context, turn chan struct{}) bool {
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *credentials) pass() { c.turn <- struct{}{} }

// rest waits until nobody has the turn any more, but no longer than that.
func rest(turn chan struct{}, most time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if take(ctx, turn) {
		turn <- struct{}{}
	}
}
