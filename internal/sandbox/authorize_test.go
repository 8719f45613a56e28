package sandbox

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConsentUntickAllow(t *testing.T) {
	s := start(t, Options{})
	l := newLogin(t, s)
	a := l.get(l.request("user:read query:read insight:write billing:write", url.Values{"required_access_level": {"project"}}))
	f := readForm(t, a)
	if diff := cmp.Diff([]string{"user:read", "query:read", "insight:write"}, f.scopes); diff != "" {
		t.Errorf("shown: %s", diff)
	}
	f.values["scope"] = []string{"insight:write"} // query:read unticked; user:read is pinned
	f.values.Set("project", "2")
	f.values.Set("decision", "allow")
	got := l.exchange(l.callback(l.post(l.issuer+f.action, f.values)).Get("code")).json(t)
	if got["scope"] != "user:read insight:write" {
		t.Errorf("granted %v", got["scope"])
	}
	if diff := cmp.Diff([]any{2.0}, got["scoped_teams"]); diff != "" {
		t.Error(diff)
	}
}

func TestConsentGrantsNoMoreThanWasShown(t *testing.T) {
	s := start(t, Options{})
	l := newLogin(t, s)
	f := readForm(t, l.get(l.request("query:read", nil)))
	f.values.Set("decision", "allow")
	f.values.Add("scope", "insight:write")
	f.values.Set("project", "2")
	got := l.exchange(l.callback(l.post(l.issuer+f.action, f.values)).Get("code")).json(t)
	if got["scope"] != "query:read" || len(got["scoped_teams"].([]any)) != 0 {
		t.Errorf("granted %v for projects %v", got["scope"], got["scoped_teams"])
	}
}

func TestConsentDenied(t *testing.T) {
	s := start(t, Options{})
	l := newLogin(t, s)
	f := readForm(t, l.get(l.request("user:read", nil)))
	f.values.Set("decision", "deny")
	back := l.callback(l.post(l.issuer+f.action, f.values))
	if back.Get("error") != "access_denied" || back.Get("state") != "st" || back.Has("code") {
		t.Errorf("callback %v", back)
	}
	if a := l.post(l.issuer+f.action, f.values); a.Status != 400 || !strings.Contains(a.Body, "cannot go on") {
		t.Errorf("the page was used before: %d", a.Status)
	}
}

func TestConsentRefusesForgedAnswers(t *testing.T) {
	s := start(t, Options{})
	for name, forge := range map[string]func(*login, *form){
		"no form word":      func(_ *login, f *form) { f.values.Del("form") },
		"wrong form word":   func(_ *login, f *form) { f.values.Set("form", "x") },
		"another site":      func(l *login, _ *form) { l.origin = "https://example.com" },
		"a hidden origin":   func(l *login, _ *form) { l.origin = "null" },
		"another browser":   func(l *login, _ *form) { l.browser.Jar = nil },
		"another's session": func(l *login, f *form) { f.action = readForm(t, l.get(l.request("user:read", nil))).action },
	} {
		l := newLogin(t, s)
		f := readForm(t, l.get(l.request("user:read", nil)))
		f.values.Set("decision", "allow")
		good := f
		forge(l, &f)
		if a := l.post(l.issuer+f.action, f.values); a.Status != 403 || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d, sent to %q", name, a.Status, a.Header.Get("Location"))
		}
		if name == "wrong form word" {
			l.origin = l.issuer // as browsers send it
			good.values.Set("form", readForm(t, l.get(l.issuer+f.action)).values.Get("form"))
			if a := l.post(l.issuer+good.action, good.values); a.Status != 303 {
				t.Errorf("after a forged answer the true one is refused: %d %s", a.Status, a.Body)
			}
		}
	}
}

func TestConsentPageIsClosedToScriptsAndOtherSites(t *testing.T) {
	s := start(t, Options{})
	l := newLogin(t, s)
	a := l.get(l.request("user:read", nil))
	policy := a.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self' " + strings.TrimSuffix(l.redirect, "/callback")} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(a.Body, "<script") || strings.Contains(policy, "unsafe") {
		t.Error("a script could run")
	}
	for _, part := range []string{`name="viewport"`, "prefers-color-scheme: dark", `value="user:read" checked disabled`} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}

func TestErrorPageEscapes(t *testing.T) {
	s := start(t, Options{})
	l := newLogin(t, s)
	l.clientID = "<script>alert(1)</script>"
	a := l.get(l.request("user:read", nil))
	if a.Status != 401 || strings.Contains(a.Body, "<script") || a.Header.Get("Location") != "" {
		t.Errorf("unknown client: %d %s", a.Status, a.Body)
	}
}

func TestOnlyRegisteredRedirectsGetAnAnswer(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	good := newLogin(t, s).redirect
	for _, redirect := range []string{
		strings.Replace(good, "localhost", "127.0.0.1", 1), good + "/", good + "?x=1", "http://localhost:8239/callback", "https://example.com/callback", "",
	} {
		l := newLogin(t, s)
		l.redirect = redirect
		if a := l.get(l.request("user:read", nil)); a.Status != 400 || a.Header.Get("Location") != "" {
			t.Errorf("%q: %d, sent to %q", redirect, a.Status, a.Header.Get("Location"))
		}
	}
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	for name, tt := range map[string]struct {
		scopes string
		more   url.Values
		want   string
	}{
		"no challenge":     {"user:read", url.Values{"code_challenge": nil}, "invalid_request"},
		"plain challenge":  {"user:read", url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		"no method":        {"user:read", url.Values{"code_challenge_method": nil}, "invalid_request"},
		"no scope":         {"", nil, "invalid_scope"},
		"no response type": {"user:read", url.Values{"response_type": nil}, "invalid_request"},
	} {
		l := newLogin(t, s)
		if back := l.callback(l.get(l.request(tt.scopes, tt.more))); back.Get("error") != tt.want || back.Get("state") != "st" {
			t.Errorf("%s: %v", name, back)
		}
	}
}

func TestGrantOption(t *testing.T) {
	asked := "user:read project:read query:read billing:write"
	for grant, want := range map[string]string{
		"all":                  "user:read project:read query:read",
		"query:read user:read": "user:read query:read",
		"notebook:write":       "",
		"billing:write":        "",
	} {
		s := start(t, Options{Grant: grant})
		if got := newLogin(t, s).tokens(asked)["scope"]; got != want {
			t.Errorf("%q granted %q, want %q", grant, got, want)
		}
	}
	s := start(t, Options{Grant: "none"})
	l := newLogin(t, s)
	if back := l.callback(l.get(l.request(asked, nil))); back.Get("error") != "access_denied" {
		t.Errorf("none: %v", back)
	}
}

func TestTheWizardsCeilingHoldsItsManifest(t *testing.T) {
	s := start(t, Options{Grant: "all"})
	asked := wizardScopes(t)
	got := strings.Fields(newLogin(t, s).tokens(strings.Join(asked, " "))["scope"].(string))
	slices.Sort(got)
	if diff := cmp.Diff(asked, got); diff != "" {
		t.Error(diff)
	}
	l := newLogin(t, s)
	l.clientID = s.Ready().Clients["partner"]
	if got := l.tokens("user:read llm_gateway:read")["scope"]; got != "user:read" {
		t.Errorf("the partner's application got %q", got)
	}
}
