package audit

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// enough is the least that would do in the entry's place beside the rest; of an entry that
// may not go, for only it names some operation, what it has to do itself.
func (a *auditor) enough(s *suspect, rest scopes.Set) scopes.Set {
	cover := a.cover(a.owed(s, rest), rest, rest).Scopes
	if cover.Len() > 0 || len(a.lone(s.entry)) == 0 {
		return cover
	}
	own := a.cover(a.owed(s, scopes.Set{}), scopes.Set{}, rest).Scopes.Minus(rest)
	if own.Has(s.entry.AnyOf[0]) {
		return cover
	}
	return own
}

// owed is what the entry's scope, or others in its place, have to cover, so that each
// need stays met, and that none of which something lacks comes to lack more. rest are
// those that may stand in for it: a way that leans on others, less urgent ones, counts only
// where there is no better.
func (a *auditor) owed(s *suspect, rest scopes.Set) []*Requirement {
	only := scopes.NewSet(s.entry.AnyOf[0])
	covers := func(word string) bool { _, ok := a.implies.CoveredBy(only, word); return ok }
	var owed []*Requirement
	for _, n := range s.needs {
		var ways, weaker [][]string
		free, met := false, n.MetBy(s.left, a.implies)
		for _, all := range n.AnyOf {
			mine := scopes.NewSet(all...).Where(covers)
			others := scopes.NewSet(all...).Minus(mine).Slice()
			switch mine := mine.Slice(); {
			case met && len(lacks(all, s.left, a.implies)) > 0, s.whole && slices.Contains(all, wholeScope):
			case len(mine) > 0 && met && len(lacks(others, rest, a.implies)) > 0:
				weaker = append(weaker, mine)
			case len(mine) > 0:
				ways = append(ways, mine)
			case met:
				free = free || len(lacks(all, rest, a.implies)) == 0
			}
		}
		if len(ways) == 0 && !free {
			ways = weaker
		}
		switch {
		case !met:
			ways = [][]string{slices.Concat(ways...)}
		case s.whole && !free && len(ways) == 0: // what stands beside * is less than that
			ways = n.AnyOf
		}
		if !free && len(ways) > 0 {
			one := *n
			one.AnyOf = ways
			owed = append(owed, &one)
		}
	}
	return owed
}

// replace gives the finding its fix, and takes the entry for mended. Where people have to
// decide there is none: a lesser scope that is declared already, and less urgently, and an
// entry that could go, were it not the only one to name an operation in use.
func (a *auditor) replace(found *Finding, s *suspect, instead scopes.Set) {
	e, lone := s.entry, a.lone(s.entry)
	for scope := range instead.All() {
		if level, there := a.left[scope]; there {
			found.Message += text.Line(fmt.Sprintf("; %s is declared already, as %s", scope, level))
			return
		}
	}
	if instead.Len() == 0 && len(lone) > 0 {
		found.Message += text.Line("; but no other entry names " + lone[0].String())
		return
	}
	// A name that another entry has just given up is for the next edit to take.
	if a.waived(found) || instead.Where(a.fixed.Has).Len() > 0 {
		return
	}
	found.Fix = Fix{Entries: a.places[e.Key()], Narrow: true, Instead: a.inPlaceOf(s, instead, lone)}
	delete(a.left, e.AnyOf[0])
	for scope := range instead.All() {
		a.left[scope] = e.Level
	}
	a.gone[e.Name()] = instead.Len() == 0
}

// lone are the operations that are in use, and need a scope, only because the entry names
// them.
func (a *auditor) lone(e *scopes.Need) []scopes.Operation {
	var uses []scopes.Operation
	for _, u := range e.UsedBy {
		for _, at := range a.catalog.MatchRecorded(u) {
			n := &a.needs[at]
			op := n.Operation.Unplaced()
			if n.Silent() || n.MetBy(scopes.Set{}, a.implies) || a.stands[at] || slices.Contains(uses, op) {
				continue
			}
			if !slices.ContainsFunc(a.naming()[op], func(by namer) bool {
				return by.entry.Key() != e.Key() && a.counts(by.entry) && !a.gone[by.entry.Name()]
			}) {
				uses = append(uses, op)
			}
		}
	}
	return uses
}

// inPlaceOf are entries that declare lesser scopes as the entry was declared. They name
// every operation that would else be out of use.
func (a *auditor) inPlaceOf(s *suspect, lesser scopes.Set, lone []scopes.Operation) []scopes.Need {
	var list []scopes.Need
	serving := a.serving(s.needs)
	for scope := range lesser.All() {
		one := a.newEntry(scope, serving[scope])
		one.Unadvertised = one.Unadvertised || s.entry.Unadvertised && a.Server.Says(scope) == scopes.AdvertisedUnknown
		lone = slices.DeleteFunc(lone, func(u scopes.Operation) bool { return slices.Contains(one.UsedBy, u) })
		list = append(list, one)
	}
	if len(list) > 0 {
		list[0].UsedBy = append(list[0].UsedBy, lone...)
	}
	return list
}
