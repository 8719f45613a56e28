package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// An auditView is ambit.audit/v1. Every format renders the same findings.
type auditView struct {
	project *project
	found   audit.Findings
	failing []audit.FindingKind
	minimal bool
	server  scopes.AdvertisementState
	holder  string   // the credential of the column "granted", in words; "" without one
	mended  string   // what became of the manifest, in words; "" where nobody asked for a change
	changed bool     // the manifest was written
	file    string   // where failed is told
	failed  *failure // in place of findings, where the audit came to none
}

// showAudit prints an audit in the formats that only it has; the others are everyone's.
func (r *run) showAudit(v *auditView, err error) error {
	text := ""
	switch r.settings.Output {
	case "markdown":
		text = v.markdown()
	case "html":
		page, pageErr := v.page()
		if pageErr != nil {
			return pageErr
		}
		text = page
	case "github":
		if path := r.env.Get("GITHUB_STEP_SUMMARY"); path != "" && v.failed == nil {
			if noted := appendSummary(path, "\n"+v.markdown()); noted != nil {
				r.voice.note("the summary cannot be written: %s", plain(noted.Error()))
			}
		}
		text = githubText(v, r.env)
	default:
		return r.show(v, err)
	}
	if printErr := r.print(text); printErr != nil {
		return printErr
	}
	return err
}

// An auditRow is a row of the table as every format for people shows it.
type auditRow struct {
	audit.Row
	Level, Listed, InAPI, InMCP, Seen, Held string
}

const noWord = "-" // a source says nothing

func (v *auditView) rows() []auditRow {
	rows := make([]auditRow, len(v.found.Matrix))
	for i, row := range v.found.Matrix {
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
	return []string{plain(r.Scope), r.Level, r.Listed, r.InAPI, r.InMCP, r.Seen, r.Held}
}

func (v *auditView) text(p *printer) {
	if v.minimal {
		p.WriteString(v.least())
		return
	}
	p.line("%s", p.paint.bold(v.title()))
	var rows [][]string
	for _, row := range v.rows() {
		rows = append(rows, row.cells())
	}
	if len(rows) > 0 {
		p.line("")
		p.table(strings.Fields(strings.ToUpper(strings.Join(auditHeading, " "))), rows)
		if v.holder != "" {
			p.wrapped("", p.paint.dim("granted: "+plain(v.holder)))
		}
	}
	p.line("")
	for i := range v.found.Findings {
		v.textFinding(p, &v.found.Findings[i])
	}
	p.wrapped("  ", v.totals())
	if v.mended != "" {
		p.line("%s", plain(v.mended))
	}
}

func (v *auditView) textFinding(p *printer, f *audit.Finding) {
	kind := string(f.Kind)
	if v.severityOf(f.Kind) == mistake {
		kind = p.paint.red(kind)
	} else {
		kind = p.paint.yellow(kind)
	}
	p.wrapped("    ", fmt.Sprintf("%s: %s: %s", plain(place(f.File, f.Line)), kind, plain(f.Message)))
	for _, line := range f.Evidence {
		for i, part := range wrap(plain(line), p.width-6) {
			indent := "    "
			if i > 0 {
				indent += "  "
			}
			p.line("%s", indent+p.paint.dim(part))
		}
	}
}

// totals is the last word of an audit: how much was found, and how small it could be.
func (v *auditView) totals() string {
	words := []string{count(len(v.found.Findings), "finding")}
	for _, kind := range manifest.FindingKinds() {
		if n := len(v.found.Of(kind)); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, kind))
		}
	}
	text := strings.Join(words, ", ")
	if n := len(v.found.Waived); n > 0 {
		text += fmt.Sprintf("; %d waived", n)
	}
	text += "; a small set for the evidence has " + count(v.found.Least.Scopes.Len(), "scope")
	if n := len(v.found.Least.Kept); n > 0 {
		text += fmt.Sprintf("; %d more are declared for operations that no source describes", n)
	}
	return text + " (--minimal)"
}

