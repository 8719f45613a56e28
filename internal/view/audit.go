package view

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// An Audit is ambit.audit/v1. Every format renders the same findings.
type Audit struct {
	Session *ambit.Session
	Found   audit.Findings
	Failing []audit.FindingKind
	Minimal bool
	Detail  bool // every scope is shown, and all evidence
	Server  scopes.AdvertisementState
	Holder  string   // the credential of the column "granted", in words; "" without one
	Fixed   string   // what became of the manifest, in words; "" where nobody asked for a change
	Changed bool     // the manifest was written
	File    string   // where failed is told
	Failed  *Failure // in place of findings, where the audit came to none
}

// An auditRow is a row of the table as every format for people shows it.
type auditRow struct {
	audit.Row
	Level, Listed, InAPI, InMCP, Seen, Held string
}

const noWord = "-" // a source says nothing

func (v *Audit) rows() []auditRow {
	rows := make([]auditRow, len(v.Found.Matrix))
	for i, row := range v.Found.Matrix {
		level := "no"
		if row.Declared {
			level = row.Level.String()
		} else if row.CoveredBy != "" {
			level = "implied"
		}
		rows[i] = auditRow{row, level, said(row.Advertised), tick(row.API), tick(row.MCP), tick(row.Observed), said(row.Granted)}
	}
	return rows
}

// said is a source's word, or none where that is not known.
func said[T ~string](word T) string {
	if string(word) == string(scopes.AdvertisedUnknown) {
		return noWord
	}
	return string(word)
}

func tick(yes bool) string {
	if yes {
		return "yes"
	}
	return noWord
}

var auditHeading = []string{"scope", "declared", "advertised", "API", "MCP", "seen", "granted"}

func (r *auditRow) cells() []string {
	return []string{text.Printable(r.Scope), r.Level, r.Listed, r.InAPI, r.InMCP, r.Seen, r.Held}
}

// Text implements [View].
func (v *Audit) Text(p *Printer) {
	if v.Minimal {
		p.WriteString(v.least())
		return
	}
	if v.Detail {
		v.table(p)
	}
	for _, rule := range audit.Rules() {
		if found := v.Found.Of(rule.Kind); len(found) > 0 {
			v.textFindings(p, rule, found)
		}
	}
	if len(v.Found.Findings) == 0 {
		p.line("%s", p.Paint.green("ok")+": "+v.totals())
	} else {
		p.wrapped("  ", v.totals())
	}
	if v.Fixed != "" {
		p.line("%s", text.Printable(v.Fixed))
	}
}

// table shows every scope, those first that something was found about, with those columns that
// tell anything.
func (v *Audit) table(p *Printer) {
	rows := v.rows()
	about := v.about()
	slices.SortStableFunc(rows, func(a, b auditRow) int { return cmp.Compare(len(about[b.Scope]), len(about[a.Scope])) })
	cells := make([][]string, len(rows))
	for i := range rows {
		mark := "  "
		if len(about[rows[i].Scope]) > 0 {
			mark = "! "
		}
		cells[i] = rows[i].cells()
		cells[i][0] = mark + cells[i][0]
	}
	heading := strings.Fields(strings.ToUpper(strings.Join(auditHeading, " ")))
	heading[0] = "  " + heading[0]
	for column := len(heading) - 1; column > 1; column-- { // the scope and its level always tell something
		if !slices.ContainsFunc(cells, func(row []string) bool { return row[column] != noWord }) {
			heading = slices.Delete(heading, column, column+1)
			for i := range cells {
				cells[i] = slices.Delete(cells[i], column, column+1)
			}
		}
	}
	if len(cells) == 0 {
		return
	}
	p.table(heading, cells)
	if v.Holder != "" {
		p.wrapped("", p.Paint.Dim("granted: "+text.Printable(v.Holder)))
	}
	p.line("")
}

