package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/ambit-auth/ambit/internal/cli"
)

// TestAuditPage opens the page of an audit in a browser, as a file, and filters it: its
// own policy must let its style and script in.
func TestAuditPage(t *testing.T) {
	browser := newBrowser(t)
	_, file := auditPage(t, t.TempDir(), "version: 1\nname: <b>bold</b>\nprovider: posthog\nscopes:\n"+
		"  - {scope: \"a:read\", level: optional, why: x, used_by: [\"tool:first\", \"tool:second\"]}\n",
		`{"first": {"required_scopes": ["a:read"]}, "second": {"required_scopes": ["b:write"]}}`, "--server", "http://127.0.0.1:9")
	do(t, browser, chromedp.Navigate(file))
	look := func(script string) string {
		t.Helper()
		return ask(t, browser, chromedp.Evaluate[string](script))
	}
	rows := func() string {
		t.Helper()
		return look(`Array.from(document.querySelectorAll("#matrix tbody tr")).filter(r => r.offsetParent !== null).map(r => r.dataset.scopes).join(" ")`)
	}
	typing := func(text string) {
		t.Helper()
		if err := chromedp.Do(browser, chromedp.SendKeys("#word", text)); err != nil {
			t.Fatal(err)
		}
	}
	title, shown, spacing := look(`document.querySelector("h1").textContent`), look(`document.getElementById("shown").textContent`),
		look(`getComputedStyle(document.querySelector("table")).borderCollapse`)
	all := rows()
	showing := func(which string) string {
		t.Helper()
		return look(`(() => { const s = document.getElementById("which"); s.value = "`+which+`"; s.dispatchEvent(new Event("input", {bubbles: true})) })(), "set"`) + " " + rows()
	}
	const finds = `Array.from(document.querySelectorAll("#finds > li")).filter(li => li.offsetParent).length + ""`
	everything := look(finds)
	declared := showing("declared")
	ofDeclared := look(finds)
	undeclared, withFindings := showing("undeclared"), showing("found")
	showing("all")
	if everything != "1" || ofDeclared != "0" || look(finds) != "1" {
		t.Errorf("findings: %s, of what is declared %s", everything, ofDeclared)
	}
	if declared != "set a:read" || undeclared != "set b:write" || withFindings != "set b:write" {
		t.Errorf("declared %q, not declared %q, with findings %q", declared, undeclared, withFindings)
	}

	// On paper the filter is left out; in the dark the page is dark.
	media := func(m emulation.SetEmulatedMediaParams) {
		t.Helper()
		do(t, browser, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, m)
			return err
		}))
	}
	const paper = `getComputedStyle(document.body).backgroundColor`
	light := look(paper)
	media(emulation.SetEmulatedMediaParams{Media: "print"})
	printed := look(`getComputedStyle(document.getElementById("filter")).display`)
	media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if dark := look(paper); printed != "none" || dark == light {
		t.Errorf("printed, the filter is %q; light %q, dark %q", printed, light, dark)
	}
	media(emulation.SetEmulatedMediaParams{})
	typing("b:WRITE")
	found := rows()
	typing("nothing")
	none := rows()
	if !strings.Contains(title, "<b>bold</b>") || spacing != "collapse" {
		t.Errorf("the title is %q, the table's borders %q: is the style let in?", title, spacing)
	}
	if shown != "2 of 2" || all != "b:write a:read" || found != "b:write" || none != "" {
		t.Errorf("shown %q: %q; filtered %q, then %q", shown, all, found, none)
	}
}

