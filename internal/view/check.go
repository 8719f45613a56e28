package view

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
)

// A Check shows a check. Every format renders the same findings.
type Check struct {
	Grant
	Drift  ambit.Drift
	Level  scopes.Level // what lacks at this level or above fails
	Strict bool
	Locked bool
	File   string
	Failed *Failure // in place of a grant, where none was found out

	Matches []Match // files of platforms that were compared with the manifest
}

type checkJSON struct {
	grantJSON
	Drift   []driftJSON `json:"drift"`
	Matches []matchJSON `json:"matches"`
}

// JSON implements [View].
func (v *Check) JSON(e Envelope) any {
	return checkJSON{v.Grant.JSON(e).(grantJSON), driftsOf(v.Drift), matchesOf(v.Matches)}
}

// Text implements [View].
func (v *Check) Text(p *Printer) {
	v.Grant.Text(p)
	if v.Drift.Any() && (v.Locked || v.Drift.Unrecorded == "") {
		p.wrapped("  ", p.Paint.Yellow("since scopes.lock: ")+DriftWords(v.Drift))
	}
	writeMatches(p, v.Matches)
}

// Report implements [Reporter].
func (v *Check) Report() report.Report {
	r := report.Report{Title: "ambit check: " + cmp.Or(v.Name, v.File), Findings: v.findings()}
	for i := range v.Needs {
		e := &v.Needs[i]
		r.Rows = append(r.Rows, report.Row{Scope: e.Name(), Level: e.Level.String(), State: v.held(&Printer{}, e), Why: Why(*e)})
	}
	return r
}

// findings are what a check has to say, each at its line of the manifest.
func (v *Check) findings() []report.Finding {
	if v.Failed != nil {
		return v.failedFindings()
	}
	var list []report.Finding
	for _, e := range v.Gap.Lost {
		f := report.Finding{
			Rule: "missing_scope", Level: v.severityOf(e.Level), File: e.File, Line: e.Line, Column: e.Column, Scope: e.Name(),
			Message: fmt.Sprintf("%s scope %s %s: %s", e.Level, e.Name(), NotGranted(v.Gap), Why(e)),
		}
		if near := v.Meant[e.Name()]; len(near) > 0 {
			f.Message += "; " + text.DidYouMean(near)
		}
		list = append(list, f)
	}
	if n := v.Gap.Excess.Len(); n > 0 {
		list = append(list, report.Finding{
			Rule: "excess", Level: failsIf(v.Strict), File: v.File, Line: 1,
			Message: fmt.Sprintf("%s %s and not declared: %s", text.Count(n, "scope"), Granted(v.Gap), Some(v.Gap.Excess.Slice())),
		})
	}
	if why := Unlisted(v.Granted.KnownBy); why != "" {
		list = append(list, report.Finding{Rule: "unlisted", Level: report.Notice, File: v.File, Line: 1, Message: why})
	}
	if v.Unasked != "" {
		list = append(list, report.Finding{Rule: "unasked", Level: report.Notice, File: v.File, Line: 1, Message: "whether the credential is still accepted, nobody was asked: " + v.Unasked})
	}
	return slices.Concat(list, driftFindings(v.Drift, v.File, v.Needs, v.Locked), matchFindings(v.Matches))
}

// failedFindings are what a check without a grant has to say: each mistake of a file
// at its place, anything else at the manifest's first line.
func (v *Check) failedFindings() []report.Finding {
	mistakes, ok := errors.AsType[yamlfile.Mistakes](v.Failed.Err)
	if !ok {
		message := FirstLine(v.Failed.Message)
		if v.Failed.Hint != "" {
			message += "; " + FirstLine(v.Failed.Hint)
		}
		return []report.Finding{{Rule: "credential", Level: report.Mistake, File: v.File, Line: 1, Message: message}}
	}
	var list []report.Finding
	for _, m := range mistakes {
		list = append(list, report.Finding{Rule: "manifest", Level: report.Mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
	}
	return list
}

func (v *Check) severityOf(level scopes.Level) report.Severity {
	switch {
	case level >= v.Level:
		return report.Mistake
	case level == scopes.Optional:
		return report.Notice
	}
	return report.Warning
}

func failsIf(fails bool) report.Severity {
	if fails {
		return report.Mistake
	}
	return report.Warning
}

// FirstLine is the first line of a text.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Vanished are the lines of declared scopes at level or above that the server no
// longer advertises.
func (v *Check) Vanished(level scopes.Level) []string {
	var lines []string
	for _, f := range driftFindings(v.Drift, v.File, v.Needs, false) {
		if f.Rule == report.DriftVanished && f.Line > 1 && v.levelOf(f.Scope) >= level {
			lines = append(lines, Place(f.File, f.Line)+": "+f.Message)
		}
	}
	return lines
}

func (v *Check) levelOf(scope string) scopes.Level {
	for _, e := range v.Needs {
		if slices.Contains(e.AnyOf, scope) && !e.Unadvertised {
			return e.Level
		}
	}
	return -1
}
