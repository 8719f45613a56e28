package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// DriftWords tells a drift in a sentence, each scope by name.
func DriftWords(d ambit.Drift) string {
	var words, added []string
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added = append(added, one.Scope)
			continue
		}
		words = append(words, noLonger(one.Scope, d))
	}
	if d.Changed && len(words) == 0 {
		words = append(words, "the result differs from the one that it records")
	}
	if d.Unrecorded != "" {
		words = append(words, "it does not record "+d.Unrecorded)
	}
	if len(added) > 0 {
		words = append(words, text.Count(len(added), "new scope")+" ("+Some(added)+")")
	}
	return strings.Join(words, "; ")
}

// noLonger says that a scope vanished, and which it may have become.
func noLonger(scope string, d ambit.Drift) string {
	sentence := "the server no longer advertises " + scope
	if near := scopes.Near(scope, d.Advertised.Slice()); len(near) > 0 {
		sentence += " (near: " + strings.Join(near, ", ") + ")"
	}
	return sentence
}

// driftFindings puts a drift on the lines of the manifest: a vanished scope where it is
// declared, the rest on the first line.
func driftFindings(d ambit.Drift, file string, needs []scopes.Need, fails bool) []report.Finding {
	var list []report.Finding
	var added []string
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added = append(added, one.Scope)
			continue
		}
		f := report.Finding{Rule: report.DriftVanished, Level: failsIf(fails), File: file, Line: 1, Scope: one.Scope, Message: noLonger(one.Scope, d)}
		for _, e := range needs {
			if slices.Contains(e.AnyOf, one.Scope) {
				f.File, f.Line, f.Column = e.File, e.Line, e.Column
				if e.Level == scopes.Required && !e.Unadvertised {
					f.Level = report.Mistake
				}
			}
		}
		list = append(list, f)
	}
	if len(added) > 0 {
		list = append(list, report.Finding{Rule: "drift_new", Level: report.Notice, File: file, Line: 1, Message: fmt.Sprintf("the server advertises %s more than %s records: %s", text.Count(len(added), "scope"), manifest.LockName, Some(added))})
	}
	if d.Unrecorded != "" {
		list = append(list, report.Finding{Rule: "drift_unknown", Level: failsIf(fails), File: file, Line: 1, Message: manifest.LockName + " does not record " + d.Unrecorded})
	}
	if d.Changed && len(d.Scopes) == 0 {
		list = append(list, report.Finding{Rule: "drift_manifest", Level: failsIf(fails), File: file, Line: 1, Message: "the result of the negotiation differs from " + manifest.LockName})
	}
	return list
}
