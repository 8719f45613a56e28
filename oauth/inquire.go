package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// elsewhereTimeout bounds the look at all other servers together: someone already
// waits with a refusal, and this only explains it.
const elsewhereTimeout = 3 * time.Second

// Inquire asks the server whether it knows a credential that was refused, and where it
// does not, all those other servers that the provider's file marks for that: at once,
// and for 3 s at most. It ends with the first in the file's order that knows it.
func (i *Inspector) Inquire(ctx context.Context, c *credential.Credential) credential.Inquiry {
	here := i.outcome(ctx, i.Server, c)
	if here.Standing != credential.StandingNotKnown {
		return credential.Inquiry{here}
	}
	return append(credential.Inquiry{here}, i.elsewhere(ctx, c)...)
}

func (i *Inspector) elsewhere(ctx context.Context, c *credential.Credential) credential.Inquiry {
	ctx, cancel := context.WithTimeoutCause(ctx, elsewhereTimeout, fmt.Errorf("no answer within %s", elsewhereTimeout))
	defer cancel()
	var pending []chan credential.Outcome
	for _, s := range i.Provider.Servers {
		if !s.AskOn401 || s.Name == i.Server.Name {
			continue
		}
		outcome := make(chan credential.Outcome, 1)
		pending = append(pending, outcome)
		go func() { outcome <- i.outcome(ctx, s, c) }()
	}
	var outcomes credential.Inquiry
	for _, outcome := range pending {
		o := <-outcome
		if outcomes = append(outcomes, o); o.Standing == credential.StandingKnown {
			break
		}
	}
	return outcomes
}

// outcome asks one server, and tells apart what came of it.
func (i *Inspector) outcome(ctx context.Context, server provider.Server, c *credential.Credential) credential.Outcome {
	grant, err := i.inspect(ctx, server, c)
	o := credential.Outcome{Server: server.Name, Grant: grant, Err: err, Standing: credential.StandingNoAnswer}
	_, rejected := errors.AsType[*RejectedError](err)
	_, cannotAsk := errors.AsType[*NoInspectionError](err)
	switch {
	case err == nil:
		o.Standing = credential.StandingKnown
	case rejected:
		o.Standing = credential.StandingNotKnown
	case cannotAsk:
		o.Standing = credential.StandingNotAsked
	}
	return o
}
