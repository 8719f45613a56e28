package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A suspect is an entry that may ask for more than the evidence needs.
type suspect struct {
	*needView
	entry *scopes.Need
	whole bool       // it asks for everything, and nothing in use insists on that
	rank  int        // how many scopes cover its own: the fewer, the more it permits
	left  scopes.Set // of what is left, see [audit.narrow]: what covers a word of its needs
}

func (a *auditor) suspect(e *scopes.Need, v *needView, whole bool) {
	s := suspect{needView: v, entry: e, whole: whole}
	for range a.implies.Covering(e.AnyOf[0]) {
		s.rank++
	}
	a.suspects = append(a.suspects, s)
}

// narrow finds the entries of which lesser scopes would do. Each is judged by what is
// left once those before it are mended: of two of which either would do, one stays, and
// all can be mended at once. What asks for everything comes first, for what else is
// declared says more; then what is least urgent, then what permits most.
func (a *auditor) narrow(f *Findings) {
	first := func(s *suspect) int {
		if s.whole {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(a.suspects, func(x, y suspect) int {
		return cmp.Or(cmp.Compare(first(&x), first(&y)), cmp.Compare(x.entry.Level, y.entry.Level), cmp.Compare(x.rank, y.rank))
	})
	a.left, a.gone = make(map[string]scopes.Level), make(map[string]bool)
	for i := range a.declared {
		if e := &a.declared[i]; len(e.AnyOf) == 1 {
			a.left[e.AnyOf[0]] = e.Level
		}
	}
	for _, one := range f.Findings {
		if one.Kind == Unused && !a.waived(&one) {
			a.gone[one.Scope] = true
		}
	}
	for i := range a.suspects {
		s := &a.suspects[i]
		s.left = a.around(s.needs)
		if s.whole {
			a.wholeOf(f, s)
		} else {
			a.tooMuch(f, s)
		}
	}
}

// around are the scopes that are left and cover a word of the needs: mostly a few of
// thousands.
func (a *auditor) around(needs []*Requirement) scopes.Set {
	var list []string
	take := func(scope string) {
		if _, there := a.left[scope]; there {
			list = append(list, scope)
		}
	}
	for _, n := range needs {
		for _, word := range slices.Concat(n.AnyOf...) {
			take(word)
			for by := range a.implies.Covering(word) {
				take(by)
			}
		}
	}
	return scopes.NewSet(list...)
}

// wholeOf finds an entry that asks for everything.
func (a *auditor) wholeOf(f *Findings, s *suspect) {
	found := a.finding(OverLevel, s.entry, evidenceOf(s.needs), wholeScope+" asks for everything")
	if len(s.entry.AnyOf) == 1 && len(s.needs) > 0 && !s.any(useSeen) && !a.vague(s) {
		rest := s.left.Minus(scopes.NewSet(wholeScope))
		instead := a.enough(s, rest)
		found.Message = text.Line(fmt.Sprintf("%s asks for everything, where %s would do", wholeScope, otherwise(instead)))
		a.replace(&found, s, instead)
	}
	f.Findings = append(f.Findings, found)
}

func otherwise(instead scopes.Set) string {
	if instead.Len() == 0 {
		return "what else is declared"
	}
	return strings.Join(instead.Slice(), ", ")
}

// tooMuch finds an entry of which a lesser scope would do: a write of which only
// reads are needed, or seen.
func (a *auditor) tooMuch(f *Findings, s *suspect) {
	instead, evidence := a.lesser(s), evidenceOf(s.needs)
	if len(s.needs) == 0 {
		instead, evidence = a.lesserSeen(s), s.lines
	}
	if instead == nil {
		return
	}
	found := a.finding(OverLevel, s.entry, evidence, fmt.Sprintf("%s is asked for, where %s would do", s.entry.Name(), otherwise(*instead)))
	a.replace(&found, s, *instead)
	f.Findings = append(f.Findings, found)
}

// lesser is the least set of scopes that would do in place of the entry's, all of
// them implied by it; nil where there is none. Where the evidence leaves open what
// some use needs, there is none. Others that are declared stand in for the entry where
// they are as urgent.
func (a *auditor) lesser(s *suspect) *scopes.Set {
	scope := s.entry.AnyOf[0]
	covers := slices.ContainsFunc(s.needs, func(n *Requirement) bool {
		return slices.ContainsFunc(slices.Concat(n.AnyOf...), func(word string) bool { return a.within(word, scope) })
	})
	if !covers || a.vague(s) || s.unsafe() {
		return nil
	}
	rest := s.left.Where(func(other string) bool { return other != scope && a.left[other] >= s.entry.Level })
	instead := a.enough(s, rest)
	if instead.Has(scope) {
		return nil
	}
	return &instead
}

// vague reports whether the entry may serve an operation of which it is not known what it
// needs.
func (a *auditor) vague(s *suspect) bool {
	doubtful := func(c usage) bool { return c.doubtful }
	return s.any(useUnknown) || slices.ContainsFunc(s.calls, doubtful) || len(s.entry.UsedBy) == 0 && a.blind
}

// within reports whether the scope covers the word, and is another one.
func (a *auditor) within(word, scope string) bool {
	_, ok := a.implies.CoveredBy(scopes.NewSet(scope), word)
	return ok && word != scope
}