// least is a small set as a list of a manifest.
func (v *auditView) least() string {
	least := v.found.Least
	if len(least.Needs)+len(least.Kept) == 0 {
		return "scopes: []\n"
	}
	text := "scopes:\n" + manifestedit.FormatNeeds(least.Needs)
	if len(least.Kept) > 0 {
		text += "  # Declared for operations that no source describes:\n" + manifestedit.FormatNeeds(least.Kept)
	}
	return text
}

func (v *auditView) title() string {
	if v.project == nil {
		return "ambit audit"
	}
	text := "ambit audit: " + plain(v.project.manifest.Name)
	if len(v.project.programs) > 0 {
		text += " with " + plain(strings.Join(v.project.programs, ", "))
	}
	return text
}

func (v *auditView) summary() []summaryLine { return nil }

func (v *auditView) severityOf(kind audit.FindingKind) severity {
	for _, k := range v.failing {
		if k == kind {
			return mistake
		}
	}
	return warning
}

// findings are what an audit has to say, each at its line of the manifest.
func (v *auditView) findings() []finding {
	if v.failed != nil {
		return v.failedFindings()
	}
	var list []finding
	for _, f := range v.found.Findings {
		message := f.Message
		if len(f.Evidence) > 0 {
			message += " [" + strings.Join(f.Evidence, "; ") + "]"
		}
		list = append(list, finding{Rule: string(f.Kind), Level: v.severityOf(f.Kind), File: f.File, Line: f.Line, Scope: f.Scope, Message: message})
	}
	return list
}

// failedFindings are what an audit that came to nothing has to say: each mistake at its
// place, anything else at the manifest's first line.
func (v *auditView) failedFindings() []finding {
	var list []finding
	if mistakes, ok := is[yamlfile.Mistakes](v.failed.Err); ok {
		for _, m := range mistakes {
			list = append(list, finding{Rule: "manifest", Level: mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
		}
		return list
	}
	for _, e := range sourceErrors(v.failed.Err) {
		list = append(list, finding{Rule: "evidence", Level: mistake, File: e.File, Line: e.Line, Message: e.Reason})
	}
	if len(list) == 0 {
		list = append(list, finding{Rule: "audit", Level: mistake, File: v.file, Line: 1, Message: firstLine(v.failed.Message)})
	}
	return list
}

// sourceErrors takes apart what a reader of evidence joined.
func sourceErrors(err error) []*evidence.Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*evidence.Error
		for _, one := range joined.Unwrap() {
			list = append(list, sourceErrors(one)...)
		}
		return list
	}
	var e *evidence.Error
	if errors.As(err, &e) {
		return []*evidence.Error{e}
	}
	return nil
}

// markdown is the audit for a pull request.
func (v *auditView) markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n", escapeMarkdown(v.title()))
	var rows, items []string
	for _, row := range v.rows() {
		cells := row.cells()
		rows = append(rows, fmt.Sprintf("| %s | %s |\n", codeCell(cells[0]), strings.Join(cells[1:], " | ")))
	}
	if len(rows) > 0 {
		text.WriteString("\n| " + strings.Join(auditHeading, " | ") + " |\n|" + strings.Repeat(" --- |", len(auditHeading)) + "\n")
		writeWithin(&text, maxSummary/2, rows)
		if v.holder != "" {
			text.WriteString("\ngranted: " + escapeMarkdown(v.holder) + "\n")
		}
	}
	text.WriteString("\n")
	for i := range v.found.Findings {
		items = append(items, v.markdownFinding(&v.found.Findings[i]))
	}
	writeWithin(&text, maxSummary, items)
	if len(items) > 0 {
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "%s\n", escapeMarkdown(v.totals()))
	return text.String()
}

func (v *auditView) markdownFinding(f *audit.Finding) string {
	var text strings.Builder
	fmt.Fprintf(&text, "- **%s** %s: %s\n", escapeMarkdown(string(f.Kind)), escapeMarkdown(place(f.File, f.Line)), escapeMarkdown(f.Message))
	for _, line := range f.Evidence {
		fmt.Fprintf(&text, "  - %s\n", escapeMarkdown(line))
	}
	return text.String()
}
