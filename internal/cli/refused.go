package cli

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

// narrow decides on a second try after invalid_scope: without the optional and
// recommended scopes that the answer names, never without a required one.
func (r *run) narrow(n *negotiation, e *oauth.AuthorizationError) (scopes.Set, bool) {
	named := e.NamedScopes(n.plan.Request).Minus(n.required())
	if named.Len() == 0 {
		return scopes.Set{}, false
	}
	again := n.without(named)
	suggest(&again, n.question.Server)
	if len(again.Blocked) > 0 || again.Request.Equal(n.plan.Request) {
		return scopes.Set{}, false
	}
	r.voice.note("the server refuses %s; asking once more without", strings.Join(named.Slice(), ", "))
	n.plan.Request = again.Request
	n.plan.Scopes, n.plan.Withheld = again.Scopes, again.Withheld
	return again.Request, true
}

// required are the scopes that are asked for where nothing may lack.
func (n *negotiation) required() scopes.Set {
	var words []string
	for _, item := range n.plan.Scopes {
		if item.Entry.Level == scopes.Required {
			words = append(words, item.Asked)
		}
	}
	return scopes.NewSet(words...)
}

// withheld are the needs at level or above that the plan does not ask for.
func (n *negotiation) withheld(level scopes.Level) []scopes.Entry {
	var needs []scopes.Entry
	for _, item := range n.plan.Scopes {
		if item.Decision == scopes.Withhold && item.Entry.Level >= level {
			needs = append(needs, item.Entry)
		}
	}
	return needs
}

// refused are the needs whose scopes a refusal names.
func (n *negotiation) refused(e *oauth.AuthorizationError) []scopes.Entry {
	named := e.NamedScopes(n.plan.Request)
	var needs []scopes.Entry
	for _, item := range n.plan.Scopes {
		if named.Has(item.Asked) {
			needs = append(needs, item.Entry)
		}
	}
	return needs
}

// refusal is the failure of a login to which the server answered invalid_scope: its own
// words, and for each scope that they name where it is declared, and what for.
func (n *negotiation) refusal(p *project, e *oauth.AuthorizationError, needs []scopes.Entry) error {
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

// A lackView is what there is to say in JSON of a login that was not made, for want of
// what the manifest requires: those members of ambit.grant/v1 that are known without one.
type lackView struct{ gap scopes.Gap }

func lacking(p *project, needs []scopes.Entry) view {
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
