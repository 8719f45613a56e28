package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// unmet are the needs in use that the declared entries do not meet.
func (a *auditor) unmet() []*Requirement {
	var list []*Requirement
	for _, n := range a.inUse {
		if !n.MetBy(a.fixed, a.implies) && !a.metByAlternatives(n) {
			list = append(list, n)
		}
	}
	return list
}

// maxChoices bounds for how many entries with alternatives each choice is tried. Of an
// any_of only one scope is asked for, so a need is met only where each choice meets it.
const maxChoices = 6

// metByAlternatives reports whether the need is met whichever alternatives of the
// declared entries are granted.
func (a *auditor) metByAlternatives(n *Requirement) bool {
	var choices []*scopes.Need
	for i := range a.declared {
		if e := &a.declared[i]; len(e.AnyOf) > 1 && a.serves(e, n) {
			choices = append(choices, e)
		}
	}
	if len(choices) == 0 || len(choices) > maxChoices {
		return false
	}
	var every func(held scopes.Set, left []*scopes.Need) bool
	every = func(held scopes.Set, left []*scopes.Need) bool {
		if n.MetBy(held, a.implies) {
			return true
		}
		if len(left) == 0 {
			return false
		}
		for _, scope := range left[0].AnyOf {
			if !every(held.Union(scopes.NewSet(scope)), left[1:]) {
				return false
			}
		}
		return true
	}
	return every(a.fixed, choices)
}

// undeclared finds what is needed and not declared. A need with alternatives is held to
// the one that the least addition meets.
func (a *auditor) undeclared(f *Findings) {
	unmet := a.unmet()
	lacking, refused, asked := a.refuse(unmet)
	add := a.cover(a.preferListed(asked), a.fixed, a.words).Scopes
	held := a.fixed.Union(add)
	for i, n := range asked {
		for _, scope := range a.closest(n, held) {
			lacking[scope] = append(lacking[scope], unmet[i])
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(lacking)) {
		f.Findings = append(f.Findings, a.undeclaredFinding(scope, lacking[scope], held.Union(refused)))
	}
	serving := a.serving(asked)
	for scope := range add.All() {
		f.Missing = append(f.Missing, a.newEntry(scope, serving[scope]))
	}
}

// preferListed leaves out of needs with alternatives those for which a scope would be added
// that the server does not list, where another does without.
func (a *auditor) preferListed(needs []*Requirement) []*Requirement {
	unlisted := func(scope string) bool { return a.Server.Says(scope) == scopes.AdvertisedNo }
	list := slices.Clone(needs)
	for i, n := range list {
		one := *n
		one.AnyOf = slices.DeleteFunc(slices.Clone(n.AnyOf), func(all []string) bool {
			return slices.ContainsFunc(lacks(all, a.fixed, a.implies), unlisted)
		})
		if len(one.AnyOf) > 0 && len(one.AnyOf) < len(n.AnyOf) {
			list[i] = &one
		}
	}
	return list
}

// refuse tells what of the unmet needs is left to meet where a waiver says that a scope
// will not be declared: that covers nothing then. A need for which just that scope would
// be added asks for what else it lacks, and any other for a way without it. With the
// refused scopes come the needs that lack them.
func (a *auditor) refuse(unmet []*Requirement) (lacking map[string][]*Requirement, refused scopes.Set, asked []*Requirement) {
	lacking = make(map[string][]*Requirement)
	refuses := func(scope string) bool { return a.waived(&Finding{Kind: Undeclared, Scope: scope}) }
	if !slices.ContainsFunc(a.Manifest.Waivers, func(w manifest.Waiver) bool { return refuses(w.Scope) }) {
		return lacking, refused, unmet
	}
	held := a.fixed.Union(a.cover(unmet, a.fixed, a.words).Scopes)
	for _, n := range unmet {
		missing, one := scopes.NewSet(a.closest(n, held)...), *n
		not := missing.Where(refuses)
		for scope := range not.All() {
			lacking[scope] = append(lacking[scope], n)
		}
		if not.Len() > 0 {
			one.AnyOf = [][]string{missing.Minus(not).Slice()}
		} else {
			one.AnyOf = slices.DeleteFunc(slices.Clone(n.AnyOf), func(all []string) bool {
				return slices.ContainsFunc(lacks(all, a.fixed, a.implies), refuses)
			})
		}
		refused, asked = refused.Union(not), append(asked, &one)
	}
	return lacking, refused, asked
}

// closest is what the declared scopes lack of that alternative of the need that held
// meets and that lacks the least.
func (a *auditor) closest(n *Requirement, held scopes.Set) []string {
	var best []string
	found := false
	for _, all := range n.AnyOf {
		if len(lacks(all, held, a.implies)) > 0 {
			continue
		}
		if missing := lacks(all, a.fixed, a.implies); !found || len(missing) < len(best) {
			best, found = missing, true
		}
	}
	return scopes.NewSet(best...).Slice()
}

func (a *auditor) undeclaredFinding(scope string, needs []*Requirement, held scopes.Set) Finding {
	what := needs[0].Operation.String()
	if more := len(needs) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more", what, more)
	}
	message := fmt.Sprintf("%s is needed by %s, and not declared", scope, what)
	if others := otherWays(scope, needs); len(others) > 0 {
		message = fmt.Sprintf("%s, or %s in its place, is needed by %s, and not declared", scope, strings.Join(others, " or "), what)
	}
	if by, _ := a.implies.CoveredBy(held, scope); by != scope {
		message += fmt.Sprintf("; %s, which is needed too, covers it", by)
	} else if a.words.Has(scope) {
		message += " for certain: it is one of several alternatives, of which only one is asked for"
	} else if programs := a.declaredBy(scope); len(programs) > 0 {
		message += fmt.Sprintf(" without --program %s", strings.Join(programs, " or "))
	}
	return Finding{
		Kind: Undeclared, Scope: scope, Level: scopes.Recommended.String(), File: a.Manifest.File,
		Line: a.lineOf(needs), Evidence: evidenceOf(needs), Message: text.Line(message),
	}
}

