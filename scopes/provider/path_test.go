package provider_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func TestPathFinds(t *testing.T) {
	const document = `{
		"ok": false, "count": 12345678901234567890, "nothing": null, "empty": [], "mcp/www": "w", " spaced ": "s", "[]": "b",
		"user": {"login": "ada", "a.b": {"c": "dotted"}},
		"error": {"details": [{"reason": "ONE"}, "odd", {"reason": null}, {"reason": ["TWO", {"x": 1}]}]},
		"grid": [["a", "b"], ["c"], "d"]
	}`
	var body any
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"ok":                     {"false"},
		"count":                  {"12345678901234567890"},
		"user.login":             {"ada"},
		"user.'a.b'.c":           {"dotted"},
		"mcp/www":                {"w"},
		"' spaced '":             {"s"},
		"'[]'":                   {"b"},
		"error.details[].reason": {"ONE", "TWO"},
		"grid[][]":               {"a", "b", "c"},
		"grid[]":                 {"a", "b", "c", "d"},
		"User.login":             nil, // names are compared exactly
		"user.login.more":        nil,
		"user[]":                 nil,
		"error.details.reason":   nil, // [] is not left out
		"nothing":                nil,
		"empty":                  nil,
		"[].ok":                  nil,
	} {
		parsed, err := provider.ParsePath(path)
		if err != nil || parsed.String() != path {
			t.Errorf("%s: read as %s, %v", path, parsed, err)
		}
		if got := provider.Texts(parsed.Find(body)); !cmp.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	list, _ := provider.ParsePath("[].name")
	if got := provider.Texts(list.Find([]any{map[string]any{"name": "x"}, map[string]any{"name": 1.5}})); !cmp.Equal(got, []string{"x", "1.5"}) {
		t.Errorf("elements of the document: %q", got)
	}
	empty, _ := provider.ParsePath("empty")
	if len(empty.Find(body)) != 1 || len(provider.Path(nil).Find(body)) != 0 {
		t.Error("a list without elements is there, and no path leads nowhere")
	}
}

func TestBadPaths(t *testing.T) {
	for path, want := range map[string]string{
		"":                             "1 to 200 printable",
		strings.Repeat("a", 201):       "1 to 200 printable",
		strings.Repeat("a.", 12) + "a": "at most 12 steps",
		strings.Repeat("[]", 13):       "at most 12 steps",
		"a\x1b":                        "printable",
		"a..b":                         "before and after each dot",
		".a":                           "before and after each dot",
		"a.":                           "before and after each dot",
		"$.a":                          "names with dots",
		"/a/b":                         "names with dots",
		"*":                            "names with dots",
		"a[0]":                         "names with dots",
		"a[*].b":                       "names with dots",
		"a.[]":                         "right after one",
		"a[]b":                         "dot stands before each name",
		"'a":                           "ends with a quote",
		"''":                           "ends with a quote",
		"'a'b":                         "dot stands before each name",
		"a'b":                          "single quotes",
		"a .b":                         "single quotes",
		"a]":                           "single quotes",
	} {
		if got, err := provider.ParsePath(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", path, got, err, want)
		}
	}
}

func TestPlace(t *testing.T) {
	header := http.Header{"X-Scopes": {"a, b", ""}}
	body := map[string]any{"scopes": []any{"c"}}
	inBody := provider.Place{Path: provider.Path{{Name: "scopes"}}}
	inHeader, elsewhere := provider.Place{Header: "x-scopes"}, provider.Place{Header: "X-Other"}
	if got := provider.Texts(inHeader.Find(header, body)); !cmp.Equal(got, []string{"a, b", ""}) {
		t.Errorf("in the header: %q", got)
	}
	if got := provider.Texts(inBody.Find(header, body)); !cmp.Equal(got, []string{"c"}) {
		t.Errorf("in the body: %q", got)
	}
	if len(elsewhere.Find(header, body)) != 0 || len((provider.Place{}).Find(header, body)) != 0 || (provider.Place{}).Given() {
		t.Error("found where nothing is")
	}
}
