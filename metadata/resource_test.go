package metadata_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/scopes"
)

func TestRealResourceDocument(t *testing.T) {
	const real = "https://us.posthog.com"
	pr, err := metadata.ParseProtectedResource(testdata(t, "oauth-protected-resource.json"), real)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{real}, pr.AuthorizationServers); diff != "" {
		t.Error(diff)
	}
	if pr.ScopesSupported.State != scopes.Listed || pr.ScopesSupported.Scopes.Len() < 100 {
		t.Errorf("scopes %s, %d of them", pr.ScopesSupported.State, pr.ScopesSupported.Scopes.Len())
	}
	if pr.Source.Warnings != nil {
		t.Errorf("warnings %q", pr.Source.Warnings)
	}
}

// A bad URL among the servers is told, and the others count.
func TestOptionalResourceFieldsAreLeftOut(t *testing.T) {
	const api, good = "https://api.example/mcp", "https://a.example"
	for name, test := range map[string]struct {
		field   string
		given   any
		warning string
		servers []string
	}{
		"http server":       {"authorization_servers", []string{good, "http://b.example"}, "authorization_servers[1] \"http://b.example\" is plain http", []string{good}},
		"local server":      {"authorization_servers", []string{"http://localhost:9"}, "authorization_servers[0] \"http://localhost:9\" names an address of this machine", nil},
		"server with query": {"authorization_servers", []string{"https://a.example?x", good}, "has a query", []string{good}},
		"servers an object": {"authorization_servers", fields{}, "is an object, not an array", nil},
		"servers a string":  {"authorization_servers", good, "", []string{good}},
	} {
		t.Run(name, func(t *testing.T) {
			pr, err := metadata.ParseProtectedResource(fields{"resource": api, test.field: test.given}.json(t), api)
			if err != nil {
				t.Fatal(err)
			}
			if test.warning != "" {
				wantWarning(t, pr.Source, test.warning, "left out")
			}
			if diff := cmp.Diff(test.servers, pr.AuthorizationServers); diff != "" {
				t.Errorf("%+v: %s", pr, diff)
			}
		})
	}
}

func TestBadResourceDocuments(t *testing.T) {
	const api = "https://api.example/mcp"
	tests := map[string]struct {
		doc   fields
		field string
		words string
	}{
		"another resource": {fields{"resource": "https://api.example"}, "resource", `resource is "https://api.example", but "https://api.example/mcp" was asked`},
		"none":             {fields{}, "resource", "resource is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := metadata.ParseProtectedResource(test.doc.json(t), api)
			if e := wantError(t, err, guard.KindInvalid, test.words); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
}

func TestResourcePlace(t *testing.T) {
	for path, place := range map[string]string{
		"":           resourcePath,
		"/":          resourcePath,
		"/mcp":       resourcePath + "/mcp",
		"/mcp/":      resourcePath + "/mcp/", // RFC 9728 §3.1 takes away only the slash after the host
		"/a%2Fb":     resourcePath + "/a%2Fb",
		"/mcp?x=1&y": resourcePath + "/mcp?x=1&y",
	} {
		s := newServer(t)
		c := metadata.Client{}
		_, err := c.ProtectedResource(context.Background(), s.URL+path)
		wantError(t, err, guard.KindNotFound)
		if diff := cmp.Diff([]string{"GET " + place}, s.requests()); diff != "" {
			t.Errorf("%q: %s", path, diff)
		}
	}
}

// The resource and its issuer are one URL at some providers: each keeps its own file.
func TestCacheKeepsResourceAndServerApart(t *testing.T) {
	s := newServer(t)
	s.on(oauthPath, sends(serverFields(s.URL).json(t)))
	s.on(resourcePath, sends(fields{"resource": s.URL}.json(t)))
	c := metadata.Client{CacheDir: t.TempDir()}
	for range 2 {
		if _, err := c.AuthorizationServer(context.Background(), s.URL); err != nil {
			t.Fatal(err)
		}
		if pr, err := c.ProtectedResource(context.Background(), s.URL); err != nil || pr.ScopesSupported.Scopes.Len() != 0 {
			t.Fatal(pr, err)
		}
	}
	if diff := cmp.Diff([]string{"GET " + oauthPath, "GET " + resourcePath}, s.requests()); diff != "" {
		t.Error(diff)
	}
}
