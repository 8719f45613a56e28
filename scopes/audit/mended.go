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
		d := draft{facts: f, by: f.fixes(how), program: how.Program}
		if how.Write {
			d.add = slices.DeleteFunc(f.missing(), func(n scopes.Need) bool { return added[n.Key()] })
		}
		for _, n := range d.add {
			added[n.Key()] = true
		}
		q.Manifest, changed = d.manifest()
	}
	return q.Manifest, nil
}

// missing are the needs that have to be added.
func (f *facts) missing() []scopes.Need {
	var list []scopes.Need
	g := f.gap()
	serving := f.serving(g.asked)
	for scope := range g.add.All() {
		list = append(list, f.propose(scope, serving[scope]))
	}
	return list
}

// fixes are what becomes of declarations. One that is too urgent and too wide gets both: lesser
// scopes, with the lower level.
func (f *facts) fixes(how Mending) map[declaration]replacement {
	fixes := make(map[declaration]replacement)
	for _, rule := range Rules() {
		if !(rule.Kind == Unused && how.Prune || rule.Kind == OverLevel && how.Lower) {
			continue
		}
		for _, one := range rule.find(f) {
			if f.isWaived(one.Kind, one.Scope) {
				continue
			}
			for _, fix := range one.fix {
				at := declarationOf(fix.of)
				for _, lower := range fixes[at].by {
					for i := range fix.by {
						fix.by[i].Level = min(fix.by[i].Level, lower.Level)
					}
				}
				fixes[at] = fix
			}
		}
	}
	return fixes
}

// A declaration is where a need is declared: no list has two of a key.
type declaration struct{ program, key string }

func declarationOf(n scopes.Need) declaration {
	if len(n.Programs) == 0 {
		return declaration{"", n.Key()}
	}
	return declaration{n.Programs[0], n.Key()}
}

// A draft is a manifest that is to be: with replacements, and with new needs in the list of a
// program.
type draft struct {
	*facts
	by      map[declaration]replacement
	add     []scopes.Need
	program string
}

// manifest returns the draft, and reports whether it is another manifest than that of the facts.
func (d *draft) manifest() (next *manifest.Manifest, changed bool) {
	m := *d.Manifest
	m.Programs = slices.Clone(m.Programs)
	m.Scopes, changed = d.list("", m.Scopes)
	for i := range m.Programs {
		list, other := d.list(m.Programs[i].Name, m.Programs[i].Scopes)
		m.Programs[i].Scopes, changed = list, changed || other
	}
	return &m, changed
}

// list is one list of the draft. Where it has a need already, that is not declared again.
func (d *draft) list(program string, needs []scopes.Need) (list []scopes.Need, changed bool) {
	there := make(map[string]bool)
	for _, n := range needs {
		if _, goes := d.by[declarationOf(n)]; !goes {
			there[n.Key()] = true
		}
	}
	take := func(more []scopes.Need) {
		for _, n := range more {
			if !there[n.Key()] {
				there[n.Key()] = true
				list, changed = append(list, n), true
			}
		}
	}
	for _, n := range needs {
		if fix, is := d.by[declarationOf(n)]; is {
			take(fix.by)
			changed = true
			continue
		}
		list = append(list, n)
	}
	if program == d.program {
		for i := range d.add {
			if program != "" {
				d.add[i].Programs = []string{program}
			}
		}
		take(d.add)
	}
	return list, changed
}
