package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// TestRunPage opens the report of a run as a file: the verdict with its steps, and below it, in
// their order, the calls, the renewal in their midst and the refusal, which leads to the verdict.
func TestRunPage(t *testing.T) {
	browser := newBrowser(t)
	complaints := complaints(t, browser)
	var box *sandbox.Sandbox
	var calls atomic.Int32
	box = startBox(t, sandbox.Options{Grant: "user:read project:read llm_gateway:read", Log: func(r sandbox.Request) {
		if r.Path == "/api/users/@me/" && calls.Add(1) == 2 {
			box.ExpireAll()
		}
	}})
	home := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	caller := filepath.Join(home, "caller")
	if err := os.Symlink(self, caller); err != nil {
		testkit.Lacks(t, "this system makes no symbolic links: "+err.Error())
	}
	ambit := func(code int, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), self)
		c.Args = append([]string{"ambit"}, args...)
		c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + box.Ready().Manifest}
		if out, _ := c.CombinedOutput(); c.ProcessState.ExitCode() != code {
			t.Fatalf("%v: %v\n%s", args, c.ProcessState, out)
		}
	}
	ambit(0, "login", "--browser", visitCommand(t))
	calls.Store(0)
	file := filepath.Join(home, "run.HTML")
	ambit(7, "run", "--report", file, "--", caller, "-k",
		"GET api/api/users/@me/", "GET api/api/users/@me/", "GET api/api/projects/1/", "POST api/api/projects/1/query/", "POST gateway/v1/messages")
	do(t, browser, chromedp.Navigate("file://"+filepath.ToSlash(file)), chromedp.WaitVisible(chromedp.CSS("#moments")))
	words := func(script string) string { return ask(t, browser, chromedp.Evaluate[string](script)) }
	list := words(`Array.from(document.querySelectorAll("#moments tbody tr")).map(r => r.innerText.replace(/\s+/g, " ")).join("\n")`)
	at := 0
	for _, want := range []string{"● 200 GET 127.0.0.1:", "/api/users/@me/ × 2", "/api/projects/…/", "◆ renewed", "✕ 403 POST 127.0.0.1:", "/api/projects/…/query/", "refused missing scope query:read", "● 200 POST 127.0.0.1:", "/v1/messages"} {
		next := strings.Index(list[at:], want)
		if next < 0 {
			t.Fatalf("%q does not follow:\n%s", want, list)
		}
		at += next
	}
	verdict := words(`document.querySelector(document.querySelector("#moments a").getAttribute("href")).innerText`)
	for _, want := range []string{"query:read", "next\n", "because\n", "/api/projects/…/query/"} {
		if !strings.Contains(verdict, want) {
			t.Errorf("the verdict lacks %q:\n%s", want, verdict)
		}
	}
	if text := words(`document.body.innerText`); strings.Contains(text, "{") || strings.Contains(text, "tool:") || !strings.Contains(text, "exit code 7") {
		t.Errorf("the page says:\n%s", text)
	}
	if shapes := words(`["circle.call", "path.refused", "path.renewed"].map(s => document.querySelectorAll("svg " + s).length > 0).join()`); shapes != "true,true,true" {
		t.Errorf("the picture has %s", shapes)
	}
	judgePage(t, browser, "run")
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}
