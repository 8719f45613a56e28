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

// DriftWords tells a drift in a sentence: each vanished scope by name, new ones counted.
func DriftWords(d ambit.Drift) string {
	var words []string
	added := 0
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		gone := one.Scope + " vanished"
		if near := scopes.Near(one.Scope, d.Advertised.Slice()); len(near) > 0 {
			gone += " (near: " + strings.Join(near, ", ") + ")"
		}
		words = append(words, gone)
	}
	if added > 0 {
		words = append(words, text.Count(added, "new scope"))
	}
	if d.Changed && len(d.Scopes) == 0 {
		words = append(words, "the manifest asks for something else")
	}
	if d.Unrecorded != "" {
		words = append(words, d.Unrecorded+" is not recorded")
	}
	return strings.Join(words, "; ")
}

// driftFindings puts a drift on the lines of the manifest: a vanished scope where it is
// declared, the rest on the first line.
func driftFindings(d ambit.Drift, file string, needs []scopes.Need, fails bool) []report.Finding {
	var list []report.Finding
	added := 0
	for _, one := range d.Scopes {
		if one.Kind == manifest.DriftNew {
			added++
			continue
		}
		f := report.Finding{Rule: report.DriftVanished, Level: failsIf(fails), File: file, Line: 1, Scope: one.Scope, Message: "the server no longer advertises " + one.Scope}
		if near := scopes.Near(one.Scope, d.Advertised.Slice()); len(near) > 0 {
			f.Message += "; near: " + strings.Join(near, ", ")
		}
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
	if added > 0 {
		list = append(list, report.Finding{Rule: "drift_new", Level: report.Notice, File: file, Line: 1, Message: fmt.Sprintf("the server advertises %s more than %s records", text.Count(added, "scope"), manifest.LockName)})
	}
	if d.Unrecorded != "" {
		list = append(list, report.Finding{Rule: "drift_unknown", Level: failsIf(fails), File: file, Line: 1, Message: manifest.LockName + " does not record " + d.Unrecorded})
	}
	if d.Changed && len(d.Scopes) == 0 {
		list = append(list, report.Finding{Rule: "drift_manifest", Level: failsIf(fails), File: file, Line: 1, Message: "the manifest asks for something other than " + manifest.LockName + " records"})
	}
	return list
}
