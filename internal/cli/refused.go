package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

// narrow decides on another try after invalid_scope: without what the answer names,
// unless a required need would have nothing left to be asked for.
func (r *run) narrow(n *negotiation, e *oauth.AuthorizationError) (scopes.Set, bool) {
	named := e.NamedScopes(n.plan.Request)
	again := n.without(named)
	for len(again.Blocked) > 0 && named.Len() > 0 {
		kept := named.Minus(n.alternatives(again.Blocked))
		if kept.Len() == named.Len() {
			return scopes.Set{}, false
		}
		named, again = kept, n.without(kept)
	}
	if named.Len() == 0 || again.Request.Len() == 0 {
		return scopes.Set{}, false
	}
	suggest(&again, n.question.Server)
	r.voice.note("the server refuses %s; asking once more without", strings.Join(named.Slice(), ", "))
	n.question.Refused = n.question.Refused.Union(named)
	n.plan.Request = again.Request
	n.plan.Scopes, n.plan.Withheld = again.Scopes, again.Withheld
	return again.Request, true
}

// alternatives are the scopes of the needs of these names.
func (n *negotiation) alternatives(names []string) scopes.Set {
	var words []string
	for _, item := range n.plan.Scopes {
		if slices.Contains(names, item.Need.Name()) {
			words = append(words, item.Need.AnyOf...)
		}
	}
	return scopes.NewSet(words...)
}

// withheld are the needs at level or above that the plan does not ask for.
func (n *negotiation) withheld(level scopes.Level) []scopes.Need {
	var needs []scopes.Need
	for _, item := range n.plan.Scopes {
		if item.Decision == scopes.DecisionWithhold && item.Need.Level >= level {
			needs = append(needs, item.Need)
		}
	}
	return needs
}

// refused are the needs whose scopes a refusal names.
func (n *negotiation) refused(e *oauth.AuthorizationError) []scopes.Need {
	named := e.NamedScopes(n.plan.Request)
	var needs []scopes.Need
	for _, item := range n.plan.Scopes {
		if named.Has(item.Asked) {
			needs = append(needs, item.Need)
		}
	}
	return needs
}

// refusal is the failure of a login to which the server answered invalid_scope: its own
// words, and for each scope that they name where it is declared, and what for.
func (n *negotiation) refusal(p *project, e *oauth.AuthorizationError, needs []scopes.Need) error {
	lines := []string{plain(e.Error())}
	for _, need := range needs {
		lines = append(lines, fmt.Sprintf("%s: %s scope %s is among those that %s names: %s", place(need.File, need.Line), need.Level, need.Name(), n.plan.Server.Issuer, why(need)))
	}
	hint := "correct the scope, or have the server's operator allow it to this client"
	if len(needs) == 0 {
		lines = append(lines, "asked for were: "+strings.Join(n.plan.Request.Slice(), ", "))
		hint = "the server does not say which of them it refuses; its operator knows what this client may ask for"
	}
	f := fail(exitMissing, strings.Join(lines, "\n"), hint)
	f.Err = e
	return f
}

// nothingLeft is the failure of a login that would ask for nothing of what the manifest
// declares: an empty request stands for what the server thinks best (RFC 6749 §3.3).
func (n *negotiation) nothingLeft() error {
	if n.plan.Request.Len() > 0 || len(n.plan.Withheld) == 0 {
		return nil
	}
	var lines []string
	for _, item := range n.plan.Scopes {
		if item.Decision == scopes.DecisionWithhold {
			lines = append(lines, fmt.Sprintf("%s: %s is not asked for: %s", place(item.Need.File, item.Need.Line), item.Need.Name(), plain(item.Reason)))
		}
	}
	return fail(exitMissing, strings.Join(lines, "\n"), "nothing of what is declared can be asked for, so a login would be for nothing")
}

// A lackView is what there is to say in JSON of a login that was not made, for want of
// what the manifest requires: those members of ambit.grant/v1 that are known without one.
type lackView struct{ gap scopes.Gap }

func lacking(p *project, needs []scopes.Need) view {
	return lackView{scopes.Compare(needs, scopes.Grant{}, p.provider().Implies)}
}

func (v lackView) text(*printer) {} // the failure tells it

func (v lackView) json(e envelope) any {
	return struct {
		envelope
		Missing scopes.Missing `json:"missing"`
		Lost    []needJSON     `json:"lost"`
		Next    []string       `json:"next"`
	}{e, v.gap.Missing, needsOf(v.gap.Lost), []string{e.Error.Hint}}
}
