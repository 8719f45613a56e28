package scopes

import (
	"fmt"
	"slices"
	"strings"
)

// wholeOf finds an entry that asks for everything.
func (a *audit) wholeOf(f *Findings, e *Entry, v *entryView) {
	found := a.finding(OverLevel, e, evidenceOf(v.needs), wholeScope+" asks for everything")
	rest := a.fixed.Minus(NewSet(wholeScope))
	cover := a.cover(v.needs, rest, rest)
	if len(e.AnyOf) == 1 && len(v.needs) > 0 && !v.any(useUnknown, useSeen) {
		found.fix = fix{entries: a.places[e.key()], narrow: true, instead: a.inPlaceOf(e, v, cover.Scopes)}
		found.Message = oneLine(fmt.Sprintf("%s asks for everything, where %s would do", wholeScope, a.otherwise(cover.Scopes)))
	}
	f.Findings = append(f.Findings, found)
}

// inPlaceOf are entries that declare lesser scopes as the entry was declared.
func (a *audit) inPlaceOf(e *Entry, v *entryView, lesser Set) []Entry {
	var list []Entry
	serving := a.serving(v.needs)
	for scope := range lesser.All() {
		one := a.newEntry(scope, serving[scope])
		one.Level = e.Level
		list = append(list, one)
	}
	return list
}

func (a *audit) otherwise(instead Set) string {
	if instead.Len() == 0 {
		return "what else is declared"
	}
	return strings.Join(instead.Slice(), ", ")
}

// tooMuch finds an entry of which a lesser scope would do: a write of which only
// reads are needed, or seen.
func (a *audit) tooMuch(f *Findings, e *Entry, v *entryView) {
	if len(e.AnyOf) != 1 {
		return
	}
	instead, evidence := a.lesser(e, v), evidenceOf(v.needs)
	if len(v.needs) == 0 {
		instead, evidence = a.lesserSeen(e, v), v.lines
	}
	if instead == nil {
		return
	}
	message := fmt.Sprintf("%s is asked for, where %s would do", e.Name(), a.otherwise(*instead))
	found := a.finding(OverLevel, e, evidence, message)
	found.fix = fix{entries: a.places[e.key()], narrow: true, instead: a.inPlaceOf(e, v, *instead)}
	f.Findings = append(f.Findings, found)
}

// lesser is the least set of scopes that would do in place of the entry's, all of
// them implied by it; nil where there is none. Where the evidence leaves open what
// some use needs, there is none.
func (a *audit) lesser(e *Entry, v *entryView) *Set {
	scope := e.AnyOf[0]
	only := NewSet(scope)
	within := func(word string) bool {
		_, ok := a.implies.CoveredBy(only, word)
		return ok && word != scope
	}
	covers := slices.ContainsFunc(v.needs, func(n *Need) bool { return slices.ContainsFunc(slices.Concat(n.AnyOf...), within) })
	if !covers || v.any(useUnknown) || v.unsafe() {
		return nil
	}
	rest := a.fixed.Minus(only)
	cover := a.cover(v.needs, rest, rest).Scopes
	if cover.Where(within).Len() != cover.Len() {
		return nil
	}
	return &cover
}

// unsafe tells whether a use of which no source says what it needs may change something
// (RFC 9110 §9.2.1).
func (v *entryView) unsafe() bool {
	for i, s := range v.states {
		if s == useSeen && (!v.calls[i].recorded || v.calls[i].unsafe) {
			return true
		}
	}
	return false
}

// lesserSeen is the one scope that would do, where no source says what the entry's
// operations need, and those that were recorded only read.
func (a *audit) lesserSeen(e *Entry, v *entryView) *Set {
	recorded := false
	for i, c := range v.calls {
		if e.UsedBy[i].Tool != "" || c.unsafe || c.listed && !c.recorded {
			return nil
		}
		recorded = recorded || c.recorded
	}
	if !recorded {
		return nil
	}
	only := NewSet(e.AnyOf[0])
	lesser := a.vocabulary().Union(a.Server.Scopes).Union(a.words).Where(func(word string) bool {
		_, ok := a.implies.CoveredBy(only, word)
		return ok && word != e.AnyOf[0]
	})
	if lesser.Len() != 1 {
		return nil // of several, which one reads is not known
	}
	return &lesser
}

// counts tells whether a declaration is of the base or of a program that was named.
func (a *audit) counts(e *Entry) bool {
	return len(e.Programs) == 0 || slices.Contains(a.Programs, e.Programs[0])
}

// tooUrgent finds a required entry of which every operation that needs it is named
// elsewhere in the manifest, and there only for optional features.
func (a *audit) tooUrgent(f *Findings, e *Entry, v *entryView) {
	if e.Level != Required || len(v.needs) == 0 {
		return
	}
	var evidence []string
	for _, n := range v.needs {
		flows := 0
		for _, by := range a.naming()[n.Operation.unplaced()] {
			if by.entry.key() == e.key() || !a.counts(by.entry) {
				continue
			}
			if by.entry.Level != Optional {
				return
			}
			flows++
			evidence = append(evidence, oneLine(fmt.Sprintf("%s is for %s, which is optional (%s:%d)", n.Operation, by.entry.Name(), by.entry.File, by.use.Line)))
		}
		if flows == 0 {
			return
		}
	}
	level := Optional
	found := a.finding(OverLevel, e, NewSet(evidence...).Slice(), fmt.Sprintf("%s is required, and only optional features use it", e.Name()))
	found.fix = fix{entries: a.places[e.key()], level: &level}
	f.Findings = append(f.Findings, found)
}
