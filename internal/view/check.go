package view

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
)

// A Check shows a check. Every format renders the same findings.
type Check struct {
	Grant
	Drift  ambit.Drift
	Strict bool
	Locked bool
	File   string
	Found  bool     // what the credential holds was found out
	Failed *Failure // why the check fails; nil where it does not

	Matches []Match // files of platforms that were compared with the manifest
}

type checkJSON struct {
	grantJSON
	Drift   []driftJSON `json:"drift"`
	Matches []matchJSON `json:"matches"`
}

// JSON implements [View].
func (v *Check) JSON(e Envelope) any {
	if !v.Found {
		return e
	}
	return checkJSON{v.Grant.JSON(e).(grantJSON), driftsOf(v.Drift), matchesOf(v.Matches)}
}

// Text implements [View].
func (v *Check) Text(p *Printer) {
	if !v.Found {
		return // the failure says it
	}
	v.Grant.Text(p)
	if v.Drift.Any() && (v.Locked || v.Drift.Unrecorded == "") {
		p.wrapped("  ", p.Paint.Yellow("since scopes.lock: ")+DriftWords(v.Drift))
	}
	writeMatches(p, v.Matches)
}

// Reports implements [Reporter].
func (v *Check) Reports() []report.Report { return []report.Report{v.report()} }

func (v *Check) report() report.Report {
	r := report.Report{Name: cmp.Or(v.Name, v.File), Findings: v.findings(), Steps: v.Next}
	if f := v.Failed; f != nil {
		if !r.Fails() {
			r.Findings = append(r.Findings, report.Finding{Rule: "failure", Level: report.Mistake, File: v.File, Line: 1, Message: FirstLine(f.Message)})
		}
		_, mistakes := errors.AsType[yamlfile.Mistakes](f.Err) // each says what to do
		if len(r.Steps) == 0 && f.Hint != "" && !mistakes {
			r.Steps = []advice.Step{{Text: FirstLine(f.Hint)}}
		}
	}
	if !v.Found {
		r.Verdict = FirstLine(v.Failed.Message)
		return r
	}
	r.Verdict = v.verdict() + v.sentence()
	for i := range v.Needs {
		e := &v.Needs[i]
		r.Rows = append(r.Rows, report.Row{Scope: e.Name(), Level: e.Level.String(), State: v.state(e), Why: Why(*e)})
	}
	for _, m := range v.Matches {
		r.Steps = append(r.Steps, m.Next...)
	}
	return r
}

// findings are what a check has to say, each at its line of the manifest.
func (v *Check) findings() []report.Finding {
	if !v.Found {
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
	if n := v.Gap.Excess.Len(); n > 0 && v.Strict {
		list = append(list, report.Finding{
			Rule: "excess", Level: report.Mistake, File: v.File, Line: 1,
			Message: fmt.Sprintf("%s %s and not declared: %s", text.Count(n, "scope"), Granted(v.Gap), Some(v.Gap.Excess.Slice())),
		})
	}
	if why := Unlisted(v.Granted.KnownBy); why != "" {
		list = append(list, report.Finding{Rule: "unlisted", Level: report.Notice, File: v.File, Line: 1, Message: why})
	}
	if v.Unasked != "" {
		list = append(list, report.Finding{Rule: "unasked", Level: report.Notice, File: v.File, Line: 1, Message: "not verified with the server: " + v.Unasked})
	}
	return slices.Concat(list, driftFindings(v.Drift, v.File, v.Needs, v.Locked), matchFindings(v.Matches))
}

// failedFindings are what a check without a grant has to say: each mistake of a file
// at its place, anything else at the manifest's first line.
func (v *Check) failedFindings() []report.Finding {
	mistakes, ok := errors.AsType[yamlfile.Mistakes](v.Failed.Err)
	if !ok {
		return []report.Finding{{Rule: "credential", Level: report.Mistake, File: v.File, Line: 1, Message: FirstLine(v.Failed.Message)}}
	}
	var list []report.Finding
	for _, m := range mistakes {
		list = append(list, report.Finding{Rule: "manifest", Level: report.Mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
	}
	return list
}

// A Checks shows checks of several manifests: ambit.checks/v1.
type Checks []*Check

// ChecksSchema is what [Checks] are called in JSON.
const ChecksSchema = "ambit.checks/v1"

// Text implements [View].
func (v Checks) Text(p *Printer) {
	for _, one := range v {
		p.line("%s", p.Paint.Bold(text.Printable(one.File)+":"))
		one.Text(p)
		if one.Failed != nil {
			f := one.Failed.Beside()
			for line := range strings.Lines(f.Message) {
				p.wrapped("  ", p.Paint.Red("error:")+" "+line)
			}
			if f.Hint != "" {
				p.wrapped("  ", p.Paint.Yellow("hint:")+" "+f.Hint)
			}
		}
	}
}

// JSON implements [View].
func (v Checks) JSON(e Envelope) any {
	list := make([]any, len(v))
	for i, one := range v {
		each := Envelope{Schema: e.Schema, OK: one.Failed == nil}
		if one.Failed != nil {
			each.Error, each.Verdict = ErrorOf(one.Failed), one.Failed.Verdict
		}
		list[i] = struct {
			Path  string `json:"path"`
			Check any    `json:"check"`
		}{one.File, one.JSON(each)}
	}
	e.Schema = ChecksSchema
	return struct {
		Envelope
		Checks []any `json:"checks"`
	}{e, list}
}

// Reports implements [Reporter].
func (v Checks) Reports() []report.Report {
	list := make([]report.Report, len(v))
	for i, one := range v {
		list[i] = one.report()
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
