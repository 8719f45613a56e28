package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Least is a small set of scopes for everything that the evidence shows in use: it covers
// all that is required, and none of it can be left out.
type Least struct {
	Scopes scopes.Set
	Needs  []scopes.Need // the same, as a manifest declares them

	// Kept are declared needs besides: of operations that are in use or may be, and of which no
	// source says what they require.
	Kept []scopes.Need
}

func (f *facts) least() Least {
	set := f.cover(f.inUse, scopes.Set{}, f.words)
	l := Least{Scopes: set}
	serving := f.serving(f.inUse)
	for scope := range set.All() {
		at := slices.IndexFunc(f.needs, func(n need) bool { return len(n.AnyOf) == 1 && n.AnyOf[0] == scope })
		if at >= 0 {
			l.Needs = append(l.Needs, f.needs[at].Need)
			continue
		}
		l.Needs = append(l.Needs, f.propose(scope, serving[scope]))
	}
	for i := range f.needs {
		n := &f.needs[i]
		if !f.isUndescribed(n) || slices.ContainsFunc(n.AnyOf, func(scope string) bool { _, covered := f.implies.CoveredBy(set, scope); return covered }) {
			continue
		}
		l.Kept = append(l.Kept, n.Need)
	}
	return l
}
