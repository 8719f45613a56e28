package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Mending says which findings [Mended] settles.
type Mending struct {
	Write   bool   // add what is undeclared
	Lower   bool   // lower what is over_level: to another level, to lesser scopes, or to nothing where others do
	Prune   bool   // remove what is unused
	Program string // whose list takes the new needs, one of those audited; "" for the base
}

// Mended is the manifest of a question as it has to be, so that an audit finds nothing of the
// chosen kinds that can be settled without a person; findings that are waived stay.
//
// All of it is worked out on the facts. A need that goes can take the only mention of an
// operation with it, so that another one is unused, and one that is lowered can let another go.
// Each step adds a scope that was not added before, or leaves a need fewer, lesser scopes or a
// lower level: so there is a last one.
//
// A need that takes the place of a declaration has its Line and Column; a new one has none.
func Mended(q Question, how Mending) (*manifest.Manifest, error) {
	added := make(map[string]bool)
	for changed := true; changed; {
		f, err := newFacts(q)
		if err != nil {
			return nil, err
		}
		var add []scopes.Need
		if how.Write {
			add = slices.DeleteFunc(f.missing(), func(n scopes.Need) bool { return added[n.Key()] })
		}
		for _, n := range add {
			added[n.Key()] = true
		}
		q.Manifest, changed = revised(q.Manifest, f.fixes(how), add, how.Program)
	}
	return q.Manifest, nil
}

// fixes are what becomes of declarations. One that is too urgent and too wide gets both: lesser
// scopes, with the lower level.
func (f *facts) fixes(how Mending) map[declaration][]scopes.Need {
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

// missing are the needs that have to be added.
func (f *facts) missing() []scopes.Need {
	var list []scopes.Need
	g := f.gap()
	serving := f.servingAmong(g.asked)
	for scope := range g.add.All() {
		list = append(list, f.propose(scope, serving[scope]))
	}
	return list
}

// revised is the manifest with declarations replaced, and with new needs in the list of a
// program; changed reports whether it is another one.
func revised(m *manifest.Manifest, fixes map[declaration][]scopes.Need, add []scopes.Need, program string) (next *manifest.Manifest, changed bool) {
	for i := range add {
		if program != "" {
			add[i].Programs = []string{program}
		}
	}
	revise := func(name string, list []scopes.Need) []scopes.Need {
		var more []scopes.Need
		if name == program {
			more = add
		}
		list, other := revisedList(list, fixes, more)
		changed = changed || other
		return list
	}
	copied := *m
	copied.Scopes, copied.Programs = revise("", m.Scopes), slices.Clone(m.Programs)
	for i := range copied.Programs {
		p := &copied.Programs[i]
		p.Scopes = revise(p.Name, p.Scopes)
	}
	return &copied, changed
}

// revisedList is one list of it. What a list declares already is not declared again.
func revisedList(needs []scopes.Need, fixes map[declaration][]scopes.Need, add []scopes.Need) (list []scopes.Need, changed bool) {
	there := make(map[string]bool)
	for _, n := range needs {
		if _, goes := fixes[declarationOf(n)]; !goes {
			there[n.Key()] = true
		}
	}
	take := func(more []scopes.Need) {
		for _, n := range more {
			if !there[n.Key()] {
				there[n.Key()], changed = true, true
				list = append(list, n)
			}
		}
	}
	for _, n := range needs {
		if by, goes := fixes[declarationOf(n)]; goes {
			changed = true
			take(by)
		} else {
			list = append(list, n)
		}
	}
	take(add)
	return list, changed
}
