package provider_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// located are two servers: their bases lie in each other, and the first one's issuer on a base.
var located = provider.Provider{Servers: []provider.Server{
	{Name: "one", Issuer: "https://one.example", Bases: []provider.Base{
		{Name: "api", URL: "https://one.example"},
		{Name: "gateway", URL: "https://one.example/v1"},
		{Name: "again", URL: "https://one.example/v1"},
		{Name: "odd", URL: "https://One.example:443/a%2Fb"},
		{Name: "broken", URL: "://"},
	}},
	{Name: "two", Issuer: "http://localhost:8080/id", Bases: []provider.Base{{Name: "other", URL: "http://[::1]:80/x"}}},
}}

func TestLocate(t *testing.T) {
	for raw, want := range map[string]string{
		"https://one.example":             "api ",
		"https://one.example/":            "api /",
		"https://one.example/me?x=1#y":    "api /me",
		"https://one.example/v1":          "gateway ",
		"https://one.example/v1/x":        "gateway /x",
		"https://one.example/v10/x":       "api /v10/x",
		"https://ONE.example:443/v1/x":    "gateway /x",
		"https://one.example/v1/%40me/":   "gateway /%40me/",
		"https://one.example/a%2Fb/c":     "odd /c",
		"https://one.example/a/b/c":       "api /a/b/c",
		"https://one.example/%761/x":      "api /%761/x",
		"https://one.example//v1/x":       "api //v1/x",
		"https://one.example:8443/v1":     "",
		"http://one.example/v1":           "",
		"https://one.example.evil/v1":     "",
		"https://one.example/v1/../me":    "",
		"https://one.example/v1/%2e%2e/x": "",
		"https://one.example/v1/..%2fx":   "",
		"//one.example/v1":                "",
		"/v1":                             "",
		"http://[::1]/x/y":                "other /y",
		"http://[::1]:80/x":               "other ",
		"http://localhost:8080/id/token":  "issuer /token",
		"http://localhost/id/token":       "",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		base, below, ok := located.Locator().Locate(u)
		if got := base + " " + below; ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %t, want %q", raw, got, ok, want)
		}
	}
}

// A server's own bases are those that get a credential: no issuer, and no other server's.
func TestLocateOnOneServer(t *testing.T) {
	for raw, want := range map[string]bool{"https://one.example/v1": true, "http://[::1]/x": false, "http://localhost:8080/id/token": false} {
		u, _ := url.Parse(raw)
		if _, _, ok := located.Servers[0].Locator().Locate(u); ok != want {
			t.Errorf("%s: %t", raw, ok)
		}
	}
	if _, _, ok := (provider.Locator{}).Locate(&url.URL{}); ok {
		t.Error("a locator of nothing finds something")
	}
}

// Whatever the URL: what is found is the URL again, on the base's own host, below its path.
func FuzzLocate(f *testing.F) {
	for _, seed := range []string{
		"https://one.example/v1/x", "HTTPS://one.EXAMPLE:443/a%2Fb/%2e%2e", "https://one.example/v1/..", "https://u:p@one.example/v1", "https://one.example\\@evil/v1",
		"https://one.example/v1%2f..%2f..", "http://[::1]:80/x//y", "https://one.example:/v1", "https://one.example./v1",
	} {
		f.Add(seed)
	}
	p := located
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			t.Skip()
		}
		name, below, ok := p.Locator().Locate(u)
		if !ok {
			return
		}
		if _, inside := scopes.RequestPath(below); !inside || below != "" && below[0] != '/' {
			t.Errorf("%q: outside, by %q", raw, below)
		}
		var at *url.URL
		for _, s := range p.Servers {
			if base, has := s.Base(name); has && provider.HostOf(base) == provider.HostOf(raw) {
				at, _ = url.Parse(base)
			}
		}
		if at == nil || !strings.EqualFold(at.Scheme, u.Scheme) || strings.TrimSuffix(at.EscapedPath(), "/")+below != u.EscapedPath() {
			t.Errorf("%q: not %s and %q", raw, name, below)
		}
	})
}

// People read addresses and tools, and not how a manifest writes them.
func TestSpell(t *testing.T) {
	s := provider.Server{Issuer: "https://login.example/", Bases: []provider.Base{{Name: "api", URL: "https://api.example:8443/v1"}, {Name: "mcp", URL: "https://mcp.example"}}}
	for text, want := range map[string]string{
		"GET {api}/users/{id}/x":          "GET api.example:8443/v1/users/…/x",
		"POST {issuer}/token":             "POST login.example/token",
		"tool:a, tool:b (tool:c)":         "the tool a, the tool b (the tool c)",
		"the server says {\"a\": \"b\"}":  "the server says {\"a\": \"b\"}",
		"GET {other}/x/{id}, x{other}/y":  "GET /x/…, x{other}/y",
		"mytool:x and tool: x":            "mytool:x and tool: x",
		"POST {mcp}: not tool:a but none": "POST mcp.example: not the tool a but none",
	} {
		if got := s.Spell(text); got != want {
			t.Errorf("%q is spelled %q, want %q", text, got, want)
		}
	}
}
