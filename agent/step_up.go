package agent

import (
	"context"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// stepUps are the questions to a person whether the login may hold more. One is put at a time, and
// at most one for each scope; requests that are refused meanwhile wait, and take what came of it. A
// no, and a login that came to nothing, are the answer for the rest of the run; and after a yes a
// request has to succeed before the next question: a server that refuses whatever is granted gets
// its verdict.
type stepUps struct {
	ask  func(context.Context, diagnosis.Verdict) (*credential.Credential, error) // nil: nobody is there
	turn chan struct{}                                                            // whoever holds its one token may ask

	mu       sync.Mutex
	asked    map[string]bool
	over     bool
	unproved *credential.Credential // of the last step-up, while no request has succeeded with it
}

func newStepUps(ask func(context.Context, diagnosis.Verdict) (*credential.Credential, error)) *stepUps {
	s := &stepUps{ask: ask, turn: make(chan struct{}, 1), asked: make(map[string]bool)}
	s.turn <- struct{}{}
	return s
}

// mayWiden reports whether somebody can be asked for a credential that holds more.
func (s *stepUps) mayWiden(used *credential.Credential) bool { return s.ask != nil && used.Issued() }

// may reports whether these scopes may be asked for now, and notes that they are.
func (s *stepUps) may(wanted []string, now *credential.Credential) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || len(wanted) == 0 || s.unproved != nil && s.unproved.Same(now) {
		return false
	}
	for _, scope := range wanted {
		if s.asked[scope] {
			return false
		}
	}
	for _, scope := range wanted {
		s.asked[scope] = true
	}
	return true
}

// came notes what came of a question; nil is nothing.
func (s *stepUps) came(fresh *credential.Credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.unproved = fresh == nil, fresh
}

// worked notes a good answer.
func (s *stepUps) worked(used *credential.Credential) {
	if s.ask == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unproved != nil && s.unproved.Same(used) {
		s.unproved = nil
	}
}

// widened is a credential that holds what a request lacked with the one that it used; nil where
// there is none. A question that was put goes on though its request is given up: others wait for it.
func (p *Proxy) widened(ctx context.Context, used *credential.Credential, v diagnosis.Verdict) *credential.Credential {
	s, wanted := p.stepUps, v.Wanted()
	if !take(ctx, s.turn) {
		return nil
	}
	defer func() { s.turn <- struct{}{} }()
	now := p.credential()
	if !now.Same(used) && p.holds(now, wanted) {
		return now // somebody stepped up while this request was on its way
	}
	if !s.may(wanted, now) {
		return nil
	}
	fresh, err := s.ask(p.ctx, v)
	if err != nil {
		p.log.Warn("not stepped up", "wanted", wanted, "error", err.Error())
	}
	s.came(fresh)
	if fresh == nil {
		return nil
	}
	p.log.Info("stepped up", "wanted", wanted, "scopes", fresh.Scopes.Len(), "expires", fresh.ExpiresAt)
	p.reportLost(fresh, p.credentials.put(fresh).Grant)
	if !p.holds(fresh, wanted) {
		return nil
	}
	return fresh
}

// holds reports whether a credential has all of these scopes, as far as anybody knows.
func (p *Proxy) holds(c *credential.Credential, wanted []string) bool {
	return len(p.cfg.Provider.Implies.Uncovered(wanted, c.Scopes)) == 0
}