// TestAuditPageOfManyScopes opens the page of 64 scopes, some with names that mean harm: as a matrix it fits one
// screen, those with findings come first, each cell says in words what it shows, and the small set is copied by a
// click.
func TestAuditPageOfManyScopes(t *testing.T) {
	browser := newBrowser(t)
	complaints := complaints(t, browser)
	const hostile = "<img/src=x>:read"
	dir := t.TempDir()
	var manifest, tools strings.Builder
	manifest.WriteString("version: 1\nname: many\nprovider: {servers: {x: {issuer: 'http://127.0.0.1:9', api: 'http://127.0.0.1:9'}}, implies: [{scope: '{x}:write', covers: ['{x}:read']}]}\nscopes:\n")
	tools.WriteString(`{"evil": {"required_scopes": ["` + hostile + `"]}`)
	for i := range 32 {
		fmt.Fprintf(&manifest, "  - {scope: 'resource%02d:read', level: recommended, why: x, used_by: ['tool:r%d']}\n", i, i)
		fmt.Fprintf(&tools, `, "r%d": {"required_scopes": ["resource%02d:read"]}`, i, i)
		if i%2 == 0 {
			fmt.Fprintf(&manifest, "  - {scope: 'resource%02d:write', level: required, why: x, used_by: ['tool:w%d']}\n", i, i)
		}
		fmt.Fprintf(&tools, `, "w%d": {"required_scopes": ["resource%02d:write"]}`, i, i)
	}
	tools.WriteString("}")
	page, file := auditPage(t, dir, manifest.String(), tools.String(), "--tools", "*")
	if strings.Contains(page, "<img") {
		t.Error("a scope's name became markup")
	}
	do(t, browser, chromedp.Navigate(file), window("light", 1280))
	words := func(script string) string { return ask(t, browser, chromedp.Evaluate[string](script)) }
	if rows, last := words(`document.querySelectorAll("#matrix tbody tr").length + ""`), ask(t, browser, chromedp.Evaluate[float64](
		`Math.max(...Array.from(document.querySelectorAll("#matrix tr")).map(r => r.getBoundingClientRect().bottom))`)); rows != "33" || last > 800 {
		t.Errorf("%s rows end at %.0f", rows, last)
	}
	if states := words(`Array.from(document.querySelectorAll("#matrix tbody tr")).map(r => r.classList.contains("found") ? "1" : "0").join("").replace(/(.)\1+/g, "$1")`); states != "10" {
		t.Errorf("rows with findings are not the first: %s", states)
	}
	for scope, want := range map[string]string{
		"resource01:write": "resource01:write: declared: no; required by an MCP tool: yes; with a finding",
		"resource00:write": "resource00:write: declared: required; required by an MCP tool: yes;",
		hostile:            hostile + ": declared: no; required by an MCP tool: yes; with a finding",
	} {
		if got := words(`Array.from(document.querySelectorAll("#matrix .said")).find(s => s.textContent.startsWith(` + strconv.Quote(scope+":") + `)).textContent.trim()`); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// What a mark says is in its letter too, not in its color alone.
	if marks := words(`["on", "off"].map(c => Array.from(new Set(Array.from(document.querySelectorAll("#matrix .m." + c)).map(m => m.textContent))).sort().join("")).join("|")`); marks != "DM|" {
		t.Errorf("marks %q", marks)
	}
	do(t, browser, chromedp.Click(chromedp.CSS("#copy")), chromedp.WaitVisible(chromedp.CSS("#copied:not(:empty)")))
	if got, want := clipboard(t, browser), words(`document.getElementById("minimal").textContent`); got != want || !strings.HasPrefix(got, "scopes:\n") || words(`document.getElementById("copied").textContent`) != "Copied." {
		t.Errorf("copied %q, want %q", got, want)
	}
	judgePage(t, browser, "audit")
	do(t, browser, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => { d.open = true })`))
	judgePage(t, browser, "audit-open")
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// auditPage writes a manifest and tools, and gives the page of their audit and its address as a file.
func auditPage(t *testing.T, dir, manifest, tools string, more ...string) (page, address string) {
	t.Helper()
	paths := map[string]string{"scopes.yaml": manifest, "tools.json": tools}
	for name, text := range paths {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, story bytes.Buffer
	c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &story, Env: []string{"HOME=" + dir}}
	args := append([]string{"audit", "-f", filepath.Join(dir, "scopes.yaml"), "--mcp-tools", filepath.Join(dir, "tools.json"), "-o", "html"}, more...)
	if code := c.Main(t.Context(), args); code != 5 {
		t.Fatalf("exit %d: %s", code, &story)
	}
	file := filepath.Join(dir, "audit.html")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return out.String(), "file://" + filepath.ToSlash(file)
}