// about are the kinds of what was found about each scope.
func (v *Audit) about() map[string][]audit.FindingKind {
	kinds := make(map[string][]audit.FindingKind)
	for _, f := range v.Found.Findings {
		for scope := range strings.SplitSeq(f.Scope, "|") {
			kinds[scope] = append(kinds[scope], f.Kind)
		}
	}
	return kinds
}

// textFindings shows the findings of a rule, a line each: the rule says once what they have in common.
func (v *Audit) textFindings(p *Printer, rule audit.Rule, found []audit.Finding) {
	paint, mark := p.Paint.Yellow, markLook
	if v.severityOf(rule.Kind) == report.Mistake {
		paint, mark = p.Paint.Red, markMissing
	}
	p.wrapped("  ", paint(string(rule.Kind)+":")+" "+strings.ToLower(rule.Summary[:1])+strings.TrimSuffix(rule.Summary[1:], "."))
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Scope
	}
	width := p.besideNames(names)
	for _, f := range found {
		p.need(needLine{Mark: mark, Name: f.Scope, Text: v.textOf(f)}, width)
	}
}

// textOf is where a finding is, and what its rule does not say.
func (v *Audit) textOf(f audit.Finding) string {
	place := text.Printable(Place(f.File, f.Line))
	switch {
	case v.Detail:
		return place + ": " + text.Printable(strings.Join(append([]string{f.Message}, f.Evidence...), "; "))
	case len(f.Near) > 0:
		return place + ": " + text.DidYouMean(f.Near)
	case f.Kind == audit.Unused:
		return place
	case f.Kind == audit.Unproved:
		return strings.TrimSuffix(place+": "+text.Printable(text.More(f.Evidence, 1)), ": ")
	case f.Kind == audit.Undeclared && len(f.Evidence) > 0:
		return text.Printable(text.More(f.Evidence, 1))
	}
	return place + ": " + text.Printable(f.Message)
}

// totals is the last word of an audit: how much was found, and how small it could be.
func (v *Audit) totals() string {
	line := text.Count(len(v.Found.Findings), "finding")
	if n := len(v.Found.Waived); n > 0 {
		line += fmt.Sprintf("; %d waived", n)
	}
	line += "; the evidence needs " + text.Count(v.Found.Least.Scopes.Len(), "scope")
	if n := len(v.Found.Least.Kept); n > 0 {
		line += fmt.Sprintf("; %d more %s declared for operations that no source describes", n, text.Are(n))
	}
	return line + " (list them: --minimal)"
}

// least is a small set as a list of a manifest.
func (v *Audit) least() string {
	least := v.Found.Least
	if len(least.Needs)+len(least.Kept) == 0 {
		return "scopes: []\n"
	}
	text := "scopes:\n" + manifestedit.FormatNeeds(least.Needs)
	if len(least.Kept) > 0 {
		text += "  # Declared for operations that no source describes:\n" + manifestedit.FormatNeeds(least.Kept)
	}
	return text
}

func (v *Audit) title() string {
	if name := v.name(); name != "" {
		return "ambit audit: " + name
	}
	return "ambit audit"
}

// name is what was audited; "" where nothing was.
func (v *Audit) name() string {
	if v.Session == nil {
		return ""
	}
	line := text.Printable(v.Session.Manifest().Name)
	if len(v.Session.Programs()) > 0 {
		line += " with " + text.Printable(strings.Join(v.Session.Programs(), ", "))
	}
	return line
}

// Reports implements [Reporter].
func (v *Audit) Reports() []report.Report {
	r := report.Report{Name: cmp.Or(v.name(), v.File), Findings: v.findings()}
	if v.Failed != nil {
		r.Verdict = FirstLine(v.Failed.Message)
		return []report.Report{r}
	}
	r.Verdict = v.totals()
	return []report.Report{r}
}

func (v *Audit) severityOf(kind audit.FindingKind) report.Severity {
	for _, k := range v.Failing {
		if k == kind {
			return report.Mistake
		}
	}
	return report.Warning
}

