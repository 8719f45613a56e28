package audit

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A reduction is what is left of the declared needs while one after the other is lowered.
type reduction struct {
	*facts
	kept    map[string]scopes.Level // the scopes that are asked for in any case, and how urgently
	dropped map[string]bool         // by name: the needs that go
}

func newReduction(f *facts) *reduction {
	r := &reduction{facts: f, kept: make(map[string]scopes.Level), dropped: make(map[string]bool)}
	for i := range f.needs {
		n := &f.needs[i]
		if len(n.AnyOf) == 1 {
			r.kept[n.AnyOf[0]] = n.Level
		}
		r.dropped[n.Name()] = n.standing == standingUnused && !f.isWaived(Unused, n.Name())
	}
	return r
}

// lesser are the scopes that would do in place of the need's, all of them implied by it; its own
// where none would do, or where the evidence leaves open what some operation requires. Others
// that are declared stand in for the need where they are as urgent.
func (r *reduction) lesser(n *need) scopes.Set {
	scope := n.AnyOf[0]
	covers := slices.ContainsFunc(n.helps, func(one *requirement) bool {
		return slices.ContainsFunc(slices.Concat(one.AnyOf...), func(word string) bool { return word != scope && r.covers(scope, word) })
	})
	if !covers || r.isVague(n) || n.mayWrite() {
		return scopes.NewSet(scope)
	}
	return r.enough(n, r.keptFor(n).Where(func(other string) bool { return other != scope && r.kept[other] >= n.Level }))
}

// mayWrite reports whether an operation that no source describes may change something.
func (n *need) mayWrite() bool {
	return slices.ContainsFunc(n.mentions, func(m mention) bool {
		return m.state == mentionSeen && (m.recorded != recordedSuccess || !isSafe(m.op.Method))
	})
}

// lesserSeen is the one scope that would do, where no source says what the need's operations
// require, and those that were recorded only read.
func (r *reduction) lesserSeen(n *need) (instead scopes.Set, enough bool) {
	seen := false
	for _, m := range n.mentions {
		success := m.recorded == recordedSuccess
		if m.op.Tool != "" || m.unclear || m.recorded > recordedNever && !isSafe(m.op.Method) || m.listed && !success {
			return scopes.Set{}, false
		}
		seen = seen || success
	}
	scope := n.AnyOf[0]
	lesser := r.vocabulary.Union(r.Server.Scopes).Union(r.words).Where(func(word string) bool { return word != scope && r.covers(scope, word) })
	return lesser, seen && lesser.Len() == 1 // of several, which one reads is not known
}

// keptFor are the scopes that are kept and cover a word that the need helps with: mostly a few
// of thousands.
func (r *reduction) keptFor(n *need) scopes.Set {
	var list []string
	take := func(scope string) {
		if _, kept := r.kept[scope]; kept {
			list = append(list, scope)
		}
	}
	for _, one := range n.helps {
		for _, word := range slices.Concat(one.AnyOf...) {
			take(word)
			for by := range r.implies.Covering(word) {
				take(by)
			}
		}
	}
	return scopes.NewSet(list...)
}

// enough is the least that would do in the need's place beside the rest; of a need that may
// not go, for only it names some operation, what it has to do itself.
func (r *reduction) enough(n *need, rest scopes.Set) scopes.Set {
	beside := r.cover(r.toCover(n, rest), rest, rest)
	if beside.Len() > 0 || len(r.onlyNamedBy(n)) == 0 {
		return beside
	}
	own := r.cover(r.toCover(n, scopes.Set{}), scopes.Set{}, rest).Minus(rest)
	if own.Has(n.AnyOf[0]) {
		return beside
	}
	return own
}

// toCover are the requirements that the replacement of a need has to cover beside the rest, each
// reduced to what the need does for it: every one that is met today stays met, and what is not
// met lacks no more than today.
func (r *reduction) toCover(n *need, rest scopes.Set) []*requirement {
	var list []*requirement
	kept := r.keptFor(n)
	for _, one := range n.helps {
		part := *one
		if part.AnyOf = r.waysWith(n, one, kept, rest); len(part.AnyOf) > 0 {
			list = append(list, &part)
		}
	}
	return list
}

