package agent

import (
	"context"
	"net/http"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// caseOf gathers what is known of a refusal, without asking anybody.
func (p *Proxy) caseOf(x *exchange, a diagnosis.Response) diagnosis.Case {
	used := x.credential
	if used == nil {
		used = p.credential()
	}
	c := p.baseCase(used)
	c.Method, c.Base, c.Path, c.Sent, c.Response = x.method, x.route.base.Name, x.path, x.sent, a
	return c
}

func (p *Proxy) baseCase(used *credential.Credential) diagnosis.Case {
	return diagnosis.Case{
		Provider: p.cfg.Provider, Server: p.cfg.Server, Kind: used.KindAt(p.cfg.Provider), Grant: used.Grant,
		Needs: p.cfg.Needs, Index: p.needs, Advertised: p.cfg.Advertised, Agent: p.cfg.Agent, Conflicts: p.conflicts.list(), Now: p.cfg.Now(), Run: p.cfg.Run, Unattended: p.cfg.Unattended, Log: p.cfg.LogPath,
	}
}

// diagnose tells why, and asks servers where nothing else tells.
func (p *Proxy) diagnose(ctx context.Context, x *exchange, a diagnosis.Response) diagnosis.Verdict {
	p.rescan()
	c := p.caseOf(x, a)
	v := diagnosis.Diagnose(c)
	if p.cfg.Ask == nil || !maySayMore(v) {
		return v
	}
	c.Inquiry = p.inquire(ctx, x.credential)
	if here, _ := c.Inquiry.At(p.cfg.Server.Name); here.Standing == credential.StandingKnown {
		before := c.Grant
		c.Grant = here.Grant
		p.compareAgain(x.credential.Holding(here.Grant), before)
	}
	return diagnosis.Diagnose(c)
}

// maySayMore reports whether it helps to ask servers about the credential: at a 401 that
// nothing explains, and where the server wants a scope that the grant had when last asked.
func maySayMore(v diagnosis.Verdict) bool {
	switch v.Cause {
	case diagnosis.CauseMissingScope:
		return len(v.Missing) == 0
	case diagnosis.CauseRejected, diagnosis.CauseUnknown:
		return v.Status == http.StatusUnauthorized
	}
	return false
}

// changed is called when a renewal gave another credential: it can hold less.
func (p *Proxy) changed(before, after *credential.Credential) {
	p.log.Info("renewed", "scopes", after.Scopes.Len(), "expires", after.ExpiresAt)
	p.reportLost(after, before.Grant)
}

// compareAgain takes over what the credential holds now, and reports what it lost.
func (p *Proxy) compareAgain(now *credential.Credential, before scopes.Grant) {
	p.credentials.learn(now)
	p.reportLost(now, before)
}

func (p *Proxy) reportLost(now *credential.Credential, before scopes.Grant) {
	if v, any := diagnosis.Lost(p.baseCase(now), before); any {
		p.report(v)
	}
}

func (p *Proxy) renewalFailed(err error) { p.log.Warn("not renewed", "error", text.Line(err.Error())) }
