package view

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"html/template"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
)

//go:embed pages/file.css
var fileStyle string

//go:embed pages/audit.css
var auditStyle string

//go:embed pages/audit.js
var auditScript string

// A filePage is what a page that is a file has in common with others: it needs nothing
// else, and its policy allows only the style and the script that it brings, by their
// hashes, so that the same values are the same file.
type filePage struct {
	Title  string
	Policy string
	Style  template.CSS
	Script template.JS
}

// filePageOf makes the policy; script is "" for a page that needs none.
func filePageOf(title, style, script string) filePage {
	policy := "default-src 'none'; style-src 'sha256-" + hashOf(style) + "'; "
	if script != "" {
		policy += "script-src 'sha256-" + hashOf(script) + "'; "
	}
	return filePage{title, policy + "base-uri 'none'; form-action 'none'", template.CSS(style), template.JS(script)}
}

// An auditPage is what the page of an audit shows.
type auditPage struct {
	filePage
	Name, File, Server, Totals, Fixed, Holder string

	Marks    []auditMark      // that the cells have: of the sources that say something
	Silent   string           // the others
	Actions  []scopes.Action  // the columns: those that some scope has
	Halves   [][]auditPageRow // of the rows, side by side where they are many
	Findings []auditPageFinding
	Waived   []audit.Finding
	Notes    []audit.Note
	Minimal  string
	Least    int // how many scopes the small set has
}

// An auditMark is what one source says, as a letter at its own place in each cell.
type auditMark struct {
	Letter, Source string
	says           func(*auditRow) string // yes, no, or what else a cell says
}

// auditMarks are all that there are, in the order of the cells.
func auditMarks() []auditMark {
	return []auditMark{
		{"D", "declared", func(r *auditRow) string { return r.Level }},
		{"A", "required by the API", func(r *auditRow) string { return r.InAPI }},
		{"M", "required by an MCP tool", func(r *auditRow) string { return r.InMCP }},
		{"S", "seen in recorded calls", func(r *auditRow) string { return r.Seen }},
		{"G", "granted", func(r *auditRow) string { return r.Held }},
	}
}

// An auditPageRow is a resource, with a cell for each of the page's actions.
type auditPageRow struct {
	Resource string
	Scopes   string // all of its scopes, for the filter
	State    string // declared, undeclared, or both: for the filter
	Found    bool   // some finding is about it
	Cells    [][]auditPageScope
}

// An auditPageScope is one scope in a cell.
type auditPageScope struct {
	auditRow
	Label string // "" where the column says what it allows
	Found bool
	Marks []auditPageMark
}

// An auditPageMark is a mark in a cell: filled, empty, or neither where nobody can tell.
type auditPageMark struct{ Class, Letter, Says string }

type auditPageFinding struct {
	audit.Finding
	Fails bool
}

// Page is the audit as one self-contained page.
func (v *Audit) Page() (string, error) {
	m := v.Session.Manifest()
	data := auditPage{
		filePage: filePageOf(v.title(), fileStyle+auditStyle, auditScript),
		Name:     m.Name, File: m.File, Server: v.Session.Server().Issuer, Totals: v.totals(), Fixed: v.Fixed, Holder: v.Holder,
		Waived: v.Found.Waived, Notes: v.Found.Notes, Minimal: v.least(), Least: len(v.Found.Least.Needs) + len(v.Found.Least.Kept),
	}
	about := make(map[string]bool)
	for _, f := range v.Found.Findings {
		data.Findings = append(data.Findings, auditPageFinding{f, v.severityOf(f.Kind) == report.Mistake})
		for scope := range strings.SplitSeq(f.Scope, "|") {
			about[scope] = true
		}
	}
	data.lay(v.rows(), about)
	return renderPage("audit.html", data)
}

func renderPage(name string, data any) (string, error) {
	var out bytes.Buffer
	err := pageTemplates().ExecuteTemplate(&out, name, data)
	return out.String(), err
}

// lay puts scopes into rows by what they are for, those with findings first, and into
// columns by what they allow. Columns and marks of which no scope has any are left out.
func (d *auditPage) lay(rows []auditRow, found map[string]bool) {
	var silent []string
	for _, mark := range auditMarks() {
		if slices.ContainsFunc(rows, func(r auditRow) bool { return mark.says(&r) != noWord }) {
			d.Marks = append(d.Marks, mark)
		} else {
			silent = append(silent, mark.Source)
		}
	}
	d.Silent = strings.Join(silent, ", ")
	for _, action := range []scopes.Action{scopes.ActionRead, scopes.ActionWrite, scopes.ActionOther} {
		if slices.ContainsFunc(rows, func(r auditRow) bool { is, _ := scopes.ActionOf(r.Scope); return is == action }) {
			d.Actions = append(d.Actions, action)
		}
	}
	var list []auditPageRow
	at := make(map[string]int)
	for _, row := range rows {
		resource := cmp.Or(scopes.ResourceOf(row.Scope), "everything")
		if _, known := at[resource]; !known {
			at[resource] = len(list)
			list = append(list, auditPageRow{Resource: resource, Cells: make([][]auditPageScope, len(d.Actions))})
		}
		list[at[resource]].add(d, row, found[row.Scope])
	}
	slices.SortStableFunc(list, func(a, b auditPageRow) int {
		switch {
		case a.Found == b.Found:
			return 0
		case a.Found:
			return -1
		}
		return 1
	})
	for half := range slices.Chunk(list, max(leastBeside, (len(list)+1)/2)) {
		d.Halves = append(d.Halves, half)
	}
}

// leastBeside is how many rows stand below each other before some stand beside them.
const leastBeside = 16

// add puts a scope into the row's cell for its action.
func (r *auditPageRow) add(d *auditPage, row auditRow, found bool) {
	state := "undeclared"
	if row.Declared || row.CoveredBy != "" {
		state = "declared"
	}
	action, words := scopes.ActionOf(row.Scope)
	one := auditPageScope{auditRow: row, Found: found}
	if words != string(action) {
		one.Label = words
	}
	for _, mark := range d.Marks {
		one.Marks = append(one.Marks, mark.of(&row))
	}
	cell := &r.Cells[slices.Index(d.Actions, action)]
	if slices.ContainsFunc(*cell, func(other auditPageScope) bool { return other.Label == one.Label }) {
		one.Label = row.Scope
	}
	*cell = append(*cell, one)
	r.Found = r.Found || found
	r.State = strings.TrimSpace(r.State + " " + state)
	r.Scopes = strings.TrimSpace(r.Scopes + " " + row.Scope)
}

// of is the mark on a scope.
func (m auditMark) of(r *auditRow) auditPageMark {
	switch says := m.says(r); says {
	case "no", noWord:
		if m.Letter == "G" && says == noWord {
			return auditPageMark{"none", "?", m.Source + ": not known"}
		}
		return auditPageMark{"off", "", m.Source + ": no"}
	case "implied":
		return auditPageMark{"on", markImplied, "implied by " + r.CoveredBy}
	default:
		return auditPageMark{"on", m.Letter, m.Source + ": " + says}
	}
}

// hashOf is how a Content-Security-Policy names an inline element (CSP Level 3 §2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
