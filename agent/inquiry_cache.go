package agent

import (
	"context"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// askAgain is how long what servers said of a credential holds.
const askAgain = 10 * time.Second

// An inquiryCache holds what servers said last of a credential that was refused.
type inquiryCache struct {
	turn    chan struct{} // holds one: whoever has it may ask, and change what follows
	about   *credential.Credential
	at      time.Time
	inquiry credential.Inquiry
}

// inquire asks once for all requests that want to know the same.
func (p *Proxy) inquire(ctx context.Context, c *credential.Credential) credential.Inquiry {
	cache := &p.inquiries
	select {
	case cache.turn <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-cache.turn }()
	if cache.about != nil && cache.about.Same(c) && p.cfg.Now().Before(cache.at.Add(askAgain)) {
		return cache.inquiry
	}
	limited, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	inquiry := p.cfg.Ask(limited, c)
	p.log.Info("asked about the credential", "known at", inquiry.Servers(credential.StandingKnown),
		"not known at", inquiry.Servers(credential.StandingNotKnown), "no answer of", inquiry.Servers(credential.StandingNoAnswer))
	if ctx.Err() == nil { // else it broke off because this request was given up
		cache.about, cache.at, cache.inquiry = c, p.cfg.Now(), inquiry
	}
	return inquiry
}
