package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Fixing says which findings [Fixed] settles.
type Fixing struct {
	Write   bool   // add what is undeclared
	Lower   bool   // lower what is over_level: to another level, to lesser scopes, or to nothing where others do
	Prune   bool   // remove what is unused
	Program string // whose list takes the new needs, one of those audited; "" for the base
}

// Fixed is the manifest of a question as it has to be, so that an audit finds nothing of the
// chosen kinds that can be settled without a person; findings that are waived stay.
//
// All of it is worked out on the facts. A need that goes can take the only mention of an
// operation with it, so that another one is unused, and one that is lowered can let another go.
// Each step adds a scope that was not added before, or leaves a need fewer, lesser scopes or a
// lower level: so there is a last one.
//
// A need that takes the place of a declaration has its Line and Column; a new one has none.
func Fixed(q Question, how Fixing) (*manifest.Manifest, error) {
	added := make(map[string]bool)
	for changed := true; changed; {
		f, err := newFacts(q)
		if err != nil {
			return nil, err
		}
		fixes := f.fixes(how)
		if how.Write {
			fixes[declaration{program: how.Program}] = f.additions(how.Program, added)
		}
		q.Manifest, changed = revised(q.Manifest, fixes)
	}
	return q.Manifest, nil
}

// fixes are what becomes of declarations. One that is too urgent and too wide gets both: lesser
// scopes, with the lower level.
func (f *facts) fixes(how Fixing) map[declaration][]scopes.Need {
	fixes := make(map[declaration][]scopes.Need)
	for _, rule := range Rules() {
		if !(rule.Kind == Unused && how.Prune || rule.Kind == OverLevel && how.Lower) {
			continue
		}
		for _, one := range rule.find(f) {
			if f.isWaived(one.Kind, one.Scope) {
				continue
			}
			for at, by := range one.fix {
				for _, lower := range fixes[at] {
					for i := range by {
						by[i].Level = min(by[i].Level, lower.Level)
					}
				}
				fixes[at] = by
			}
		}
	}
	return fixes
}

// additions are the needs that have to be added, without those that were added before.
func (f *facts) additions(program string, added map[string]bool) []scopes.Need {
	var list []scopes.Need
	g := f.gap()
	serving := f.servingAmong(g.asked)
	for scope := range g.add.All() {
		n := f.propose(scope, serving[scope])
		if program != "" {
			n.Programs = []string{program}
		}
		if !added[scope] {
			added[scope], list = true, append(list, n)
		}
	}
	return list
}

// revised is the manifest with declarations replaced; changed reports whether it is another one.
// What is in the place of no key is new, and comes behind the others of its list.
func revised(m *manifest.Manifest, fixes map[declaration][]scopes.Need) (next *manifest.Manifest, changed bool) {
	revise := func(program string, needs []scopes.Need) (list []scopes.Need) {
		there := make(map[string]bool) // what a list declares already is not declared again
		for _, n := range needs {
			if _, goes := fixes[declarationOf(n)]; !goes {
				there[n.Key()] = true
			}
		}
		take := func(more []scopes.Need) {
			for _, n := range more {
				if !there[n.Key()] {
					there[n.Key()] = true
					list = append(list, n)
				}
			}
		}
		for _, n := range needs {
			if by, goes := fixes[declarationOf(n)]; goes {
				take(by)
			} else {
				list = append(list, n)
			}
		}
		take(fixes[declaration{program: program}])
		same := func(a, b scopes.Need) bool { return a.Level == b.Level && slices.Equal(a.AnyOf, b.AnyOf) }
		changed = changed || !slices.EqualFunc(list, needs, same)
		return list
	}
	copied := *m
	copied.Scopes, copied.Programs = revise("", m.Scopes), slices.Clone(m.Programs)
	for i := range copied.Programs {
		copied.Programs[i].Scopes = revise(copied.Programs[i].Name, copied.Programs[i].Scopes)
	}
	return &copied, changed
}
