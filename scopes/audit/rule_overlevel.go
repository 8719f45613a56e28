package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

var overLevelRule = Rule{
	Kind:    OverLevel,
	Summary: "More is asked, or more urgently, than the evidence needs.",
	Help:    "Lower it: ambit audit --lower; or waive the finding with a reason.",
	find:    findOverLevel,
}

// findOverLevel finds needs that are too urgent, and needs for which lesser scopes would do.
// The latter are judged one after the other, by what is left once the ones before are lowered.
// So one of two stays where either would do, and all can be lowered at once. What asks for
// everything comes first, for what else is declared is more exact; then what is least urgent,
// then what permits most.
func findOverLevel(f *facts) []Finding {
	var found []Finding
	var wide []*need
	for i := range f.needs {
		n := &f.needs[i]
		if one, is := f.tooUrgent(n); is {
			found = append(found, one)
		}
		if n.standing == standingEverything || n.standing == standingRequired && len(n.AnyOf) == 1 {
			wide = append(wide, n)
		}
	}
	slices.SortStableFunc(wide, func(a, b *need) int {
		return cmp.Or(cmp.Compare(a.standing, b.standing), cmp.Compare(a.Level, b.Level), cmp.Compare(f.rank(a.AnyOf[0]), f.rank(b.AnyOf[0])))
	})
	r := newReduction(f)
	for _, n := range wide {
		if one, is := r.tooWide(n); is {
			found = append(found, one)
		}
	}
	return found
}

// rank is how many scopes cover this one: the fewer, the more it permits.
func (f *facts) rank(scope string) int {
	rank := 0
	for range f.implies.Covering(scope) {
		rank++
	}
	return rank
}

// tooUrgent finds a required need whose every operation is named by other declarations too, and
// there only for optional features.
func (f *facts) tooUrgent(n *need) (Finding, bool) {
	if n.Level != scopes.Required || n.standing != standingRequired || len(n.helps) == 0 {
		return Finding{}, false
	}
	var evidence []string
	for _, r := range n.helps {
		before := len(evidence)
		for _, by := range f.naming[r.Operation.Unplaced()] {
			if by.Key() == n.Key() || !f.counts(by.Need) {
				continue
			}
			if by.Level != scopes.Optional {
				return Finding{}, false
			}
			evidence = append(evidence, text.Line(fmt.Sprintf("%s is for %s, which is optional (%s:%d)", r.Operation, by.Name(), by.File, by.line)))
		}
		if len(evidence) == before {
			return Finding{}, false
		}
	}
	found := n.about(OverLevel, scopes.NewSet(evidence...).Slice(), fmt.Sprintf("%s is required, and only optional features use it", n.Name()))
	found.fix = make(map[declaration][]scopes.Need)
	for _, d := range f.places[n.Key()] {
		d.Level = scopes.Optional
		found.fix[declarationOf(d)] = []scopes.Need{d}
	}
	return found, true
}

// tooWide finds a need for which a lesser scope would do: a write where only reads are required,
// or seen; and what asks for everything.
func (r *reduction) tooWide(n *need) (Finding, bool) {
	scope, evidence, message := n.AnyOf[0], evidenceOf(n.helps), n.Name()+" is asked for"
	var instead scopes.Set
	enough := false
	switch {
	case n.standing == standingEverything:
		message = everything + " asks for everything"
		if len(n.AnyOf) > 1 || len(n.helps) == 0 || n.any(mentionSeen) || r.isVague(n) {
			return n.about(OverLevel, evidence, message), true
		}
		instead, enough = r.enough(n, r.keptFor(n).Minus(scopes.NewSet(everything))), true
	case len(n.helps) == 0:
		evidence = n.says()
		instead, enough = r.lesserSeen(n)
	default:
		instead = r.lesser(n)
		enough = !instead.Has(scope)
	}
	if !enough {
		return Finding{}, false
	}
	found := n.about(OverLevel, evidence, fmt.Sprintf("%s, where %s would do", message, orOthers(instead)))
	r.settle(&found, n, instead)
	return found, true
}

func orOthers(instead scopes.Set) string {
	if instead.Len() == 0 {
		return "what else is declared"
	}
	return strings.Join(instead.Slice(), ", ")
}
