package ambit

import (
	"context"
	"errors"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Offering is which scopes exist at a session's server, and by whose word.
type Offering struct {
	scopes.Offer
	Plan *Plan // with what is known of the server
	Err  error // why the server does not say it now; nil where it does
}

// Offer is every scope that is known to exist: as the server and its resources say it now, else as they
// said it last, else by the provider file alone. The error is that of [Session.Plan], where nobody knows one.
func (s *Session) Offer(ctx context.Context) (Offering, error) {
	plan, err := s.Plan(ctx)
	if err == nil {
		return Offering{plan.Offer(), plan, nil}, nil
	}
	if _, silent := errors.AsType[*metadata.Error](err); silent && ctx.Err() == nil {
		plan = s.lastPlan(s.server)
		if offer := plan.Offer(); len(offer) > 0 {
			return Offering{offer, plan, err}, nil
		}
	}
	return Offering{}, err
}

// LastOffer is what the servers and resources said last, and what the provider file says. No server is asked.
func (s *Session) LastOffer() scopes.Offer { return s.lastPlan(s.server).Offer() }

// Offer is every scope that the server, its resources or the provider file know of.
func (p *Plan) Offer() scopes.Offer {
	return scopes.NewOffer(p.negotiation.Server, p.negotiation.Resources, p.Session.Provider().Scopes.About)
}

// Near are the scopes that a need was likely to name, where nobody knows the one that it does.
func (p *Plan) Near(item *scopes.Item) []string {
	if p.near == nil {
		return nil
	}
	return p.near()[item.Need.Name()]
}

// ReasonOf is why a need was decided on so, and which scope it was likely to name.
func (p *Plan) ReasonOf(item *scopes.Item) string {
	if near := p.Near(item); len(near) > 0 {
		return item.Reason + "; " + text.DidYouMean(near)
	}
	return item.Reason
}

// About are what the scopes of a need allow, in the words of the provider file.
func (p *Plan) About(need *scopes.Need) []string {
	var list []string
	for _, scope := range need.AnyOf {
		if about := p.Session.Provider().Scopes.About(scope); about != "" {
			list = append(list, about)
		}
	}
	return list
}

// lastPlan is the plan by what a server last said of itself, or else by the provider file alone.
func (s *Session) lastPlan(at provider.Server) *Plan {
	if plan := s.keptPlan(at); plan != nil {
		return plan
	}
	return newPlan(s, &metadata.AuthorizationServer{Source: metadata.Source{From: metadata.FromFile}}, nil)
}

// keptPlan is the plan by what was kept of what a server said; nil where nothing was.
func (s *Session) keptPlan(at provider.Server) *Plan {
	documents, err := s.documents()
	if err != nil {
		return nil
	}
	if as := s.lastMetadataOf(at); as != nil {
		return newPlan(s, as, s.lastResources(documents))
	}
	return nil
}

// LastPlan is what was requested, or else the plan by what a server last said of itself; nil
// where nothing was kept of that. No server is asked.
func (h *Held) LastPlan() *Plan {
	if h.Plan != nil {
		return h.Plan
	}
	if plan := h.session.keptPlan(h.Server); plan != nil {
		return plan
	}
	return h.session.keptPlan(h.session.server)
}

// Advertised are the scopes that a server listed when it last said something of itself; none
// where nothing was kept of that. No server is asked.
func (s *Session) Advertised(at provider.Server) scopes.Set {
	if as := s.lastMetadataOf(at); as != nil {
		return as.ScopesSupported.Scopes
	}
	return scopes.Set{}
}

// Meant are, by the names of needs, the scopes that they were likely to name: of those that are known to exist or,
// where nobody says which these are, of those that the credential holds and nothing declares. No server is asked.
func (h *Held) Meant(needs []scopes.Need) map[string][]string {
	plan := h.LastPlan()
	if plan == nil {
		plan = h.session.lastPlan(h.Server)
	}
	found, silent := make(map[string][]string), len(plan.Offer()) == 0
	for _, need := range needs {
		var near []string
		switch item := plan.Item(need); {
		case item == nil:
		case silent && !need.Unadvertised:
			near = scopes.Near(need.AnyOf[0], h.Gap().Excess.Slice())
		default:
			near = plan.Near(item)
		}
		if len(near) > 0 {
			found[need.Name()] = near
		}
	}
	return found
}
