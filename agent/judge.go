package agent

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// caseOf gathers what is known of a refusal, without asking anybody.
func (p *Proxy) caseOf(x *exchange, a diagnosis.Response) diagnosis.Case {
	lent := x.lent
	if lent == nil {
		lent = p.Credential()
	}
	c := p.baseCase(lent)
	c.Method, c.Base, c.Path, c.Sent, c.Response = x.method, x.route.base.Name, x.path, x.sent, a
	return c
}

func (p *Proxy) baseCase(lent *credential.Credential) diagnosis.Case {
	return diagnosis.Case{
		Provider: p.cfg.Provider, Server: p.cfg.Server, Kind: lent.KindAt(p.cfg.Provider), Grant: lent.Grant,
		Needs: p.cfg.Needs, Index: p.needs, Agent: p.cfg.Agent, Conflicts: p.teller.scanned(), Now: p.cfg.Now(), Login: p.cfg.Login, Log: p.cfg.LogPath,
	}
}

// diagnose tells why, and asks servers where nothing else tells.
func (p *Proxy) diagnose(ctx context.Context, x *exchange, a diagnosis.Response) diagnosis.Verdict {
	p.rescan()
	c := p.caseOf(x, a)
	v := diagnosis.Diagnose(c)
	if p.cfg.Ask == nil || a.Status != http.StatusUnauthorized || !slices.Contains([]diagnosis.Cause{diagnosis.CauseRejected, diagnosis.CauseUnknown}, v.Cause) {
		return v
	}
	c.Inquiry = p.ask(ctx, x.lent)
	if here, _ := c.Inquiry.At(p.cfg.Server.Name); here.Standing == credential.StandingKnown {
		before := c.Grant
		c.Grant = here.Grant
		p.compareAgain(x.lent.Holding(here.Grant), before)
	}
	return diagnosis.Diagnose(c)
}

// askAgain is how long what servers said of a credential holds.
const askAgain = 10 * time.Second

// ask asks once for all requests that want to know the same.
func (p *Proxy) ask(ctx context.Context, lent *credential.Credential) credential.Inquiry {
	t := p.teller
	select {
	case t.asking <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-t.asking }()
	if t.asked != nil && t.asked.Same(lent) && p.cfg.Now().Before(t.askedAt.Add(askAgain)) {
		return t.inquiry
	}
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	t.inquiry = p.cfg.Ask(ctx, lent)
	t.asked, t.askedAt = lent, p.cfg.Now()
	p.log.Info("asked about the credential", "known at", t.inquiry.Servers(credential.StandingKnown),
		"not known at", t.inquiry.Servers(credential.StandingNotKnown), "no answer of", t.inquiry.Servers(credential.StandingNoAnswer))
	return t.inquiry
}

// changed is called when a renewal gave another credential: it can hold less.
func (p *Proxy) changed(before, after *credential.Credential) {
	p.log.Info("renewed", "scopes", after.Scopes.Len(), "expires", after.ExpiresAt)
	p.tellLost(after, before.Grant)
}

// compareAgain takes over what the credential holds now, and tells what it lost.
func (p *Proxy) compareAgain(lent *credential.Credential, before scopes.Grant) {
	p.lender.learn(lent)
	p.tellLost(lent, before)
}

func (p *Proxy) tellLost(lent *credential.Credential, before scopes.Grant) {
	if v, any := diagnosis.Lost(p.baseCase(lent), before); any {
		p.tell(v)
	}
}

func (p *Proxy) renewalFailed(err error) { p.log.Warn("not renewed", "error", text.Line(err.Error())) }
