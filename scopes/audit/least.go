package audit

import (
	"cmp"
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Least is a small set of scopes for everything that the evidence shows in use: it covers
// all that is required, and none of it can be left out. What waivers keep is in it, and what they
// refuse is not.
type Least struct {
	Scopes scopes.Set
	// Needs are the same, as a manifest declares them. A scope that takes the place of declared
	// needs has the highest of their levels, their reasons, and their operations.
	Needs []scopes.Need
	// Kept are further declared needs: for operations that are in use, or may be, and that no
	// source describes.
	Kept []scopes.Need
}

func (f *facts) least() Least {
	kept := f.keptByWaivers()
	l := Least{Scopes: kept.Union(f.cover(f.preferListed(f.unrefused(f.inUse)), kept, f.words)).Sorted()}
	serving := make(map[*requirement][]string) // what of the set does
	for scope := range l.Scopes.All() {
		for _, r := range f.serving[scope] {
			serving[r] = append(serving[r], scope)
		}
	}
	declared, replaced := make(map[string]*need), make(map[string][]*need)
	for i := range f.needs {
		n := &f.needs[i]
		by, covered := f.coveredBy(n, l.Scopes)
		switch {
		case len(n.AnyOf) == 1 && l.Scopes.Has(n.AnyOf[0]):
			declared[n.AnyOf[0]] = n
			continue
		case f.isUndescribed(n) && !covered:
			l.Kept = append(l.Kept, n.Need)
			continue
		case !f.isUndescribed(n):
			by = nil
		}
		for scope := range scopes.NewSet(append(by, f.replacing(n, serving)...)...).All() {
			replaced[scope] = append(replaced[scope], n)
		}
	}
	for scope := range l.Scopes.All() {
		l.Needs = append(l.Needs, f.declare(scope, declared[scope], replaced[scope]))
	}
	return l
}

// keptByWaivers are declared scopes that a waiver says are right, though the evidence needs less.
func (f *facts) keptByWaivers() scopes.Set {
	return f.certain.Where(func(scope string) bool { return f.isWaived(OverLevel, scope) || f.isWaived(Unused, scope) })
}

// unrefused are requirements without the scopes that a waiver says will not be declared.
func (f *facts) unrefused(list []*requirement) []*requirement {
	refuses := func(scope string) bool { return f.isWaived(Undeclared, scope) && !f.words.Has(scope) }
	list = slices.Clone(list)
	for i, r := range list {
		one := *r
		one.AnyOf = slices.Clone(waysWithout(r.AnyOf, refuses))
		for j, all := range one.AnyOf {
			one.AnyOf[j] = slices.DeleteFunc(slices.Clone(all), refuses)
		}
		list[i] = &one
	}
	return list
}

// coveredBy is the scope of a set that covers one of the need's.
func (f *facts) coveredBy(n *need, set scopes.Set) (by []string, ok bool) {
	for _, word := range n.AnyOf {
		if scope, ok := f.implies.CoveredBy(set, word); ok {
			return []string{scope}, true
		}
	}
	return nil, false
}

// replacing are the scopes of a set that do the work of a need, for each requirement that it helps
// to meet: those that it covers or that cover it, else those that meet it in another way. serving
// are those that help to meet a requirement.
func (f *facts) replacing(n *need, serving map[*requirement][]string) []string {
	var list []string
	for _, r := range n.helps {
		akin := slices.DeleteFunc(slices.Clone(serving[r]), func(scope string) bool {
			return !f.helps(n, [][]string{{scope}}) && !slices.ContainsFunc(n.AnyOf, func(word string) bool { return f.covers(scope, word) })
		})
		if len(akin) == 0 {
			akin = serving[r]
		}
		list = append(list, akin...)
	}
	return list
}

// declare declares a scope as the need does that declares it today, else as the evidence has it;
// and as those do that it replaces: the highest level counts, and its reason comes first.
func (f *facts) declare(scope string, today *need, replaced []*need) scopes.Need {
	n := f.propose(scope, f.serving[scope])
	if today != nil {
		n, replaced = today.Need, append([]*need{today}, replaced...)
	} else if len(replaced) > 0 && !slices.ContainsFunc(f.serving[scope], f.isUnmet) {
		n.Level = scopes.Optional // it is there for nothing else
	}
	n.UsedBy = slices.Clone(n.UsedBy)
	var reasons []string
	for _, old := range slices.SortedStableFunc(slices.Values(replaced), func(a, b *need) int { return cmp.Compare(b.Level, a.Level) }) {
		n.Level, reasons = max(n.Level, old.Level), append(reasons, old.Why)
		n.Unadvertised = n.Unadvertised || old.Unadvertised && f.Server.Says(scope) == scopes.AdvertisedUnknown
		for _, m := range old.mentions {
			same := func(op scopes.Operation) bool {
				return op.Unplaced() == m.op.Unplaced() || len(m.sources) > 0 && slices.Equal(f.catalog.MatchRecorded(op), m.sources)
			}
			if f.mayServe(scope, &m) && !slices.ContainsFunc(n.UsedBy, same) {
				n.UsedBy = append(n.UsedBy, m.op)
			}
		}
	}
	n.Why = cmp.Or(joinReasons(reasons), n.Why)
	return n
}

// mayServe reports whether an operation requires the scope, or is not described.
func (f *facts) mayServe(scope string, m *mention) bool {
	return m.state == mentionUnknown || m.state == mentionSeen || slices.ContainsFunc(m.sources, func(at int) bool {
		return slices.Contains(f.serving[scope], &f.requirements[at])
	})
}
