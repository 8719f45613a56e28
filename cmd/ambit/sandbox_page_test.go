package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestSandboxRoot opens the page at the sandbox's root as a person does: it shows where everything
// is, copies a key, moves switches that the servers obey, and shows what is requested.
func TestSandboxRoot(t *testing.T) {
	browser := newBrowser(t)
	complaints := complaints(t, browser)
	box := startBox(t, sandbox.Options{Misbehave: []string{"more", "500@token"}})
	ready := box.Ready()
	do(t, browser, chromedp.Navigate(ready.Issuer+"/"), chromedp.WaitVisible(chromedp.CSS("#state:not(:empty)")))
	words := func(script string) string { return ask(t, browser, chromedp.Evaluate[string](script)) }
	main := words(`document.querySelector("main").innerText`)
	for _, want := range []string{ready.API, ready.Gateway, ready.MCP, ready.Keys.Full, ready.Keys.OtherRegion, ready.MoreKeys["star"], "ambit login -f " + ready.Manifest, "It misbehaves: more, 500@token", "None yet"} {
		if !strings.Contains(main, want) {
			t.Errorf("the page lacks %q:\n%s", want, main)
		}
	}
	key := `button[data-copy="` + ready.Keys.NoGateway + `"]`
	do(t, browser, chromedp.Click(chromedp.CSS(key)))
	if got := clipboard(t, browser); got != ready.Keys.NoGateway {
		t.Errorf("copied %q, want %q", got, ready.Keys.NoGateway)
	}

	// A switch adds to what is on, and the server does it at once.
	status := func(target string) int {
		t.Helper()
		response, err := http.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	metadata := ready.Issuer + "/.well-known/oauth-authorization-server"
	says := func(text string) chromedp.Action[chromedp.Void] {
		return until(`document.getElementById("state").textContent === "` + text + `"`)
	}
	before := status(metadata)
	do(t, browser, chromedp.Click(chromedp.CSS(`input[value="no-metadata"]`)), says("It misbehaves: more, 500@token, no-metadata@metadata"))
	during := status(metadata)
	do(t, browser, chromedp.Click(chromedp.CSS(`input[value="more"]`)), says("It misbehaves: 500@token, no-metadata@metadata"))
	do(t, browser, chromedp.Click(chromedp.CSS("#well")), says("It behaves well."))
	if after := status(metadata); before != 200 || during != 404 || after != 200 {
		t.Errorf("the metadata is answered with %d, %d while it is switched off, and then %d", before, during, after)
	}
	if err := box.Misbehave("cut@api"); err != nil { // as another program may
		t.Fatal(err)
	}
	do(t, browser, says("It misbehaves: cut@api"))
	if on := words(`Array.from(document.querySelectorAll("#kinds input:checked")).map(i => i.value + i.closest("li").querySelector("select").value).join()`); on != "cutapi" {
		t.Errorf("on is %q", on)
	}
	if err := box.Misbehave(); err != nil {
		t.Fatal(err)
	}

	// Requests come by themselves; whatever a path holds is text.
	status(ready.API + "/api/" + url.PathEscape("<img src=x onerror=alert(1)>") + "/")
	do(t, browser, until(`document.getElementById("requests").innerText.includes("<img src=x onerror=alert(1)>")`))
	if list := words(`Array.from(document.querySelectorAll("#requests tbody tr")).map(r => r.cells[1].innerText + " " + r.cells[2].innerText).join("\n")`); strings.Count(list, "\n") != 3 || !strings.Contains(list, "✕ 404 GET "+strings.TrimPrefix(metadata, "http://")) {
		t.Errorf("requests:\n%s", list)
	}
	judgePage(t, browser, "sandbox")
	if list := complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestSandboxRootIsGuarded asks for the page as others may: a program gets what it always got, no
// site can frame the page or move its switches, and under another name there is no page.
func TestSandboxRootIsGuarded(t *testing.T) {
	box := startBox(t, sandbox.Options{})
	issuer := box.Ready().Issuer
	send := func(method, path, host, body string, header ...string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	if r := send("GET", "/", "", ""); r.StatusCode != 404 || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("a program gets %s, %s", r.Status, r.Header.Get("Content-Type"))
	}
	page := send("GET", "/", "", "", "Accept", "text/html")
	if policy := page.Header.Get("Content-Security-Policy"); page.StatusCode != 200 || !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("%s, %s", page.Status, policy)
	}
	if r := send("GET", "/", "evil.example", "", "Accept", "text/html"); r.StatusCode != 302 || r.Header.Get("Location") != issuer+"/" {
		t.Errorf("under another name: %s to %q", r.Status, r.Header.Get("Location"))
	}
	if r := send("GET", "/sandbox/state", "evil.example", ""); r.StatusCode != 403 {
		t.Errorf("the state under another name: %s", r.Status)
	}
	if r := send("POST", "/sandbox/misbehave", "", `{"kinds": ["500"]}`, "Origin", "http://evil.example"); r.StatusCode != 403 {
		t.Errorf("a switch of another site: %s", r.Status)
	}
	if r := send("GET", "/.well-known/oauth-authorization-server", "", ""); r.StatusCode != 200 {
		t.Errorf("the switch of another site was obeyed: %s", r.Status)
	}
	if n := len(box.Requests()); n != 2 {
		t.Errorf("%d requests are recorded: those of the page are none", n)
	}
}
