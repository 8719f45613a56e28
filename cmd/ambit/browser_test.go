package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/creack/pty"
)

// browserStart bounds the start of a browser on a busy machine.
const browserStart = time.Minute

// hangs is far beyond what any of these commands takes: who reaches it waits for
// something that never comes.
const hangs = 30 * time.Second

// newBrowser starts a real browser, headless. Without one the test is skipped, or
// fails where AMBIT_TEST_PARTS says that every part must be there.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		testkit.Lacks(t, "no browser is installed: the pages are not tested here")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(browserStart),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// A loggingIn is a login that waits for a browser.
type loggingIn struct {
	start <-chan string // the local page, as the system is told to open it
	url   string        // the server's page
	ended chan int
	out   *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// beginLogin runs the real login on a terminal, up to the point where a person takes over: the system
// was told to open a page, and a URL is on the screen.
func beginLogin(t *testing.T, manifest string) *loggingIn {
	t.Helper()
	l := &loggingIn{ended: make(chan int, 1), out: &syncBuffer{}, start: openedBySystem(t)}
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); terminal.Close(); screen.Close() })
	go func() {
		c := cli.Command{Stdin: terminal, Stdout: l.out, Stderr: terminal, Env: []string{"HOME=" + home, "DISPLAY=:0"}}
		l.ended <- c.Main(ctx, []string{"login", "-f", manifest, "--store", "file"})
	}()
	lines := bufio.NewScanner(screen)
	for l.url == "" && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			l.url = strings.TrimRight(lines.Text(), "\r")
		}
	}
	go io.Copy(l.out, screen)
	if l.url == "" {
		t.Fatalf("no URL was printed: %v", lines.Err())
	}
	return l
}

// openedBySystem takes the place of what opens pages on this system: what it is to open comes out.
func openedBySystem(t *testing.T) <-chan string {
	t.Helper()
	opened := make(chan string, 1)
	hears := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { opened <- r.URL.Query().Get("url") }))
	t.Cleanup(hears.Close)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tools := t.TempDir()
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.Symlink(self, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(opensVariable, hears.URL)
	return opened
}

// opensVariable is where the system's opener of [openedBySystem] says what it was given.
const opensVariable = "AMBIT_TEST_OPENS"

// opens is the main of that opener.
func opens() {
	if hears := os.Getenv(opensVariable); hears != "" {
		if response, err := http.Get(hears + "?" + url.Values{"url": os.Args[1:]}.Encode()); err == nil {
			response.Body.Close()
		}
	}
}

func startBox(t *testing.T, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	o.Manifest, o.Dir = ambit.ExampleManifest, t.TempDir()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// shot keeps a screenshot where AMBIT_TEST_SHOTS names a directory, to be looked at.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	directory := os.Getenv("AMBIT_TEST_SHOTS")
	if directory == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// look makes the browser prefer light pages on a desk, or dark ones on a phone.
func look(dark bool) chromedp.Action[chromedp.Void] {
	if dark {
		return window("dark", 390)
	}
	return window("light", 1000)
}

// window is a phone's where it is narrow.
func window(scheme string, width int64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 500}
		if _, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, size); err != nil {
			return err
		}
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return err
	})
}

// do runs actions, and ends the test where one fails.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	bounded, cancel := context.WithTimeout(ctx, hangs)
	defer cancel()
	if err := chromedp.Do(bounded, steps...); err != nil {
		where, _ := chromedp.Run(ctx, chromedp.Location())
		page, _ := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("html")))
		t.Fatalf("%v\nat %s:\n%s", err, where, page)
	}
}

