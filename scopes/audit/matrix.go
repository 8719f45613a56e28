package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// waive moves findings that a waiver silences out of the way, and finds waivers that
// are over. A waiver holds on its last day.
func (a *auditor) waive(f *Findings) {
	var left []Finding
	for _, one := range f.Findings {
		if a.waived(&one) {
			f.Waived = append(f.Waived, one)
			continue
		}
		left = append(left, one)
	}
	f.Findings = append([]Finding{}, left...)
	for _, w := range a.Manifest.Waivers {
		if w.Expired(a.Today) {
			f.Findings = append(f.Findings, Finding{
				Kind: ExpiredWaiver, Scope: w.Scope, File: a.Manifest.File, Line: w.Line,
				Evidence: []string{"the waiver of " + string(w.Kind) + " was given because: " + text.Line(w.Reason)},
				Message:  text.Line(fmt.Sprintf("the waiver of %s for %s ended on %s", w.Kind, w.Scope, w.Until.Format(time.DateOnly))),
			})
		}
	}
}

// waived reports whether a waiver in force names the finding. One that names an
// alternative of an any_of names the entry.
func (a *auditor) waived(f *Finding) bool {
	return slices.ContainsFunc(a.Manifest.Waivers, func(w manifest.Waiver) bool {
		if w.Kind != f.Kind || w.Expired(a.Today) {
			return false
		}
		return w.Scope == f.Scope || slices.ContainsFunc(a.declared, func(e scopes.Need) bool {
			return e.Name() == f.Scope && slices.Contains(e.AnyOf, w.Scope)
		})
	})
}

// least finds the least set for everything in use, and the entries that declare it: as
// they stand in the manifest, else made from the evidence.
func (a *auditor) least(f *Findings) {
	cover := a.cover(a.inUse, scopes.Set{}, a.words)
	f.Least = Least{Scopes: cover.Scopes, Exact: cover.Least, Needs: []scopes.Need{}, Kept: []string{}}
	serving := a.serving(a.inUse)
	for scope := range cover.Scopes.All() {
		at := slices.IndexFunc(a.declared, func(e scopes.Need) bool { return len(e.AnyOf) == 1 && e.AnyOf[0] == scope })
		if at >= 0 {
			f.Least.Needs = append(f.Least.Needs, a.declared[at])
			continue
		}
		f.Least.Needs = append(f.Least.Needs, a.newEntry(scope, serving[scope]))
	}
	for i := range a.declared {
		e := &a.declared[i]
		if !a.open[i] || slices.ContainsFunc(e.AnyOf, func(scope string) bool { _, covered := a.implies.CoveredBy(cover.Scopes, scope); return covered }) {
			continue
		}
		f.Least.Kept, f.Least.KeptNeeds = append(f.Least.Kept, e.Name()), append(f.Least.KeptNeeds, *e)
	}
}

// matrix is a row for each scope that is declared, needed or observed: in the manifest's
// order, then sorted. What is merely granted has none: a key for everything has hundreds.
func (a *auditor) matrix() []Row {
	rows := []Row{}
	index := make(map[string]int)
	row := func(scope string) *Row {
		at, there := index[scope]
		if !there {
			at = len(rows)
			index[scope] = at
			rows = append(rows, Row{Scope: scope, Advertised: a.Server.Says(scope), Granted: a.granted(scope), NeededBy: []string{}})
		}
		return &rows[at]
	}
	for i := range a.declared {
		for _, scope := range a.declared[i].AnyOf {
			r := row(scope)
			if level := a.declared[i].Level; r.Level == "" || r.Level == scopes.Optional.String() || level == scopes.Required {
				r.Level = level.String()
			}
			r.Declared = true
		}
	}
	declared := len(rows)
	a.fillRows(row)
	slices.SortFunc(rows[declared:], func(x, y Row) int { return cmp.Compare(x.Scope, y.Scope) })
	for i := range rows {
		if !rows[i].Declared {
			rows[i].CoveredBy, _ = a.implies.CoveredBy(a.words, rows[i].Scope)
		}
		slices.Sort(rows[i].NeededBy)
		rows[i].NeededBy = slices.Compact(rows[i].NeededBy)
	}
	return rows
}

// fillRows takes in the needs in use, and what was connected with recorded calls.
func (a *auditor) fillRows(row func(scope string) *Row) {
	for i := range a.needs {
		n := &a.needs[i]
		if !a.used[i] {
			continue
		}
		for _, all := range n.AnyOf {
			for _, scope := range all {
				r := row(scope)
				r.NeededBy = append(r.NeededBy, n.Operation.String())
				r.API = r.API || n.Source == SourceAPI
				r.MCP = r.MCP || n.Source == SourceMCP
				r.Observed = r.Observed || a.seen[i] && len(n.AnyOf) == 1
			}
		}
	}
	for i := range a.Evidence.Traffic {
		if o := &a.Evidence.Traffic[i]; o.Succeeded() {
			for _, scope := range o.Scopes {
				row(scope).Observed = true
			}
		}
	}
	for id, c := range a.calls {
		if e := &a.declared[id.entry]; c.recorded && len(e.AnyOf) == 1 {
			row(e.AnyOf[0]).Observed = true
		}
	}
}

func (a *auditor) granted(scope string) scopes.Advertised {
	if a.Granted == nil {
		return scopes.AdvertisedUnknown
	}
	if _, ok := a.implies.CoveredBy(*a.Granted, scope); ok {
		return scopes.AdvertisedYes
	}
	return scopes.AdvertisedNo
}
