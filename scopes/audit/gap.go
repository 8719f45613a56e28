package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A gap is what the requirements in use lack.
type gap struct {
	lacking map[string][]*requirement // by scope: the requirements that lack it
	asked   []*requirement            // what is left to be met of those that are not
	add     scopes.Set                // what meets that
	refused scopes.Set                // what they lack, and a waiver says will not be declared
}

// gap finds what is required and not declared. A requirement with alternatives is held to the
// one that the smallest addition meets.
func (f *facts) gap() gap {
	unmet := slices.DeleteFunc(slices.Clone(f.inUse), func(r *requirement) bool { return !f.isUnmet(r) })
	g := f.refuse(unmet)
	g.add = f.cover(f.preferListed(g.asked), f.certain, f.words)
	for i, r := range g.asked {
		for _, scope := range f.closest(r, f.certain.Union(g.add)) {
			g.lacking[scope] = append(g.lacking[scope], unmet[i])
		}
	}
	return g
}

// isUnmet reports whether what is declared does not meet a requirement.
func (f *facts) isUnmet(r *requirement) bool {
	return !r.MetBy(f.certain, f.implies) && !f.metByAlternatives(r)
}

// maxChoices bounds for how many needs with alternatives each choice is tried. Of an any_of
// only one scope is asked for, so a requirement is met only where each choice meets it.
const maxChoices = 6

// metByAlternatives reports whether the requirement is met whichever alternatives of the
// declared needs are granted.
func (f *facts) metByAlternatives(r *requirement) bool {
	var choices [][]string
	for i := range f.needs {
		if n := &f.needs[i]; len(n.AnyOf) > 1 && f.helps(n, r.AnyOf) {
			choices = append(choices, n.AnyOf)
		}
	}
	if len(choices) == 0 || len(choices) > maxChoices {
		return false
	}
	var every func(held scopes.Set, left [][]string) bool
	every = func(held scopes.Set, left [][]string) bool {
		if r.MetBy(held, f.implies) {
			return true
		}
		return len(left) > 0 && !slices.ContainsFunc(left[0], func(scope string) bool {
			return !every(held.Union(scopes.NewSet(scope)), left[1:])
		})
	}
	return every(f.certain, choices)
}

// preferListed leaves out of requirements with alternatives those for which a scope would be
// added that the server does not list, where another does without.
func (f *facts) preferListed(requirements []*requirement) []*requirement {
	unlisted := func(scope string) bool { return f.Server.Says(scope) == scopes.AdvertisedNo }
	list := slices.Clone(requirements)
	for i, r := range list {
		one := *r
		one.AnyOf = f.without(r, unlisted)
		if len(one.AnyOf) > 0 {
			list[i] = &one
		}
	}
	return list
}

// without are the alternatives of a requirement that lack nothing of a kind.
func (f *facts) without(r *requirement, kind func(scope string) bool) [][]string {
	return slices.DeleteFunc(slices.Clone(r.AnyOf), func(all []string) bool {
		return slices.ContainsFunc(missing(all, f.certain, f.implies), kind)
	})
}

// refuse says what of the unmet requirements is left to meet where a waiver says that a scope
// will not be declared: that covers nothing then. A requirement for which just that scope
// would be added asks for what else it lacks, and any other for a way without it.
func (f *facts) refuse(unmet []*requirement) gap {
	g := gap{lacking: make(map[string][]*requirement), asked: unmet}
	refuses := func(scope string) bool { return f.isWaived(Undeclared, scope) }
	if !slices.ContainsFunc(f.Manifest.Waivers, func(w manifest.Waiver) bool { return refuses(w.Scope) }) {
		return g
	}
	held := f.certain.Union(f.cover(unmet, f.certain, f.words))
	g.asked = nil
	for _, r := range unmet {
		lacks, one := scopes.NewSet(f.closest(r, held)...), *r
		not := lacks.Where(refuses)
		for scope := range not.All() {
			g.lacking[scope] = append(g.lacking[scope], r)
		}
		one.AnyOf = [][]string{lacks.Minus(not).Slice()}
		if not.Len() == 0 {
			one.AnyOf = f.without(r, refuses)
		}
		g.refused, g.asked = g.refused.Union(not), append(g.asked, &one)
	}
	return g
}

// closest is what the declared scopes lack of that alternative of the requirement that held
// meets and that lacks the least.
func (f *facts) closest(r *requirement, held scopes.Set) []string {
	var best []string
	for i, all := range slices.DeleteFunc(slices.Clone(r.AnyOf), func(all []string) bool { return len(missing(all, held, f.implies)) > 0 }) {
		if lacks := missing(all, f.certain, f.implies); i == 0 || len(lacks) < len(best) {
			best = lacks
		}
	}
	return scopes.NewSet(best...).Slice()
}

// cover is [cover] with what the evidence knows of the scopes.
func (f *facts) cover(requirements []*requirement, held, prefer scopes.Set) scopes.Set {
	wanted := make([][][]string, len(requirements))
	for i, r := range requirements {
		wanted[i] = r.AnyOf
	}
	return cover(coverQuestion{wanted: wanted, implies: f.implies, held: held, prefer: prefer, accepted: f.accepted, special: f.isSpecial})
}

// isSpecial reports whether a scope is one that the provider's file takes for no substitute of
// another, and that nobody has declared.
func (f *facts) isSpecial(scope string) bool {
	return f.Manifest.Provider != nil && f.Manifest.Provider.Scopes.Special.Has(scope) && !f.words.Has(scope)
}