// waysWith are the ways to meet a requirement, as far as they are the need's to cover. A way
// that leans on others than the rest, which are less urgent, counts only where there is no
// better one. No ways: the need does nothing for it.
func (r *reduction) waysWith(n *need, one *requirement, kept, rest scopes.Set) [][]string {
	whole := n.standing == standingEverything
	met := one.MetBy(kept, r.implies)
	var ways, leaning [][]string
	var mine []string
	for _, all := range one.AnyOf {
		if whole && slices.Contains(all, everything) || met && len(missing(all, kept, r.implies)) > 0 {
			continue
		}
		own := scopes.NewSet(all...).Where(func(word string) bool { return r.covers(n.AnyOf[0], word) })
		others := scopes.NewSet(all...).Minus(own).Slice()
		mine = append(mine, own.Slice()...)
		if len(missing(others, rest, r.implies)) == 0 {
			ways = append(ways, own.Slice())
		} else if own.Len() > 0 {
			leaning = append(leaning, own.Slice())
		}
	}
	switch {
	case !met && len(mine) > 0:
		return [][]string{mine}
	case !met:
		return nil
	case len(ways) > 0:
		return ways
	case len(leaning) > 0 || !whole:
		return leaning
	}
	return one.AnyOf // what * is an alternative to is less than *
}

// onlyNamedBy are the operations that are in use, and require a scope, only because the need
// names them.
func (r *reduction) onlyNamedBy(n *need) []scopes.Operation {
	var only []scopes.Operation
	for _, m := range n.mentions {
		for _, at := range m.sources {
			one := &r.requirements[at]
			op := one.Operation.Unplaced()
			if one.Silent() || one.MetBy(scopes.Set{}, r.implies) || one.use > useNamed || slices.Contains(only, op) {
				continue
			}
			if !slices.ContainsFunc(r.naming[op], func(by naming) bool {
				return by.Key() != n.Key() && r.counts(by.Need) && !r.dropped[by.Name()]
			}) {
				only = append(only, op)
			}
		}
	}
	return only
}

// settle gives the finding its fix, and takes the need for lowered. Where people have to
// decide there is none: a lesser scope that is declared already, and less urgently, and a
// need that could go, were it not the only one to name an operation in use.
func (r *reduction) settle(found *Finding, n *need, instead scopes.Set) {
	only := r.onlyNamedBy(n)
	for scope := range instead.All() {
		if level, there := r.kept[scope]; there {
			found.Message += text.Line(fmt.Sprintf("; %s is declared already, as %s", scope, level))
			return
		}
	}
	if instead.Len() == 0 && len(only) > 0 {
		found.Message += text.Line("; but no other entry names " + only[0].String())
		return
	}
	if r.isWaived(OverLevel, n.Name()) {
		return
	}
	found.fix = r.replaceBy(n, r.inPlaceOf(n, instead, only))
	delete(r.kept, n.AnyOf[0])
	for scope := range instead.All() {
		r.kept[scope] = n.Level
	}
	r.dropped[n.Name()] = instead.Len() == 0
}

// inPlaceOf are needs that declare lesser scopes. They name every operation that would be out
// of use otherwise.
func (r *reduction) inPlaceOf(n *need, lesser scopes.Set, only []scopes.Operation) []scopes.Need {
	var list []scopes.Need
	serving := r.servingAmong(n.helps)
	for scope := range lesser.All() {
		one := r.propose(scope, serving[scope])
		one.Unadvertised = one.Unadvertised || n.Unadvertised && r.Server.Says(scope) == scopes.AdvertisedUnknown
		only = slices.DeleteFunc(only, func(op scopes.Operation) bool { return slices.Contains(one.UsedBy, op) })
		list = append(list, one)
	}
	if len(list) > 0 {
		list[0].UsedBy = append(list[0].UsedBy, only...)
	}
	return list
}

// replaceBy puts needs in the place of each declaration of one, with its level.
func (f *facts) replaceBy(n *need, by []scopes.Need) map[declaration][]scopes.Need {
	fix := make(map[declaration][]scopes.Need)
	for _, d := range f.places[n.Key()] {
		next := make([]scopes.Need, len(by))
		for i, instead := range by {
			next[i] = d
			next[i].AnyOf = instead.AnyOf
			if len(by) > 1 || instead.Unadvertised && !d.Unadvertised { // more than the scope has to be said
				next[i].Why, next[i].UsedBy, next[i].Unadvertised = instead.Why, instead.UsedBy, instead.Unadvertised
			}
		}
		fix[declarationOf(d)] = next
	}
	return fix
}
