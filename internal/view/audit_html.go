package view

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"html/template"
	"strings"

	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/scopes/audit"
)

//go:embed pages/audit.css
var auditStyle string

//go:embed pages/audit.js
var auditScript string

// An auditPage is what the page of an audit shows. The page is one file that needs
// nothing else: its policy allows only the style and the script that it brings, by
// their hashes, so that the same audit is the same file.
type auditPage struct {
	Title, Name, File, Server, Totals, Fixed, Holder string

	Policy   string
	Style    template.CSS
	Script   template.JS
	Rows     []auditPageRow
	Findings []auditPageFinding
	Waived   []audit.Finding
	Notes    []audit.Note
	Minimal  string
}

type auditPageRow struct {
	auditRow
	State string // declared, undeclared: for the filter
	Found bool   // some finding is about it
}

type auditPageFinding struct {
	audit.Finding
	Fails bool
}

// Page is the audit as one self-contained page.
func (v *Audit) Page() (string, error) {
	m := v.Session.Manifest()
	data := auditPage{
		Title: v.title(), Name: m.Name, File: m.File, Server: v.Session.Server().Issuer, Totals: v.totals(), Fixed: v.Fixed, Holder: v.Holder,
		Policy: "default-src 'none'; style-src 'sha256-" + hashOf(auditStyle) + "'; script-src 'sha256-" + hashOf(auditScript) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(auditStyle), Script: template.JS(auditScript),
		Waived: v.Found.Waived, Notes: v.Found.Notes, Minimal: v.least(),
	}
	about := make(map[string]bool)
	for _, f := range v.Found.Findings {
		data.Findings = append(data.Findings, auditPageFinding{f, v.severityOf(f.Kind) == report.Mistake})
		for scope := range strings.SplitSeq(f.Scope, "|") {
			about[scope] = true
		}
	}
	for _, row := range v.rows() {
		state := "undeclared"
		if row.Declared || row.CoveredBy != "" {
			state = "declared"
		}
		data.Rows = append(data.Rows, auditPageRow{row, state, about[row.Scope]})
	}
	var out bytes.Buffer
	err := pageTemplates().ExecuteTemplate(&out, "audit.html", data)
	return out.String(), err
}

// hashOf is how a Content-Security-Policy names an inline element (CSP Level 3 §2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
