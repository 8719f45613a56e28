package sandbox

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/chromedp/chromedp"
)

// browserTimeout is for a cold start of the browser on a busy machine.
const browserTimeout = 60 * time.Second

// newBrowser starts headless Chromium.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		testkit.Lacks(t, "no Chromium is installed: Debian has it as chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop) // waits for the browser's end
	browser, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	timed, stop := context.WithTimeout(browser, browserTimeout)
	t.Cleanup(stop)
	return timed
}

// catch serves the redirect URI and passes on what the browser brings.
func catch(t *testing.T, redirect string) <-chan url.Values {
	t.Helper()
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	caught := make(chan url.Values, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+u.Path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<p id="landed">back</p>`))
		caught <- r.URL.Query()
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return caught
}

// The page's policy lets the form's answer through to the application, and the page
// works without any script of its own.
func TestConsentInABrowser(t *testing.T) {
	browser := newBrowser(t)
	for name, tt := range map[string]struct {
		do   chromedp.Action[chromedp.Void]
		want func(s *Sandbox, l *login, back url.Values) bool
	}{
		"untick and allow": {
			chromedp.Steps(
				chromedp.Click(chromedp.CSS(`input[value="query:read"]`)), chromedp.SetValue(chromedp.CSS(`#project`), "2"),
				chromedp.Click(chromedp.CSS(`button[value="allow"]`)),
			),
			func(_ *Sandbox, l *login, back url.Values) bool {
				got := l.exchange(back.Get("code")).json(t)
				return got["scope"] == "user:read insight:write" && got["scoped_teams"].([]any)[0] == 2.0
			},
		},
		"deny": {
			chromedp.Click(chromedp.CSS(`button[value="deny"]`)),
			func(_ *Sandbox, _ *login, back url.Values) bool { return back.Get("error") == "access_denied" },
		},
	} {
		s := start(t, Options{})
		l := newLogin(t, s)
		caught := catch(t, l.redirect)
		err := chromedp.Do(browser,
			chromedp.Navigate(l.request("user:read query:read insight:write", url.Values{"required_access_level": {"project"}})),
			tt.do, chromedp.WaitVisible(chromedp.CSS("#landed")))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if back := <-caught; !tt.want(s, l, back) {
			t.Errorf("%s: came back with %v", name, back)
		}
	}
}
