package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
