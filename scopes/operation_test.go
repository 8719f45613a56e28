package scopes_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
)

// What ParseOperation reads it writes again; what it refuses stands in testdata/mistakes.
func TestParseOperation(t *testing.T) {
	for text, want := range map[string]scopes.Operation{
		"GET {api}/a/{id}/":      {Method: "GET", Base: "api", Path: "/a/{id}/"},
		"DELETE {gateway}":       {Method: "DELETE", Base: "gateway"},
		"POST {api}/x@me/{a}.js": {Method: "POST", Base: "api", Path: "/x@me/{a}.js"},
		"tool:a-b.c":             {Tool: "a-b.c"},
		"tool:GET":               {Tool: "GET"},
	} {
		got, err := scopes.ParseOperation(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseUse(%q) = %#v (%s), %v; want %#v", text, got, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "GET", "GET ", "GET  {api}/", "tool:", "tool:a\u00a0b", "tool:a\u202eb", "TOOL:a", "GET {}/a", "GET {api}/a\tb",
		"GET {api}/}", "GET {api}/{}", "GET {api}/{a", "GET {api}//{a}{b}", "GET {api}/#a", "GET https://x/", "TRACE {api}/",
	} {
		if got, err := scopes.ParseOperation(text); err == nil {
			t.Errorf("ParseUse(%q) = %#v, want an error", text, got)
		}
	}
}

func TestOperationsMatch(t *testing.T) {
	for _, c := range []struct {
		use, method, base, path string
		want                    bool
	}{
		{"GET {api}/a/{id}/", "GET", "api", "/a/7/", true},
		{"GET {api}/a/{id}/", "GET", "api", "/a/7", true},
		{"GET {api}/a/{id}", "GET", "api", "/a/7/", true},
		{"GET {api}/a/{id}/", "GET", "api", "/a/@me/", true},
		{"GET {api}/a/{id}/", "GET", "api", "/a//", false},
		{"GET {api}/a/{id}/", "GET", "api", "/a/", false},
		{"GET {api}/a/{id}/", "GET", "api", "/a/7/b/", false},
		{"GET {api}/a/{id}/", "GET", "api", "/A/7/", false},
		{"GET {api}/a/{id}/", "POST", "api", "/a/7/", false},
		{"GET {api}/a/{id}/", "get", "api", "/a/7/", false},
		{"GET {api}/a/{id}/", "GET", "mcp", "/a/7/", false},
		{"GET {api}/{a}/b/{c}", "GET", "api", "/x/b/y", true},
		{"GET {api}/f-{n}.json", "GET", "api", "/f-12.json", true},
		{"GET {api}/f-{n}.json", "GET", "api", "/f-.json", false},
		{"GET {api}/f-{n}.json", "GET", "api", "/f-1.yaml", false},
		{"GET {api}", "GET", "api", "/", true},
		{"GET {api}", "GET", "api", "", true},
		{"GET {api}/", "GET", "api", "/a", false},
		{"tool:a", "GET", "", "", false},
		{"tool:a", "", "", "", false},
	} {
		use, err := scopes.ParseOperation(c.use)
		if err != nil {
			t.Fatal(err)
		}
		request := scopes.Operation{Method: c.method, Base: c.base, Path: c.path}
		if got := len(scopes.NewOperations([]scopes.Operation{use}).Match(request)) > 0; got != c.want {
			t.Errorf("%s matches %s {%s}%s: %v, want %v", c.use, c.method, c.base, c.path, got, c.want)
		}
	}
}

// What was declared for one operation says nothing of another whose template would fit too:
// fixed text goes before a variable, wherever it stands.
func TestNeedsOfARequest(t *testing.T) {
	var needs []scopes.Need
	for _, c := range [][2]string{
		{"users", "GET {api}/users/{id}/"},
		{"me", "GET {api}/users/@me/"},
		{"files", "GET {api}/{kind}/{id}"},
		{"json", "GET {api}/users/{id}.json"},
		{"deep", "GET {api}/users/{id}/keys/{key}"},
		{"mine", "GET {api}/users/@me/keys"},
		{"tool", "tool:users"},
		{"again", "GET {api}/users/{pk}"},
	} {
		use, err := scopes.ParseOperation(c[1])
		if err != nil {
			t.Fatal(err)
		}
		needs = append(needs, scopes.Need{AnyOf: []string{c[0]}, UsedBy: []scopes.Operation{use}})
	}
	index := scopes.IndexNeeds(needs)
	for path, want := range map[string]string{
		"/users/@me/": "me", "/users/@me": "me", "/users/7/": "users again", "/users/7.json": "json", "/teams/7": "files",
		"/users/@me/keys": "mine", "/users/@me/keys/3": "deep", "/users/7/keys/3": "deep", "/users": "", "/users//": "", "/a/b/c": "",
	} {
		var got []string
		for _, need := range index.For(scopes.Operation{Method: "GET", Base: "api", Path: path}) {
			got = append(got, need.Name())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is declared for %q, want %q", path, got, want)
		}
	}
	if got := index.For(scopes.Operation{Tool: "users"}); len(got) != 1 || got[0].Name() != "tool" {
		t.Errorf("the tool is declared for %v", got)
	}
}

// A request is the same operation however its path is escaped, and a path that leads out of
// its base is none.
func TestRequestPath(t *testing.T) {
	known := scopes.NewOperations([]scopes.Operation{
		{Method: "GET", Base: "api", Path: "/users/@me/"}, {Method: "GET", Base: "api", Path: "/users/{id}/"},
	})
	for _, path := range []string{"/users/@me/", "/users/%40me/", "/users//@me/", "/users/%40%6de"} {
		if got := known.Match(scopes.Operation{Method: "GET", Base: "api", Path: path}); !slices.Equal(got, []int{0}) {
			t.Errorf("%s is %v", path, got)
		}
	}
	for _, path := range []string{"/v1/../x", "/v1/%2e%2e/x", "/v1/..%2fx", "/v1/%252e%252e/x", "/./x", `/v1/..\x`} {
		if clean, ok := scopes.RequestPath(path); ok {
			t.Errorf("%s is taken for %s", path, clean)
		}
	}
}
