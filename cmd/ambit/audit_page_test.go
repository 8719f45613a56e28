package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
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
	dir := t.TempDir()
	manifest := filepath.Join(dir, "scopes.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(manifest, "version: 1\nname: <b>bold</b>\nprovider: posthog\nscopes:\n"+
		"  - {scope: \"a:read\", level: optional, why: x, used_by: [\"tool:first\", \"tool:second\"]}\n")
	tools := filepath.Join(dir, "tools.json")
	write(tools, `{"first": {"required_scopes": ["a:read"]}, "second": {"required_scopes": ["b:write"]}}`)
	var page, story bytes.Buffer
	c := cli.Command{Stdin: eof{}, Stdout: &page, Stderr: &story, Env: []string{"HOME=" + dir}}
	if code := c.Main(t.Context(), []string{"audit", "-f", manifest, "--server", "http://127.0.0.1:9", "--mcp-tools", tools, "-o", "html"}); code != 5 {
		t.Fatalf("exit %d: %s", code, &story)
	}
	file := filepath.Join(dir, "audit.html")
	write(file, page.String())

	if err := chromedp.Do(browser, chromedp.Navigate("file://"+filepath.ToSlash(file))); err != nil {
		t.Fatal(err)
	}
	look := func(script string) string {
		t.Helper()
		return ask(t, browser, chromedp.Evaluate[string](script))
	}
	rows := func() string {
		t.Helper()
		return look(`Array.from(document.querySelectorAll("#matrix tbody tr")).filter(r => r.offsetParent !== null).map(r => r.cells[0].textContent).join(" ")`)
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
	if shown != "2 of 2" || all != "a:read b:write" || found != "b:write" || none != "" {
		t.Errorf("shown %q: %q; filtered %q, then %q", shown, all, found, none)
	}
}