// otherWays are the scopes that would do in place of this one for every one of the needs.
func otherWays(scope string, needs []*Requirement) []string {
	var ways []string
	for i, n := range needs {
		var here []string
		for _, all := range n.AnyOf {
			if len(all) == 1 && all[0] != scope {
				here = append(here, all[0])
			}
		}
		if i == 0 {
			ways = here
		}
		ways = slices.DeleteFunc(ways, func(way string) bool { return !slices.Contains(here, way) })
	}
	return ways[:min(len(ways), text.MaxNear)]
}

// declaredBy are the programs whose scopes do not count here, and that declare the scope.
func (a *auditor) declaredBy(scope string) []string {
	var names []string
	for _, p := range a.Manifest.Programs {
		if slices.ContainsFunc(p.Scopes, func(e scopes.Need) bool { return slices.Equal(e.AnyOf, []string{scope}) }) && !slices.Contains(a.Programs, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// lineOf is where the manifest names one of the operations, else its first line.
func (a *auditor) lineOf(needs []*Requirement) int {
	for _, n := range needs {
		for _, by := range a.naming()[n.Operation.Unplaced()] {
			return by.use.Line
		}
	}
	return 1
}

// A namer is an entry of the manifest, in whatever program, that names an operation.
type namer struct {
	entry *scopes.Need
	use   scopes.Operation
}

// naming tells which entries of the whole manifest name an operation of the evidence.
func (a *auditor) naming() map[scopes.Operation][]namer {
	if a.named != nil {
		return a.named
	}
	a.named = make(map[scopes.Operation][]namer)
	file := func(entries []scopes.Need) {
		for i := range entries {
			for _, u := range entries[i].UsedBy {
				for _, at := range a.catalog.MatchRecorded(u) {
					op := a.needs[at].Operation.Unplaced()
					a.named[op] = append(a.named[op], namer{&entries[i], u})
				}
			}
		}
	}
	file(a.Manifest.Scopes)
	for _, p := range a.Manifest.Programs {
		file(p.Scopes)
	}
	return a.named
}

// serving are the needs that have a use for each scope, for the scope itself or for what
// it covers, in their order.
func (a *auditor) serving(needs []*Requirement) map[string][]*Requirement {
	serving := make(map[string][]*Requirement)
	add := func(scope string, n *Requirement) {
		if list := serving[scope]; len(list) == 0 || list[len(list)-1] != n {
			serving[scope] = append(list, n)
		}
	}
	for _, n := range needs {
		for _, all := range n.AnyOf {
			for _, word := range all {
				add(word, n)
				for by := range a.implies.Covering(word) {
					add(by, n)
				}
			}
		}
	}
	return serving
}

// newEntry is the entry that declares a scope for which the needs have a use. What the
// server does not list would never be asked for without that being said.
func (a *auditor) newEntry(scope string, needs []*Requirement) scopes.Need {
	e := scopes.Need{AnyOf: []string{scope}, Level: scopes.Recommended, Unadvertised: a.Server.Says(scope) == scopes.AdvertisedNo}
	var titles []string
	uses, titled := make(map[scopes.Operation]bool), make(map[string]bool)
	for _, n := range needs {
		// A name that the manifest could not hold again is left out of it.
		u := n.Operation.Unplaced()
		if _, err := scopes.ParseOperation(u.String()); err == nil && !uses[u] && a.knowsBase(u) {
			uses[u], e.UsedBy = true, append(e.UsedBy, u)
		}
		if title := strings.TrimSpace(n.Title); title != "" && !titled[title] {
			titled[title], titles = true, append(titles, title)
		}
	}
	e.Why = whyOf(titles, e.UsedBy)
	return e
}

func (a *auditor) knowsBase(u scopes.Operation) bool {
	return u.Tool != "" || a.Manifest.Provider == nil || slices.Contains(a.Manifest.Provider.BaseNames(), u.Base)
}

// whyTitles bounds how many operations a reason names: people read it on one line.
const whyTitles = 2

// whyOf is a reason in the sources' own words, else in those of the operations.
func whyOf(titles []string, uses []scopes.Operation) string {
	if len(titles) == 0 {
		for _, u := range uses {
			titles = append(titles, u.String())
		}
	}
	if len(titles) == 0 {
		return "a recorded call was refused without it"
	}
	why := strings.Join(titles[:min(len(titles), whyTitles)], "; ")
	if more := len(titles) - whyTitles; more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	return text.Line(why)
}

func values(needs []*Requirement) []Requirement {
	list := make([]Requirement, len(needs))
	for i, n := range needs {
		list[i] = *n
	}
	return list
}