// ask runs one action for its value.
func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestPagesConsent walks a whole login in a real browser: the local page, the
// consent with one box unticked, and the page that says what lacks.
func TestPagesConsent(t *testing.T) {
	browser := newBrowser(t)
	complaints := complaints(t, browser)
	ready := startBox(t, sandbox.Options{Reasons: map[string]string{"llm_gateway:read": "every model call of the agent"}}).Ready()
	login := beginLogin(t, ready.Manifest)
	// People read hosts and tools, and not how a manifest writes them.
	inWords := func(name, page string) {
		t.Helper()
		if strings.Contains(page, "{") || strings.Contains(page, "tool:") {
			t.Errorf("%s has the words of a manifest:\n%s", name, page)
		}
	}
	do(t, browser, look(true), chromedp.Navigate(<-login.start), chromedp.WaitVisible(chromedp.CSS("a.go")))
	start := ask(t, browser, chromedp.Text(chromedp.CSS("main")))
	inWords("the start page", start)
	for _, want := range []string{"posthog-wizard asks for access", "llm_gateway:read", "every model call of the agent", "Required", "for POST /v1/messages", "for the tool insight-create"} {
		if !strings.Contains(start, want) {
			t.Errorf("the start page lacks %q:\n%s", want, start)
		}
	}
	judgePage(t, browser, "start")
	do(t, browser, chromedp.Click(chromedp.CSS("a.go")), chromedp.WaitVisible(chromedp.CSS(`input[value="query:read"]`)))
	judgePage(t, browser, "consent")
	consent := ask(t, browser, chromedp.Text(chromedp.CSS("main")))
	inWords("the consent page", consent)
	for _, want := range []string{"This app will be able to use", "required by this app", "every model call of the agent", "you return to http://localhost:"} {
		if !strings.Contains(consent, want) {
			t.Errorf("the consent page lacks %q:\n%s", want, consent)
		}
	}
	do(t, browser, chromedp.Click(chromedp.CSS(`input[value="query:read"]`)), chromedp.Click(chromedp.CSS(`button[value="allow"]`)),
		chromedp.WaitVisible(chromedp.CSS("h1.warn")))
	finish := ask(t, browser, chromedp.Text(chromedp.CSS("main")))
	judgePage(t, browser, "finished")
	inWords("the last page", finish)
	for _, want := range []string{"Logged in, but some access is missing", "is logged in at " + strings.TrimPrefix(ready.API, "http://"), "for POST " + strings.TrimPrefix(ready.API, "http://") + "/api/projects/…/query/", "Missing, recommended", "query:read", "the agent checks that events arrive", "You can close this window"} {
		if !strings.Contains(finish, want) {
			t.Errorf("the last page lacks %q:\n%s", want, finish)
		}
	}
	if code := <-login.ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, login.out)
	}
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestPagesStartOnce has a real browser reload the start page and come back to it, and then another
// browser ask for it: that one gets a plain sentence, and goes on with the URL on the screen.
func TestPagesStartOnce(t *testing.T) {
	first, second := newBrowser(t), newBrowser(t)
	login := beginLogin(t, startBox(t, sandbox.Options{}).Ready().Manifest)
	start := <-login.start
	if asked, err := url.Parse(login.url); err != nil || asked.Query().Get("state") == "" || strings.Contains(start, asked.Query().Get("state")) {
		t.Errorf("the browser's arguments show the state: %s", start)
	}
	there := chromedp.WaitVisible(chromedp.CSS("a.go"))
	consent := chromedp.WaitVisible(chromedp.CSS(`button[value="allow"]`))
	do(t, first, chromedp.Navigate(start), there, chromedp.Reload(), there, chromedp.Click(chromedp.CSS("a.go")), consent)
	do(t, first, chromedp.Navigate(start), there)
	do(t, second, chromedp.Navigate(start))
	if page := ask(t, second, chromedp.Text(chromedp.CSS("body"))); !strings.Contains(page, "is shown to one browser") || strings.Contains(page, "state=") {
		t.Errorf("the second browser sees:\n%s", page)
	}
	shot(t, second, "start-again")
	do(t, first, chromedp.Reload(), there)
	do(t, second, chromedp.Navigate(login.url), consent, chromedp.Click(chromedp.CSS(`button[value="allow"]`)), chromedp.WaitVisible(chromedp.CSS("h1.good")))
	if code := <-login.ended; code != 0 || strings.Count(login.out.String(), "is shown to one browser") != 1 {
		t.Errorf("exit code %d\n%s", code, login.out)
	}
}

