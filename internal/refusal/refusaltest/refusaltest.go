// Package refusaltest holds refusals as servers send them, and what each says. The reader
// is tested with them, and so is whoever uses it: the proxy, and recordings.
package refusaltest

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Case is a response, and what it says.
type Case struct {
	Name     string
	Response refusal.Response
	Named    []string // scopes that it says are missing, in the order in which it names them
	Said     string   // what a person reads first
}

const providerFile = `
servers:
  here: {issuer: "https://id.example", api: "https://api.example"}
errors:
  - {status: 403, text: "the key lacks the scope '{scope}'", means: missing_scope}
  - {status: 403, text: "the key lacks the scope", means: missing_scope}
  - {status: 403, text: no such project, means: not_a_scope_problem, advice: name another project}
  - {status: 402, means: not_a_scope_problem}
  - {status: 429, text: slow down, means: not_a_scope_problem}
  - {status: 401, text: Authentication required, means: silent}
`

// Provider is one whose file knows some wordings. It has one base, api, at
// https://api.example.
func Provider(t testing.TB) *provider.Provider {
	t.Helper()
	p, err := provider.Decode("provider.yaml", []byte(providerFile))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Cases are refusals of the base api of [Provider].
func Cases() []Case {
	return []Case{
		{"a challenge", with(401, "", "WWW-Authenticate", `Bearer error="insufficient_scope", scope="a:read b:write"`), []string{"a:read", "b:write"}, "insufficient_scope"},
		{"a challenge behind another", with(401, "", "WWW-Authenticate", `NTLM abc=, Bearer error="insufficient_scope", scope="a:read,b:write", error_description="not with this token"`), []string{"a:read", "b:write"}, "not with this token"},
		{"a challenge and a body", with(403, `{"detail": "more is needed here"}`, "WWW-Authenticate", `Bearer error="insufficient_scope", scope="a:read"`), []string{"a:read"}, "more is needed here"},
		{"a wording", with(403, `{"type": "error", "detail": "the key lacks the scope 'a:read'"}`), []string{"a:read"}, "the key lacks the scope 'a:read'"},
		{"a wording, gzip", packed(with(403, `{"detail": "the key lacks the scope 'a:read'"}`)), []string{"a:read"}, "the key lacks the scope 'a:read'"},
		{"a wording, plain text", with(403, "the key lacks the scope 'a:read'\n"), []string{"a:read"}, "the key lacks the scope 'a:read'"},
		{"a wording of another status", with(401, `{"detail": "the key lacks the scope 'a:read'"}`), []string{"a:read"}, "the key lacks the scope 'a:read'"},
		{"a wording in an escape", with(403, `{"detail": "the key lacks the scope \u0027a:read\u0027"}`), []string{"a:read"}, "the key lacks the scope 'a:read'"},
		{"a wording that names none", with(403, `{"detail": "the key lacks the scope"}`), nil, "the key lacks the scope"},
		{"a wording of another reason", with(403, `{"detail": "no such project"}`), nil, "no such project"},
		{"a status that the file knows", with(402, `{"detail": "paid plans have this"}`), nil, "paid plans have this"},
		{"a member", with(403, `{"error": {"code": "forbidden", "required_scopes": ["a:read", "b:write"]}}`), []string{"a:read", "b:write"}, "forbidden"},
		{"a member beside a code", with(403, `{"ok": false, "error": "missing_scope", "needed": "a:read,b:write", "provided": "c:read"}`), []string{"a:read", "b:write"}, "missing_scope"},
		{"a member beside another code", with(403, `{"error": "teapot", "scope": "a:read"}`), nil, "teapot"},
		{"a member after a mark", with(403, "\ufeff"+`{"missing_scope": "a:read"}`), []string{"a:read"}, "a:read"},
		{"a link is no sentence", with(403, `{"message": "not for you", "documentation_url": "https://docs.example/a/very/long/way"}`), nil, "not for you"},
		{"a message with a capital", with(403, `{"code": "Forbidden", "Message": "more is needed here"}`), nil, "more is needed here"},
		{"a page of HTML", with(403, "<html><head><title>Just\na moment</title></head><body>the key lacks</body>"), nil, "a page of HTML: Just a moment"},
		{"nothing", with(401, ""), nil, ""},
		{"a bad request", with(400, `{"message": "refused", "required_scope": "a:read"}`), []string{"a:read"}, "refused"},
		{"a success that is an error", with(200, `{"data": {"scope": "c:read"}, "errors": [{"message": "not for you", "missingScopes": ["a:read"]}]}`, "Content-Type", "application/json"), []string{"a:read"}, "not for you"},
		{"a call that was not ok", with(200, `{"ok": false, "error": "missing_scope", "needed": "a:read", "data": {"required_scopes": ["c:read"]}}`, "Content-Type", "application/json"), []string{"a:read"}, "missing_scope"},
	}
}

func with(status int, body string, header ...string) refusal.Response {
	r := refusal.Response{Status: status, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func packed(r refusal.Response) refusal.Response {
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, _ = w.Write(r.Body)
	_ = w.Close()
	r.Body = body.Bytes()
	r.Header.Set("Content-Encoding", "gzip")
	return r
}
