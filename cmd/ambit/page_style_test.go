package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// leastContrast is what text of this size has at least: WCAG 2.2 §1.4.3, level AA.
const leastContrast = 4.5

// paleScript finds the text on a page with the least contrast to what is behind it, by the
// formula of WCAG 2.2. Colours of the page's body come with it, as the browser made them.
const paleScript = `(() => {
	const rgb = text => (text.match(/[\d.]+/g) || []).map(Number);
	const light = ([r, g, b]) => {
		const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
	};
	const behind = element => {
		for (let e = element; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length === 3 || c[3] === 1) return c;
		}
		return [255, 255, 255];
	};
	const found = {Contrast: 99, Text: "", Texts: 0, Paper: getComputedStyle(document.body).backgroundColor, Ink: getComputedStyle(document.body).color};
	for (const e of document.body.querySelectorAll("*")) {
		const own = Array.from(e.childNodes).filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
		if (own === "" || e.offsetParent === null) continue;
		const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		found.Texts++;
		if (contrast < found.Contrast) Object.assign(found, {Contrast: contrast, Text: own});
	}
	return found;
})()`

// A paleness is what paleScript finds.
type paleness struct {
	Contrast   float64
	Text       string
	Texts      int
	Paper, Ink string
}

// TestPagesInTheDark looks at each page as someone does who wants dark pages, and as someone
// who wants light ones: the colors change, and all text can be read in both.
func TestPagesInTheDark(t *testing.T) {
	browser := newBrowser(t)
	check := func(name string) {
		t.Helper()
		seen := make(map[string]paleness)
		for _, scheme := range []string{"light", "dark"} {
			do(t, browser, window(scheme, 1000))
			p := ask(t, browser, chromedp.Evaluate[paleness](paleScript))
			if p.Contrast < leastContrast || p.Texts < 3 {
				t.Errorf("%s, %s: %d texts, and %q has a contrast of %.2f", name, scheme, p.Texts, p.Text, p.Contrast)
			}
			seen[scheme] = p
		}
		if seen["light"].Paper == seen["dark"].Paper || seen["light"].Ink == seen["dark"].Ink {
			t.Errorf("%s looks the same in the dark: %+v", name, seen)
		}
	}
	box := startBox(t, sandbox.Options{})
	consents := beginLogin(t, box.Ready().Manifest)
	do(t, browser, chromedp.Navigate(<-consents.start), chromedp.WaitVisible(chromedp.CSS("a.go")))
	check("the start page")
	do(t, browser, chromedp.Click(chromedp.CSS("a.go")), chromedp.WaitVisible(chromedp.CSS(`input[value="query:read"]`)),
		chromedp.Click(chromedp.CSS(`input[value="query:read"]`)), chromedp.Click(chromedp.CSS(`button[value="allow"]`)), chromedp.WaitVisible(chromedp.CSS("h1.warn")))
	check("the last page, with something missing")
	refuses := beginLogin(t, box.Ready().Manifest)
	do(t, browser, chromedp.Navigate(refuses.url), chromedp.Click(chromedp.CSS(`button[value="deny"]`)), chromedp.WaitVisible(chromedp.CSS("h1.bad")))
	check("the page of a denial")
	all := beginLogin(t, startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest)
	do(t, browser, chromedp.Navigate(all.url), chromedp.WaitVisible(chromedp.CSS("h1.good")))
	check("the last page, with everything")
}

// TestPagePolicy reads the header of each page: it allows the page's own style, by a nonce
// that serves once, and nothing else.
func TestPagePolicy(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all"})
	login := beginLogin(t, box.Ready().Manifest)
	seen := make(map[string]string)
	jar, _ := cookiejar.New(nil) // the start page is shown to one browser
	browser := &http.Client{Jar: jar}
	check := func(name, target string) {
		t.Helper()
		nonce := policyNonce(t, browser, name, target)
		for other, used := range seen {
			if used == nonce {
				t.Errorf("%s has the nonce of %s", name, other)
			}
		}
		seen[name] = nonce
	}
	start := <-login.start
	check("the start page", start)
	check("the start page, again", start)
	check("the last page", login.url)
	if code := <-login.ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, login.out)
	}
	denied := beginLogin(t, box.Ready().Manifest)
	asked, err := url.Parse(denied.url)
	if err != nil {
		t.Fatal(err)
	}
	answer := url.Values{"state": {asked.Query().Get("state")}, "iss": {box.Ready().Issuer}, "error": {"access_denied"}}
	check("the page of a denial", asked.Query().Get("redirect_uri")+"?"+answer.Encode())
}

// policyNonce checks the headers of a page, and gives the nonce that its style has.
func policyNonce(t *testing.T, browser *http.Client, name, target string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	style := regexp.MustCompile(`<style nonce="([A-Za-z0-9+/=_-]{16,})">`).FindSubmatch(body)
	if style == nil || strings.Count(string(body), "nonce=") != 1 {
		t.Fatalf("%s has no one style with a nonce:\n%s", name, body)
	}
	nonce := string(style[1])
	for header, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'nonce-" + nonce + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
	} {
		if got := response.Header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s is %q, want %q", name, header, got, want)
		}
	}
	return nonce
}
