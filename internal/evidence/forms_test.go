package evidence_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// What an operation needs can stand in a member of its own, in place of security or beside it.
func TestOperationForms(t *testing.T) {
	for _, c := range []struct{ name, operation, want string }{
		{"one entry is enough", `"security": [{"basic": []}, {"o": []}], "x-atlassian-oauth2-scopes": [{"scheme": "o", "scopes": ["w"], "state": "Current"}, {"scheme": "o", "scopes": ["a", "b"], "state": "Beta"}]`, "w | a+b"},
		{"it has all that security has, and more", `"security": [{"o": ["w"]}, {}], "x-atlassian-oauth2-scopes": [{"scopes": ["w"]}, {"scopes": ["a", "b"]}]`, "w | a+b | nothing"},
		{"an entry without scopes", `"x-atlassian-oauth2-scopes": [{"scheme": "o", "scopes": []}]`, "nothing"},
		{"the same as security", `"security": [{"o": ["B", "A"]}], "x-oauthpermissions": ["A", "B"]`, "A+B"},
		{"in place of security", `"security": [{"o": []}], "x-oauthpermissions": ["A", "B"]`, "A+B"},
		{"beside security", `"security": [{"o": ["x"]}, {"o": ["y"]}], "x-required-scope": "z"`, "x+z | y+z"},
		{"security alone", `"security": [{"o": ["x"]}], "x-required-scope": []`, "x"},
		{"permissions of a person beside scopes", `"security": [{"o": ["x"]}], "x-permissions": ["billing"]`, "x"},
		{"permissions alone", `"security": [{"o": []}], "x-permissions": ["billing"]`, "billing"},
		{"an object's keys", `"x-stream-permissions": {"ReadChannel": "To read", "JoinCall": "To join"}`, "ReadChannel+JoinCall"},
		{"words in one text", `"x-required-scope": "a, b"`, "a+b"},
		{"nothing stands there", `"x-required-scope": null, "x-atlassian-oauth2-scopes": []`, "silent"},
		{"any of several, by the provider's file", `"x-may": {"scopes": ["a", "b"]}`, "a | b"},
		{"alternatives, by the provider's file", `"x-ways": [["a", "b"], "c"]`, "a+b | c"},
		{"a known one that the provider's file takes for another", `"x-scope": ["a", "b"]`, "a | b"},
	} {
		e, err := evidence.OpenAPI{Provider: ownForms(t)}.Read("doc.json", strings.NewReader(`{"openapi": "3.1.0", "paths": {"/a": {"get": {`+c.operation+`}}}}`))
		if diff := cmp.Diff([]string{"GET {api}/a: " + c.want}, described(e)); err != nil || diff != "" || len(e.Notes) > 0 {
			t.Errorf("%s: %v %v\n%s", c.name, err, notes(e), diff)
		}
	}
}

