package starter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// NewChoice is what of an offer can be requested, and is not declared yet: each entry is one that plan
// lets pass. says begins the sentence about them.
func NewChoice(says string, offer scopes.Offer, server scopes.Advertisement, declared []scopes.Need) Choice {
	c := Choice{Says: says}
	var taken, withheld, unlisted, beyond []string
	for _, n := range declared {
		if len(n.AnyOf) == 1 { // beside alternatives a scope can stand alone
			taken = append(taken, n.AnyOf[0])
		}
	}
	there := scopes.NewSet(taken...)
	for _, one := range offer {
		switch {
		case there.Has(one.Scope):
		case one.Withheld:
			withheld = append(withheld, one.Scope)
		case server.Says(one.Scope) == scopes.AdvertisedNo:
			unlisted = append(unlisted, one.Scope)
		case len(one.Scope) > text.MaxWord || len(c.Offered) == MaxOffered:
			beyond = append(beyond, one.Scope)
		default:
			c.Offered = append(c.Offered, scopes.Need{AnyOf: []string{one.Scope}, Level: scopes.Required, Why: one.About})
		}
	}
	c.leaveOut(withheld, "which ordinary people are not granted")
	c.leaveOut(unlisted, "which the server does not list (one that it grants nevertheless needs advertised: false)")
	c.leaveOut(beyond, "for which there is no room")
	return c
}

func (c *Choice) leaveOut(names []string, why string) {
	if len(names) == 0 {
		return
	}
	for i := range names {
		names[i] = text.Cut(names[i], text.MaxName)
	}
	c.LeftOut = append(c.LeftOut, "Left out, "+why+": "+text.Listed(names)+".")
}

// maxUses is how many of the operations that need a scope stand beside it.
const maxUses = 3

// DescribedChoice is the same of the scopes that descriptions name, each with operations that need it.
func DescribedChoice(file string, found *audit.Evidence, p *provider.Provider, server scopes.Advertisement, declared []scopes.Need) Choice {
	bases := p.BaseNames()
	uses, titles := make(map[string][]scopes.Operation), make(map[string]string)
	for i := range found.Requirements {
		r := &found.Requirements[i]
		op := r.Operation.Unplaced()
		_, err := scopes.ParseOperation(op.String())
		if err != nil || op.Tool == "" && !slices.Contains(bases, op.Base) {
			continue // a manifest could not hold it
		}
		for _, scope := range scopes.NewSet(slices.Concat(r.AnyOf...)...).Slice() {
			if len(uses[scope]) < maxUses {
				uses[scope] = append(uses[scope], op)
			}
			titles[scope] = cmp.Or(titles[scope], r.Title)
		}
	}
	about := func(scope string) string { return cmp.Or(found.About[scope], p.Scopes.About(scope), titles[scope]) }
	names := found.Vocabulary().Where(func(scope string) bool { return scopes.CheckScope(scope) == nil })
	c := NewChoice(file+" names", scopes.NewOffer(scopes.Advertisement{Known: names, Except: server.Except}, nil, about), server, declared)
	for i := range c.Offered {
		c.Offered[i].UsedBy = uses[c.Offered[i].AnyOf[0]]
	}
	if len(c.Offered)+len(declared)+len(c.LeftOut) == 0 {
		c.LeftOut = []string{text.Line(file) + " names no scopes."}
		c.Unknown()
	}
	return c
}

// Unknown says that nobody knows what there is to declare, and shows the form.
func (c *Choice) Unknown() {
	c.LeftOut = append(c.LeftOut, "Nobody says which scopes there are. One of the service's own documentation is declared so:", "- {scope: NAME, level: required, why: \"what it is needed for\"}")
}

// VariableFor is the environment variable for the secret of a program's client.
func VariableFor(program string) string {
	plain := func(c rune) rune {
		if c >= 'a' && c <= 'z' {
			return c - 'a' + 'A'
		}
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}
	return strings.Map(plain, program) + "_CLIENT_SECRET"
}
