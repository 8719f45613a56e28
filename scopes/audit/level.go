package audit

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// unsafe reports whether a use of which no source says what it needs may change something
// (RFC 9110 §9.2.1).
func (v *needView) unsafe() bool {
	for i, s := range v.states {
		if s == useSeen && (!v.calls[i].recorded || v.calls[i].unsafe) {
			return true
		}
	}
	return false
}

// lesserSeen is the one scope that would do, where no source says what the entry's
// operations need, and those that were recorded only read.
func (a *auditor) lesserSeen(s *suspect) *scopes.Set {
	recorded, scope := false, s.entry.AnyOf[0]
	for i, c := range s.calls {
		if s.entry.UsedBy[i].Tool != "" || c.unsafe || c.doubtful || c.listed && !c.recorded {
			return nil
		}
		recorded = recorded || c.recorded
	}
	if !recorded {
		return nil
	}
	lesser := a.vocabulary().Union(a.Server.Scopes).Union(a.words).Where(func(word string) bool { return a.within(word, scope) })
	if lesser.Len() != 1 {
		return nil // of several, which one reads is not known
	}
	return &lesser
}

// counts reports whether a declaration is of the base or of a program that was named.
func (a *auditor) counts(e *scopes.Need) bool {
	return len(e.Programs) == 0 || slices.Contains(a.Programs, e.Programs[0])
}

// tooUrgent finds a required entry of which every operation that needs it is named
// elsewhere in the manifest, and there only for optional features.
func (a *auditor) tooUrgent(f *Findings, e *scopes.Need, v *needView) {
	if e.Level != scopes.Required || len(v.needs) == 0 {
		return
	}
	var evidence []string
	for _, n := range v.needs {
		flows := 0
		for _, by := range a.naming()[n.Operation.Unplaced()] {
			if by.entry.Key() == e.Key() || !a.counts(by.entry) {
				continue
			}
			if by.entry.Level != scopes.Optional {
				return
			}
			flows++
			evidence = append(evidence, text.Line(fmt.Sprintf("%s is for %s, which is optional (%s:%d)", n.Operation, by.entry.Name(), by.entry.File, by.use.Line)))
		}
		if flows == 0 {
			return
		}
	}
	level := scopes.Optional
	found := a.finding(OverLevel, e, scopes.NewSet(evidence...).Slice(), fmt.Sprintf("%s is required, and only optional features use it", e.Name()))
	found.Fix = Fix{Entries: a.places[e.Key()], Level: &level}
	f.Findings = append(f.Findings, found)
}
