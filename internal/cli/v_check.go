package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
)

// A checkView shows a check. Every format renders the same findings.
type checkView struct {
	grantView
	drift  ambit.Drift
	level  scopes.Level // what lacks at this level or above fails
	strict bool
	locked bool
	file   string
	failed *failure // in place of a grant, where none was found out
}

type checkJSON struct {
	grantJSON
	Drift []driftJSON `json:"drift"`
}

func (v *checkView) json(e envelope) any {
	return checkJSON{v.grantView.json(e).(grantJSON), driftsOf(v.drift)}
}

func (v *checkView) text(p *printer) {
	v.grantView.text(p)
	if v.drift.Any() && (v.locked || v.drift.Unrecorded == "") {
		p.wrapped("  ", p.paint.yellow("since scopes.lock: ")+driftWords(v.drift))
	}
}

func (v *checkView) title() string { return "ambit check: " + cmp.Or(v.name, v.file) }

func (v *checkView) summary() []summaryLine {
	lines := make([]summaryLine, len(v.needs))
	for i := range v.needs {
		e := &v.needs[i]
		lines[i] = summaryLine{e.Name(), e.Level.String(), v.held(&printer{}, e), why(*e)}
	}
	return lines
}

// findings are what a check has to say, each at its line of the manifest.
func (v *checkView) findings() []finding {
	if v.failed != nil {
		return v.failedFindings()
	}
	var list []finding
	for _, e := range v.gap.Lost {
		list = append(list, finding{
			Rule: "missing_scope", Level: v.severityOf(e.Level), File: e.File, Line: e.Line, Column: e.Column, Scope: e.Name(),
			Message: fmt.Sprintf("%s scope %s is not granted: %s", e.Level, e.Name(), why(e)),
		})
	}
	if n := v.gap.Excess.Len(); n > 0 {
		list = append(list, finding{Rule: "excess", Level: failsIf(v.strict), File: v.file, Line: 1,
			Message: fmt.Sprintf("%s granted and not declared: %s", text.Count(n, "scope"), some(v.gap.Excess.Slice()))})
	}
	return append(list, driftFindings(v.drift, v.file, v.needs, v.locked)...)
}

// failedFindings are what a check without a grant has to say: each mistake of a file
// at its place, anything else at the manifest's first line.
func (v *checkView) failedFindings() []finding {
	mistakes, ok := errors.AsType[yamlfile.Mistakes](v.failed.Err)
	if !ok {
		message := firstLine(v.failed.Message)
		if v.failed.Hint != "" {
			message += "; " + firstLine(v.failed.Hint)
		}
		return []finding{{Rule: "credential", Level: mistake, File: v.file, Line: 1, Message: message}}
	}
	var list []finding
	for _, m := range mistakes {
		list = append(list, finding{Rule: "manifest", Level: mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
	}
	return list
}

func (v *checkView) severityOf(level scopes.Level) severity {
	switch {
	case level >= v.level:
		return mistake
	case level == scopes.Optional:
		return notice
	}
	return warning
}

func failsIf(fails bool) severity {
	if fails {
		return mistake
	}
	return warning
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// vanished are the lines of declared scopes at level or above that the server no
// longer advertises.
func (v *checkView) vanished(level scopes.Level) []string {
	var lines []string
	for _, f := range driftFindings(v.drift, v.file, v.needs, false) {
		if f.Rule == driftVanished && f.Line > 1 && v.levelOf(f.Scope) >= level {
			lines = append(lines, place(f.File, f.Line)+": "+f.Message)
		}
	}
	return lines
}

func (v *checkView) levelOf(scope string) scopes.Level {
	for _, e := range v.needs {
		if slices.Contains(e.AnyOf, scope) && !e.Unadvertised {
			return e.Level
		}
	}
	return -1
}
