package diagnosis_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// anyService is a provider file that knows one wording: of the scopes beside it any one is enough.
const anyService = `
servers: {here: {issuer: 'https://id.example', api: 'https://api.example'}}
implies: [{scope: '{x}.manage', covers: ['{x}.read']}]
errors: [{status: 403, text: ACCESS_TOKEN_SCOPE_INSUFFICIENT, means: missing_scope, any_of: true}]
`

// What is missing, and how sure that is, of what a response names and a credential holds.
func TestNamedAndHeld(t *testing.T) {
	const (
		missing = diagnosis.CauseMissingScope
		proved  = diagnosis.ConfidenceProved
		likely  = diagnosis.ConfidenceLikely
		unknown = diagnosis.ConfidenceUnknown
	)
	google := `{"error":{"code":403,"message":"Request had insufficient authentication scopes.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}`
	for name, tt := range map[string]struct {
		header string // "Name: value"
		body   string
		held   string
		cause  diagnosis.Cause // "" for any but a missing scope, and for one that says that it is none
		sure   diagnosis.Confidence
		want   string // missing
	}{
		"any of a challenge, by the file":             {`WWW-Authenticate: Bearer error="insufficient_scope", scope="https://x.example/auth/a https://x.example/auth/b"`, google, "z", missing, proved, "https://x.example/auth/a|https://x.example/auth/b"},
		"the same, one is held":                       {`WWW-Authenticate: Bearer error="insufficient_scope", scope="https://x.example/auth/a https://x.example/auth/b"`, google, "https://x.example/auth/b c.read", "", "", ""},
		"all of a challenge":                          {`WWW-Authenticate: Bearer error="insufficient_scope", scope="a.read b.read"`, "", "b.read", missing, proved, "a.read"},
		"one of, none held":                           {"", `{"message":"Application must have one of the following scopes: a.read,b.read"}`, "z", missing, proved, "a.read|b.read"},
		"one of, one implied":                         {"", `{"message":"Application must have one of the following scopes: a.read,c.read"}`, "c.manage", "", "", ""},
		"a code's scope, one is held":                 {"", `{"error":"insufficient_scope","scope":"a.read b.read"}`, "a.read", missing, likely, "b.read"},
		"a code's scope, none is held":                {"", `{"error":"insufficient_scope","scope":"a.read b.read"}`, "z", missing, proved, "a.read b.read"},
		"a code's scope, and a word of one of it":     {"", `{"error":"insufficient_scope","scope":"a.read b.read","hint":"see b.read"}`, "a.read", missing, likely, "b.read"},
		"a code's scope, and a sentence of one of it": {"", `{"error":"insufficient_scope","scope":"a.read b.read","message":"The token lacks b.read"}`, "a.read", missing, proved, "b.read"},
		"a sentence, by the file":                     {"", `{"code":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","message":"This needs the scopes x.read, y.read"}`, "z", missing, proved, "x.read|y.read"},
		"does not contain, one is held":               {"", `{"code":4711,"message":"Invalid access token, does not contain scopes:[a.read, b.read]."}`, "a.read", missing, likely, "b.read"},
		"does not contain, none is held":              {"", `{"code":4711,"message":"Invalid access token, does not contain scopes:[a.read, b.read]."}`, "z", missing, proved, "a.read b.read"},
		"needed, and one surely":                      {"", `{"ok":false,"error":"missing_scope","needed":"a.read,b.read","missing":"c.read"}`, "a.read", missing, proved, "c.read"},
		"missing, one is held":                        {"", `{"missing_scopes":["a.read","b.read"]}`, "a.read", missing, proved, "b.read"},
		"joined by and, one is held":                  {"", `{"message":"This needs the scopes a.read and b.read"}`, "a.read", missing, proved, "b.read"},
		"with a comma, one is held":                   {"", `{"message":"This needs the scopes: a.read, b.read"}`, "a.read", missing, likely, "b.read"},
		"lists, one of them in part":                  {"", `{"required_scopes":[["a.read"],["b.read","c.read"]]}`, "b.read", missing, proved, "a.read|c.read"},
		"lists, one of them whole":                    {"", `{"required_scopes":[["a.read"],["b.read","c.read"]]}`, "b.read c.read", "", "", ""},
		"not had, though it was known":                {"", `{"error":"insufficient_scope","scopes":{"a.read":true,"b.read":false}}`, "a.read", missing, proved, "b.read"},
		"a scope with a comma, held":                  {`WWW-Authenticate: Bearer error="insufficient_scope", scope="repo:x/y:pull,push a.read"`, "", "repo:x/y:pull,push", missing, proved, "a.read"},
		"outside the scopes":                          {"", `{"message":"The request is outside the authorized scopes"}`, "z", missing, unknown, ""},
		"outside the scope of a plan":                 {"", `{"message":"This is outside the scope of your subscription"}`, "a.read", diagnosis.CauseNotAScopeProblem, likely, ""},
		"a variable outside its scope":                {"", `{"message":"The variable of this version is outside its scope"}`, "a.read", diagnosis.CauseNotAScopeProblem, likely, ""},
		"a mismatch of something else":                {"", `{"message":"Version mismatch: scope v1 of this host"}`, "a.read", diagnosis.CauseNotAScopeProblem, likely, ""},
		"what one may do with a project":              {"", `{"error":"insufficient_scope","required_scope":"a.read","permissions":{"a.read":true}}`, "z", missing, proved, "a.read"},
		"a mismatch":                                  {"", `{"message":"Scope and URL mismatch"}`, "z", missing, unknown, ""},
		"a mismatch as a code":                        {"", `{"code":"OAUTH_SCOPE_MISMATCH","message":"Invalid oauth scope to access this URL","status":"error"}`, "z", missing, unknown, ""},
		"an error with a space":                       {`WWW-Authenticate: Bearer scope="read:users", error="Insufficient scope"`, "Insufficient scope", "z", missing, proved, "read:users"},
		"held, and words of something besides":        {"", `{"message":"Missing scope a.read for this project"}`, "a.read", "", "", ""},
		"a sequence of a terminal, and its end":       {"", `{"message":"missing scope \u001b[31ma.read\u001b[0m"}`, "z", missing, proved, "a.read"},
	} {
		p, err := provider.Decode("p.yaml", []byte(anyService))
		if err != nil {
			t.Fatal(err)
		}
		response := diagnosis.Response{Status: 403, Header: http.Header{}, Body: []byte(tt.body)}
		if field, value, found := strings.Cut(tt.header, ": "); found {
			response.Header.Set(field, value)
		}
		v := diagnosis.Diagnose(diagnosis.Case{
			Method: "GET", Base: "api", Path: "/call", Sent: diagnosis.Sent{Ours: true}, Response: response,
			Provider: p, Server: p.Servers[0], Now: agenttest.Noon(), Inquiry: agenttest.Inquiry("here known"),
			Grant: scopes.Grant{KnownBy: scopes.SelfInspection, Scopes: scopes.NewSet(strings.Fields(tt.held)...)},
			Needs: usedBy("/other", []scopes.Need{need("a.read"), need("b.read"), need("c.read")}),
		})
		got, want := slices.Sorted(slices.Values(v.Missing)), strings.Fields(tt.want)
		switch {
		case tt.cause == "" && (v.Cause == missing || v.Cause == diagnosis.CauseNotAScopeProblem),
			tt.cause != "" && (v.Cause != tt.cause || v.Confidence != tt.sure || !slices.Equal(got, want)):
			t.Errorf("%s: %s %s %q (%s), want %s %s %q", name, v.Cause, v.Confidence, got, v.Message, tt.cause, tt.sure, want)
		}
		if all := strings.Join(append(v.Evidence, v.Message, v.Said), "\n"); strings.Contains(all, "[31m") || tt.cause != diagnosis.CauseNotAScopeProblem && strings.Contains(all, "not a scope problem") {
			t.Errorf("%s: it says %q", name, all)
		}
	}
}

