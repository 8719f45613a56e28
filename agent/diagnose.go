package agent

import (
	"context"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// caseOf gathers what is known of a response, without asking anybody.
func (p *Proxy) caseOf(x *exchange, r diagnosis.Response) diagnosis.Case {
	used := x.credential
	if used == nil {
		used = p.credential()
	}
	c := p.baseCase(used).Of(scopes.Operation{Method: x.method, Base: x.route.base.Name, Path: x.path}, r)
	c.Response.Veil = c.Response.Veil.Over(p.lease.Reveal(), "{lease}") // one that stood where it is not swapped
	c.Sent, c.Tool, c.Renewal, c.Conflicts = x.sent, x.asked.Tool, p.credentials.problem(used), x.conflicts()
	return c
}

// conflicts are what the last scan found, and what this very request carried beside the lease.
func (x *exchange) conflicts() []profile.Conflict {
	list := x.p.conflicts.list()
	if x.sent.Ours && len(x.sent.Others) > 0 {
		list = append(list, beside(x.sent.Others))
	}
	return list
}

func (p *Proxy) baseCase(used *credential.Credential) diagnosis.Case {
	return diagnosis.Case{
		Provider: p.cfg.Provider, Server: p.cfg.Server, Needs: p.cfg.Needs, Index: p.needs, Advertised: p.cfg.Advertised, Agent: p.cfg.Agent,
		Conflicts: p.conflicts.list(), Now: p.cfg.Now(), Run: p.cfg.Run, Unattended: p.cfg.Unattended, Withheld: p.cfg.Withheld, Log: p.cfg.LogPath,
	}.With(used)
}

// inquire asks servers about a credential, within a limit.
func (p *Proxy) inquire(ctx context.Context, c *credential.Credential) credential.Inquiry {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	inquiry := p.cfg.Ask(ctx, c)
	p.log.Info("asked about the credential", "known at", inquiry.Servers(credential.StandingKnown),
		"not known at", inquiry.Servers(credential.StandingNotKnown), "expired at", inquiry.Servers(credential.StandingExpired), "no answer of", inquiry.Servers(credential.StandingNoAnswer))
	return inquiry
}

// changed is called when a renewal gave another credential: it can hold less.
func (p *Proxy) changed(before, after *credential.Credential) {
	p.log.Info("renewed", "scopes", after.Scopes.Len(), "expires", after.ExpiresAt)
	p.reportLost(after, before.Grant)
}

func (p *Proxy) reportLost(now *credential.Credential, before scopes.Grant) {
	if v, any := diagnosis.Lost(p.baseCase(now), before); any {
		p.report(v)
	}
}

func (p *Proxy) renewalFailed(err error) { p.log.Warn("not renewed", "error", text.Line(err.Error())) }