// ownForms is a provider whose file names places of evidence.
func ownForms(t *testing.T) *provider.Provider {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte(`version: 1
name: t
provider:
  servers: {one: {issuer: https://id.example, api: https://api.example}}
  evidence:
    - {at: x-may.scopes, need: any}
    - {at: "x-ways[]"}
    - {at: x-scope, need: any}
    - {on: tool, at: "'a.b'.needs"}
scopes: []
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Provider
}

// What is not of its form does not count, and is told: read as it stands it would need nothing.
func TestOperationFormsThatAreNone(t *testing.T) {
	for _, c := range []struct{ member, want string }{
		{`"x-required-scope": ["é"]`, `x-required-scope does not count: "é" is not a scope: a scope may not contain "é" (RFC 6749 §3.3)`},
		{`"x-oauthpermissions": [{"a": 1}]`, "x-oauthpermissions does not count: expected a word, a list of words, or an object whose keys are words"},
		{`"x-atlassian-oauth2-scopes": {"scopes": ["a"]}`, "x-atlassian-oauth2-scopes[].scopes does not count: expected a list of alternatives"},
		{`"x-atlassian-oauth2-scopes": ["a"]`, "x-atlassian-oauth2-scopes[].scopes does not count: expected an object"},
		{`"x-atlassian-oauth2-scopes": [null]`, "x-atlassian-oauth2-scopes[].scopes does not count: expected an object"},
	} {
		e, err := evidence.OpenAPI{}.Read("doc.json", strings.NewReader("{\"openapi\": \"3.1.0\", \"paths\": {\"/a\": {\"get\": {\n"+c.member+"}}}}"))
		if err != nil || cmp.Diff([]string{"GET {api}/a: silent"}, described(e)) != "" || cmp.Diff([]string{"doc.json:2: GET {api}/a: " + c.want}, notes(e)) != "" {
			t.Errorf("%s: %v %q %q", c.member, err, described(e), notes(e))
		}
	}
}

// Two places that multiply do not grow without end.
func TestFormsOfTooManyAlternatives(t *testing.T) {
	var ways [2][]string
	for i := range 40 {
		ways[0] = append(ways[0], `{"o": ["x`+strconv.Itoa(i)+`"]}`)
		ways[1] = append(ways[1], `{"scopes": ["y`+strconv.Itoa(i)+`"]}`)
	}
	e, err := evidence.OpenAPI{}.Read("doc.json", strings.NewReader(`{"openapi": "3.1.0", "paths": {"/a": {"get": {"security": [`+strings.Join(ways[0], ", ")+`], "x-atlassian-oauth2-scopes": [`+strings.Join(ways[1], ", ")+`]}}}}`))
	if err != nil || len(e.Requirements[0].AnyOf) != 40 || len(e.Notes) != 1 {
		t.Errorf("%v %d %v", err, len(e.Requirements[0].AnyOf), notes(e))
	}
}

// A tool names its scopes in one of several forms.
func TestToolForms(t *testing.T) {
	for _, c := range []struct{ name, definition, want string }{
		{"all of a list", `"required_scopes": ["a", "b"]`, "a+b"},
		{"schemes", `"securitySchemes": [{"type": "oauth2", "scopes": ["a", "b"]}, {"type": "oauth2", "scopes": ["c"]}]`, "a+b | c"},
		{"schemes that an SDK mirrors", `"securitySchemes": [{"type": "oauth2", "scopes": ["a"]}], "_meta": {"securitySchemes": [{"type": "oauth2", "scopes": ["a"]}]}`, "a"},
		{"schemes in _meta alone", `"_meta": {"x": 1, "securitySchemes": [{"type": "oauth2", "scopes": ["a", "b"]}]}`, "a+b"},
		{"anonymous, too", `"securitySchemes": [{"type": "noauth"}, {"type": "oauth2", "scopes": ["a"]}]`, "nothing | a"},
		{"any login", `"securitySchemes": [{"type": "oauth2"}]`, "nothing"},
		{"authorization", `"authorization": {"scopes": ["a", "b"]}`, "a+b"},
		{"authorization that names none", `"authorization": {"required": true}`, "silent"},
		{"nothing", `"_meta": {}, "annotations": {"readOnlyHint": true}`, "silent"},
		{"the provider's own", `"a.b": {"needs": "a"}`, "a"},
	} {
		text := `{"tools": [{"name": "t", ` + c.definition + `}]}`
		e, err := evidence.Tools{Provider: ownForms(t)}.Read("tools.json", strings.NewReader(text))
		if diff := cmp.Diff([]string{"tool:t: " + c.want}, described(e)); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
		if e, err := evidence.ReadDescription(evidence.OpenAPI{Provider: ownForms(t)}, "tools.json", strings.NewReader(text)); err != nil || len(e.Requirements) != 1 {
			t.Errorf("%s: read by its form: %v", c.name, err)
		}
	}
}

// The page on audit names each place that is known.
func TestKnownFormsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range evidence.KnownForms() {
		name, _, _ := strings.Cut(strings.TrimPrefix(f.At.String(), "_meta."), "[]")
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/audit.md does not name %s", f.At)
		}
	}
}