// Where a server wants one scope of which the manifest declares alternatives, and another of them is
// held, the evidence says so, and not that nobody declared it.
func TestNamedOfAlternatives(t *testing.T) {
	v := diagnosis.Diagnose(aCase(t, both(api(403, `{"missing_scope":"extra:read"}`), func(c *diagnosis.Case) {
		c.Needs = append(c.Needs, need("extra:read", "user:read"))
	})))
	want := "the response names extra:read; the manifest declares extra:read|user:read, of which another is held"
	if !slices.Contains(v.Evidence, want) || !cmp.Equal(v.Missing, []string{"extra:read"}) {
		t.Errorf("%q: %q", v.Missing, v.Evidence)
	}
}

// Several of which one is enough are told in words.
func TestOneOfInWords(t *testing.T) {
	v := diagnosis.Diagnose(aCase(t, api(403, `{"message":"must have one of the following scopes: extra:read,extra:write"}`)))
	if want := "missing scope: one of extra:read, extra:write (for POST {api}/api/projects/2/query/)"; v.Message != want || !cmp.Equal(v.Missing, []string{"extra:read|extra:write"}) {
		t.Errorf("%q says %q", v.Missing, v.Message)
	}
}

// An error in the body of a success is a refusal also where it has no more than numbers and names
// for that.
func TestErrorsOfSuccesses(t *testing.T) {
	for body, want := range map[string]diagnosis.Move{
		`{"error_code":"missingRequiredPermissions","status_code":403,"error_message":"missing scope extra:write","error_data":{}}`:                     diagnosis.MoveTell,
		`{"status_code":401,"message":"Insufficient scope - requires extra:write"}`:                                                                     diagnosis.MoveTell,
		`{"errors":[{"message":"missing scope extra:write","extensions":{"code":"Unauthorized","status_code":403}}],"account_id":1}`:                    diagnosis.MoveTell,
		`{"errcode":60011,"errmsg":"no permission, missing scope extra:write"}`:                                                                         diagnosis.MoveTell,
		`{"errcode":0,"errmsg":"ok, no missing scope extra:write"}`:                                                                                     diagnosis.MovePass,
		`{"error_code":"no_error","message":"no missing scope extra:write"}`:                                                                            diagnosis.MovePass,
		`{"errorCode":"E-12","errorMessage":"missing scope extra:write"}`:                                                                               diagnosis.MoveTell,
		`{"status": 403, "message":"missing scope extra:write"}`:                                                                                        diagnosis.MoveTell,
		`{"status_code":200,"message":"missing scope extra:write"}`:                                                                                     diagnosis.MovePass,
		`{"status_code":403,"message":"missing scope extra:write","items":[1]}`:                                                                         diagnosis.MovePass,
		`{"status_code":403,"url":"https://x.example","response":"missing scope extra:write"}`:                                                          diagnosis.MovePass,
		`{"data":{"jobs":[{"status_code":403,"error_message":"missing scope extra:write"}]},"account_id":1}`:                                            diagnosis.MovePass,
		`{"error_code":null,"status_code":null,"error_message":null,"message":"the docs say what to do about a missing scope extra:write","title":"x"}`: diagnosis.MovePass,
	} {
		c := aCase(t, api(200, body))
		c.Response.Header.Set("Content-Type", "application/json")
		if got := diagnosis.Next(c, diagnosis.Untried{}); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}