// TestPagesDenial says no in a real browser.
func TestPagesDenial(t *testing.T) {
	browser := newBrowser(t)
	login := beginLogin(t, startBox(t, sandbox.Options{}).Ready().Manifest)
	do(t, browser, look(true), chromedp.Navigate(login.url), chromedp.Click(chromedp.CSS(`button[value="deny"]`)),
		chromedp.WaitVisible(chromedp.CSS("h1.bad")))
	page := ask(t, browser, chromedp.Text(chromedp.CSS("main")))
	shot(t, browser, "denied-dark-phone")
	if !strings.Contains(page, "Access was denied") {
		t.Errorf("the page says:\n%s", page)
	}
	if code := <-login.ended; code != 4 {
		t.Errorf("exit code %d\n%s", code, login.out)
	}
}

// TestPagesEscape shows a manifest that tries to put markup and script on the page.
func TestPagesEscape(t *testing.T) {
	browser := newBrowser(t)
	box := startBox(t, sandbox.Options{})
	manifest := filepath.Join(filepath.Dir(box.Ready().Manifest), "hostile.yaml")
	text := `version: 1
name: "<script>document.title='owned'</script>"
provider: ` + box.Ready().Provider + `
scopes:
  - {scope: "user:read", level: required, why: "<img src=x onerror=\"document.title='owned'\"><h1>owned</h1>"}
`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	login := beginLogin(t, manifest)
	do(t, browser, chromedp.Navigate(<-login.start), chromedp.WaitVisible(chromedp.CSS("a.go")))
	html := ask(t, browser, chromedp.OuterHTML(chromedp.CSS("main")))
	if title := ask(t, browser, chromedp.Title()); strings.Contains(html, "<img") || strings.Contains(html, "<script") || title == "owned" {
		t.Errorf("the manifest put markup on the page: title %q\n%s", title, html)
	}
	// default-src 'none' lets no page of ours fetch anything, not even itself.
	fetched := ask(t, browser, chromedp.Evaluate[string](`fetch(location.href).then(() => "fetched", () => "blocked")`, chromedp.EvalAwaitPromise))
	if fetched != "blocked" {
		t.Errorf("the page may fetch: %q", fetched)
	}
}

// TestPagesFitTheNarrowest shows words that are longer than the window is wide: a URL as
// the reason of a scope, and in what the server says.
func TestPagesFitTheNarrowest(t *testing.T) {
	browser := newBrowser(t)
	box := startBox(t, sandbox.Options{Grant: "user:read"})
	long := "https://example.com/" + strings.Repeat("long", 50)
	manifest := filepath.Join(filepath.Dir(box.Ready().Manifest), "long.yaml")
	text := `version: 1
name: ` + strings.Repeat("name", 25) + `
provider: ` + box.Ready().Provider + `
scopes:
  - {scope: "user:read", level: required, why: "see ` + long + `"}
  - {scope: "query:read", level: optional, why: "` + long + `", used_by: ["tool:` + strings.Repeat("tool", 50) + `"]}
`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fits := func(name string) {
		t.Helper()
		shot(t, browser, name+"-narrow")
		if over := ask(t, browser, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth")); over > 0 {
			t.Errorf("the page %s is %d pixels wider than its window", name, over)
		}
	}
	login := beginLogin(t, manifest)
	do(t, browser, window("light", 360), chromedp.Navigate(<-login.start), chromedp.WaitVisible(chromedp.CSS("a.go")))
	fits("start")
	do(t, browser, chromedp.Navigate(login.url), chromedp.WaitVisible(chromedp.CSS("h1.warn")))
	fits("finished")

	denied := beginLogin(t, manifest)
	asked, err := url.Parse(denied.url)
	if err != nil {
		t.Fatal(err)
	}
	answer := url.Values{
		"state": {asked.Query().Get("state")}, "iss": {box.Ready().Issuer}, "error": {"access_denied"}, "error_description": {long},
	}
	do(t, browser, chromedp.Navigate(asked.Query().Get("redirect_uri")+"?"+answer.Encode()), chromedp.WaitVisible(chromedp.CSS("h1.bad")))
	if page := ask(t, browser, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(page, long) {
		t.Errorf("the page says:\n%s", page)
	}
	fits("denied")
}
