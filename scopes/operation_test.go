package scopes_test

import (
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

func TestUseMatches(t *testing.T) {
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
		if got := use.Matches(c.method, c.base, c.path); got != c.want {
			t.Errorf("%s matches %s {%s}%s: %v, want %v", c.use, c.method, c.base, c.path, got, c.want)
		}
	}
}
