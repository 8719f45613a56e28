package declared

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Difference is one thing that a file and a manifest ask for differently.
type Difference struct {
	Kind  DifferenceKind
	Scope string      // in the manifest's word, or the file's where only that has it
	Need  scopes.Need // of the manifest; zero where only the file asks for it
	At    Scope       // of the file; zero where only the manifest asks for it
}

// DifferenceKind sorts differences.
type DifferenceKind string

// The kinds of differences.
const (
	OnlyInFile     DifferenceKind = "only_in_file"
	OnlyInManifest DifferenceKind = "only_in_manifest"
	OtherLevel     DifferenceKind = "other_level"
)

// Compare says what a file and the needs of a manifest ask for differently, by meaning: what another
// declared scope implies need not stand in the file and may, and so may each of several alternatives. In the
// manifest's order, then the file's.
func (f *File) Compare(needs []scopes.Need, implies scopes.Implications) []Difference {
	var list []Difference
	for _, w := range f.wanted(needs, implies) {
		switch {
		case len(w.standing) == 0:
			list = append(list, Difference{Kind: OnlyInManifest, Scope: w.scope, Need: w.need})
		case !w.fits():
			list = append(list, Difference{Kind: OtherLevel, Scope: w.scope, Need: w.need, At: *w.standing[0]})
		}
	}
	for _, s := range f.unwanted(needs, implies) {
		list = append(list, Difference{Kind: OnlyInFile, Scope: s.Name, At: s})
	}
	return list
}

// A want is a scope that the manifest asks for.
type want struct {
	scope    string
	need     scopes.Need
	standing []*Scope // how the file has it: once for a token
}

// fits reports whether the file has it so that its level is kept.
func (w want) fits() bool {
	return slices.ContainsFunc(w.standing, func(s *Scope) bool { return s.takes(w.need.Level) })
}

// rank is how well the file has it: 2 at a level that fits, 1 at another, 0 not at all.
func (w want) rank() int {
	switch {
	case w.fits():
		return 2
	case len(w.standing) > 0:
		return 1
	}
	return 0
}

// want is one scope that a need asks for.
func (f *File) want(scope string, need scopes.Need, implies scopes.Implications) want {
	w := want{scope: scope, need: need}
	for i := range f.Scopes {
		if _, ok := implies.Among(scopes.NewSet(f.Scopes[i].Name), scope); ok {
			w.standing = append(w.standing, &f.Scopes[i])
		}
	}
	return w
}

// wanted is what the manifest asks for, in its order. Where the file tells levels apart, a scope that may be
// refused stands in for none of a higher level.
func (f *File) wanted(needs []scopes.Need, implies scopes.Implications) []want {
	near := slices.Clone(needs) // of alternatives those first that the file has, at a level that fits
	for i, n := range near {
		if len(n.AnyOf) > 1 {
			near[i].AnyOf = slices.Clone(n.AnyOf)
			slices.SortStableFunc(near[i].AnyOf, func(a, b string) int {
				return f.want(b, n, implies).rank() - f.want(a, n, implies).rank()
			})
		}
	}
	asked := make(map[string]int) // where in the list
	var list []want
	for i, item := range f.negotiate(near, implies) {
		if item.Asked == "" {
			continue
		}
		if at, again := asked[item.Asked]; again {
			if needs[i].Level > list[at].need.Level {
				list[at].need = needs[i]
			}
			continue
		}
		asked[item.Asked] = len(list)
		list = append(list, f.want(item.Asked, needs[i], implies))
	}
	return list
}

// negotiate is what would be asked for each need.
func (f *File) negotiate(needs []scopes.Need, implies scopes.Implications) []scopes.Item {
	all := scopes.Negotiate(scopes.Negotiation{Needs: needs, Implies: implies}).Scopes
	if !f.Kind.HasLevels() {
		return all
	}
	for _, level := range scopes.Levels() {
		var some []scopes.Need
		var at []int
		for i, n := range needs {
			if n.Level >= level {
				some, at = append(some, n), append(at, i)
			}
		}
		for i, item := range scopes.Negotiate(scopes.Negotiation{Needs: some, Implies: implies}).Scopes {
			if item.Need.Level == level {
				all[at[i]] = item
			}
		}
	}
	return all
}

// unwanted are the scopes of the file that no need names and nothing that is asked for implies.
func (f *File) unwanted(needs []scopes.Need, implies scopes.Implications) []Scope {
	var named []string
	for _, n := range needs {
		named = append(named, n.AnyOf...)
	}
	all := scopes.NewSet(named...)
	var list []Scope
	asked := scopes.Negotiate(scopes.Negotiation{Needs: needs, Implies: implies}).Request
	for _, s := range f.Scopes {
		_, declared := implies.Among(all, s.Name)
		_, implied := implies.CoveredBy(asked, s.Name)
		if !declared && !implied {
			list = append(list, s)
		}
	}
	return list
}