// findings are what an audit has to say, each at its line of the manifest.
func (v *Audit) findings() []report.Finding {
	if v.Failed != nil {
		return v.failedFindings()
	}
	var list []report.Finding
	for _, f := range v.Found.Findings {
		message := f.Message
		if len(f.Evidence) > 0 {
			message += " [" + strings.Join(f.Evidence, "; ") + "]"
		}
		list = append(list, report.Finding{Rule: string(f.Kind), Level: v.severityOf(f.Kind), File: f.File, Line: f.Line, Scope: f.Scope, Message: message})
	}
	return list
}

// failedFindings are what an audit that came to nothing has to say: each mistake at its
// place, anything else at the manifest's first line.
func (v *Audit) failedFindings() []report.Finding {
	var list []report.Finding
	if mistakes, ok := errors.AsType[yamlfile.Mistakes](v.Failed.Err); ok {
		for _, m := range mistakes {
			list = append(list, report.Finding{Rule: "manifest", Level: report.Mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
		}
		return list
	}
	for _, e := range evidence.Errors(v.Failed.Err) {
		list = append(list, report.Finding{Rule: "evidence", Level: report.Mistake, File: e.File, Line: e.Line, Message: e.Reason})
	}
	if len(list) == 0 {
		list = append(list, report.Finding{Rule: "audit", Level: report.Mistake, File: v.File, Line: 1, Message: FirstLine(v.Failed.Message)})
	}
	return list
}

// Markdown is the audit for a pull request.
func (v *Audit) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n", report.EscapeMarkdown(v.title()))
	var rows, items []string
	for _, row := range v.rows() {
		cells := row.cells()
		rows = append(rows, fmt.Sprintf("| %s | %s |\n", report.CodeCell(cells[0]), strings.Join(cells[1:], " | ")))
	}
	if len(rows) > 0 {
		text.WriteString("\n| " + strings.Join(auditHeading, " | ") + " |\n|" + strings.Repeat(" --- |", len(auditHeading)) + "\n")
		report.WriteWithin(&text, report.MaxSummary/2, rows)
		if v.Holder != "" {
			text.WriteString("\ngranted: " + report.EscapeMarkdown(v.Holder) + "\n")
		}
	}
	text.WriteString("\n")
	for i := range v.Found.Findings {
		items = append(items, v.markdownFinding(&v.Found.Findings[i]))
	}
	report.WriteWithin(&text, report.MaxSummary, items)
	if len(items) > 0 {
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "%s\n", report.EscapeMarkdown(v.totals()))
	return text.String()
}

func (v *Audit) markdownFinding(f *audit.Finding) string {
	var text strings.Builder
	fmt.Fprintf(&text, "- **%s** %s: %s\n", report.EscapeMarkdown(string(f.Kind)), report.EscapeMarkdown(Place(f.File, f.Line)), report.EscapeMarkdown(f.Message))
	for _, line := range f.Evidence {
		fmt.Fprintf(&text, "  - %s\n", report.EscapeMarkdown(line))
	}
	return text.String()
}

// Holding says whose the last column is, and how much more that credential holds.
func (v *Audit) Holding(h *ambit.Held) string {
	rows := make([]string, len(v.Found.Matrix))
	for i, row := range v.Found.Matrix {
		rows[i] = row.Scope
	}
	sentence := "what " + h.Kind.Label + " from " + h.Credential.Source + " holds"
	if h.Credential.KnownBy.Unlisted() {
		return "nothing, for what " + h.Kind.Label + " from " + h.Credential.Source + " holds is unknown"
	}
	if h.Credential.KnownBy == scopes.Assumed {
		sentence = "what was requested for " + h.Kind.Label + " from " + h.Credential.Source + "; no server said what was granted"
	}
	if more := h.Credential.Scopes.Minus(scopes.NewSet(rows...)).Len(); more > 0 {
		sentence += ", besides " + text.Count(more, "scope") + " that nothing here declares or needs"
	}
	return sentence
}
