package view

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// hostileAudit is an audit whose every text comes from someone who means harm.
func hostileAudit() *Audit {
	const evil = "<script>alert(1)</script>\x1b[2J\"'|`](http://evil)\n::error::"
	m := &manifest.Manifest{
		File: "m" + evil, Name: "n" + evil, Programs: []manifest.Program{{Name: evil}},
		Provider: &provider.Provider{Servers: []provider.Server{{Name: "s", Issuer: "https://x/" + evil}}, DefaultServer: "s"},
	}
	s, err := ambit.New(m, ambit.Options{Programs: []string{evil}})
	if err != nil {
		panic(err)
	}
	return &Audit{
		Session: s,
		Failing: audit.FailingKinds(), Server: scopes.Listed, Fixed: "wrote " + evil,
		Found: audit.Findings{
			Findings: []audit.Finding{
				{Kind: audit.Undeclared, Scope: "a:b", File: "m" + evil, Line: 3, Message: "needs " + evil, Evidence: []string{evil}},
				{Kind: audit.Unused, Scope: "c:d", File: "m.yaml", Line: 4, Message: "unused", Evidence: []string{}},
			},
			Matrix: []audit.Row{{Scope: "a:b" + evil, Advertised: scopes.AdvertisedUnknown, NeededBy: []string{"tool:" + evil}}},
			Waived: []audit.Finding{{Kind: audit.Unused, Message: evil}},
			Notes:  []audit.Note{{Where: audit.Where{File: evil, Line: 1}, Message: evil}},
		},
	}
}

// In no format does text from outside become markup, a command or a control character.
func TestAuditEscapes(t *testing.T) {
	v := hostileAudit()
	page, err := v.Page()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(page, "<script>") != 1 || strings.Contains(page, "<script>alert") {
		t.Errorf("the page holds a script that is not its own:\n%s", page)
	}
	p := &Printer{Width: 80}
	v.Text(p)
	for name, text := range map[string]string{"text": p.String(), "markdown": v.Markdown(), "github": report.Annotations(v.Reports(), "")} {
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s holds a control character: %q", name, text)
		}
	}
	code := regexp.MustCompile("`` .* ``") // of a table's cell
	if text := code.ReplaceAllString(v.Markdown(), ""); strings.Contains(text, "<") || strings.Contains(text, "](") && !strings.Contains(text, "\\](") {
		t.Errorf("the Markdown holds markup: %s", text)
	}
	if lines := strings.Split(strings.TrimSpace(report.Annotations(v.Reports(), "")), "\n"); len(lines) != 3 {
		t.Errorf("a verdict and two findings are %d lines: %q", len(lines), lines)
	}
}

// The page brings what it needs, and its policy lets only that in.
func TestAuditPageIsSelfContained(t *testing.T) {
	page, err := hostileAudit().Page()
	if err != nil {
		t.Fatal(err)
	}
	page = strings.ReplaceAll(page, "&#39;", "'")
	page = strings.ReplaceAll(page, "&#43;", "+")
	for _, element := range []string{"style", "script"} {
		_, inner, _ := strings.Cut(page, "<"+element+">")
		inner, _, found := strings.Cut(inner, "</"+element+">")
		if want := element + "-src 'sha256-" + hashOf(inner) + "'"; !found || !strings.Contains(page, want) {
			t.Errorf("the policy does not name the page's own %s: want %s", element, want)
		}
	}
	if !strings.Contains(page, "default-src 'none'") {
		t.Error("the policy lets other things in")
	}
	if regexp.MustCompile(`(?i)<[^>]*\s(src|href|style|on\w+)=`).MatchString(page) {
		t.Error("the page refers to something outside, or has code in an attribute")
	}
	again, err := hostileAudit().Page()
	if err != nil || strings.ReplaceAll(strings.ReplaceAll(again, "&#39;", "'"), "&#43;", "+") != page {
		t.Errorf("the same audit is another page: %v", err)
	}
}
