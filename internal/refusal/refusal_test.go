package refusal_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	p := refusaltest.Provider(t)
	for _, c := range refusaltest.Cases() {
		got := refusal.Read(p, "api", refusal.Vocabulary{}, c.Response)
		if !slices.Equal(got.Names(), c.Named) || got.Said != c.Said {
			t.Errorf("%s: names %q, says %q", c.Name, got.Names(), got.Said)
		}
		if got.LacksScope() != (len(c.Named) > 0 || strings.Contains(c.Said, "lacks the scope")) {
			t.Errorf("%s: LacksScope() = %v", c.Name, got.LacksScope())
		}
	}
}

func TestReadWhatItMeans(t *testing.T) {
	p := refusaltest.Provider(t)
	read := func(status int, body, challenge string) refusal.Reading {
		return refusal.Read(p, "api", refusal.Vocabulary{}, refusal.Response{Status: status, Header: http.Header{"Www-Authenticate": {challenge}}, Body: []byte(body)})
	}
	if r := read(403, `{"detail": "no such project"}`, ""); !r.Means(provider.MeaningNotAScopeProblem) || r.Entry.Advice != "name another project" {
		t.Errorf("another reason: %+v", r)
	}
	if r := read(401, "", `Bearer error="invalid_token"`); !r.Rejects() || r.LacksScope() {
		t.Errorf("invalid_token: %+v", r)
	}
	if r := read(401, "", `Bearer scope="a:read"`); len(r.Needs) > 0 || !cmp.Equal(r.Mentioned, []refusal.Group{{"a:read"}}) {
		t.Errorf("a scope without an error: %+v", r)
	}
	if r := read(401, `{"detail": "Authentication required"}`, ""); !r.Means(provider.MeaningSilent) {
		t.Errorf("silent: %+v", r)
	}
	if r := read(403, "\x00\x01\xff", ""); r.Said != "" || r.Unread != "its body is not text, and was not read" {
		t.Errorf("bytes: %q", r.Said)
	}
}

func TestRefuses(t *testing.T) {
	p := refusaltest.Provider(t)
	var got []int
	for status := 100; status < 600; status++ {
		if refusal.Read(p, "api", refusal.Vocabulary{}, refusal.Response{Status: status}).Refuses() {
			got = append(got, status)
		}
		if looks := refusal.MayRefuse(p, status, nil); looks != refusal.MayRefuse(nil, status, nil) && status != 429 {
			t.Errorf("%d is looked at: %v", status, looks)
		}
	}
	if diff := cmp.Diff([]int{401, 402, 403}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever comes, reading it has an end, and what is named can be a scope.
func FuzzRead(f *testing.F) {
	f.Add(`[[[[1]]]]`, `Bearer error="insufficient_scope", scope="a b"`, "gzip")
	f.Add(`{"scope":"`+strings.Repeat("a ", 5000)+`"}`, "", "")
	f.Add(`{"error":{"required_scopes":[["x"],{"scope":"y"}]}}`, "NTLM", "")
	f.Add("<title", "", "")
	p, err := provider.Decode("p.yaml", []byte("servers: {here: {issuer: 'https://id.example'}}\nerrors: [{status: 403, text: \"needs {scope}!\", means: missing_scope}]\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("data: {\"error\":{\"message\":\"needs 'a:read' or \\\"b\\\"\"}}\n\n", `Bearer scope="a:read"`, "")
	f.Add(`{"message":"lacks the "a:read" scope","missing_scopes":["b|a:read", {"name":"b"}]`, "insufficient_scope", "br")
	f.Add(`{"message":"&quot;a:read&#39; &amp;\u001b[31mb\u001b]8;;x\u0007, neither a:read nor b, and c:d,e"}`, `Bearer error="Insufficient scope", scope="c:d,e,b"`, "")
	f.Add(`{"required_scopes":[["a:read"],["b","c:d,e"],"x"],"scopes":{"a:read":true,"b":false},"error":"insufficient_scope: b/a:read"}`, "", "")
	known := refusal.Vocabulary{Scopes: scopes.NewSet("a:read", "b", "c:d,e")}
	f.Fuzz(func(t *testing.T, body, challenge, encoding string) {
		header := http.Header{"Www-Authenticate": {challenge}, "Content-Encoding": {encoding}, "X-Accepted-Scopes": {challenge}, "Content-Type": {"application/json"}}
		for _, status := range []int{403, 200} {
			resp := refusal.Response{Status: status, Header: header, Body: []byte(body)}
			r := refusal.Read(p, "api", known, resp)
			if len(r.Names()) > 10_000 || len(r.Proofs) > 10 {
				t.Errorf("%d scopes, %d proofs", len(r.Names()), len(r.Proofs))
			}
			for _, scope := range append(append(r.Names(), r.Words()...), r.Held...) {
				if scopes.CheckScope(scope) != nil {
					t.Errorf("%q", scope)
				}
			}
			if status == 200 && challenge == "" && len(r.Needs) > 0 && !refusal.Fails(p, "api", resp) && encoding == "" {
				t.Errorf("a success needs %q", r.Needs)
			}
		}
	})
}

// What says no more than that access is denied is no reason of its own. Anything else may
// be one: a lack of scopes is then not proved by it.
func TestReason(t *testing.T) {
	p := refusaltest.Provider(t)
	for body, want := range map[string]refusal.Reason{
		``:          refusal.ReasonNone,
		`{}`:        refusal.ReasonNone,
		`no`:        refusal.ReasonNone,
		`Forbidden`: refusal.ReasonNone,
		`{"message":"Not Found","documentation_url":"https://docs.example/rest"}`:              refusal.ReasonNone,
		`{"type":"error","error":{"type":"permission_error","message":"Access denied."}}`:      refusal.ReasonNone,
		`{"type":"about:blank","title":"Forbidden","status":403}`:                              refusal.ReasonNone,
		`{"error":"unauthorized","request_id":"req_011CSHoEeqs5C35K2UUqR7Fy"}`:                 refusal.ReasonNone,
		`{"error":{"code":403,"status":"PERMISSION_DENIED"}}`:                                  refusal.ReasonNone,
		`{"detail":"You do not have permission to perform this action."}`:                      refusal.ReasonAccess,
		`{"error":"insufficientPermissions","message":"The request has insufficient rights"}`:  refusal.ReasonAccess,
		`{"detail":"Forbidden","hint":"account suspended"}`:                                    refusal.ReasonOwn,
		`{"error":{"message":"Forbidden","detail":"suspended"}}`:                               refusal.ReasonAccess,
		`{"detail":"Forbidden","errors":{"account":["is suspended"]}}`:                         refusal.ReasonOwn,
		`{"detail":"User not found"}`:                                                          refusal.ReasonAccess,
		`{"detail":"User action required"}`:                                                    refusal.ReasonAccess,
		`{"detail":"Request failed"}`:                                                          refusal.ReasonOwn,
		`{"error_code":190,"error_subcode":463}`:                                               refusal.ReasonAccess,
		`{"detail":"this account is suspended until the invoice is paid"}`:                     refusal.ReasonOwn,
		`{"detail":"Only an admin may do this."}`:                                              refusal.ReasonOwn,
		`{"error":"accountSuspended"}`:                                                         refusal.ReasonOwn,
		`{"error":"account_suspended","message":"Forbidden"}`:                                  refusal.ReasonOwn,
		`{"error":{"code":"forbidden","message":"Not authorized","invalidToken":true}}`:        refusal.ReasonOwn,
		`{"message":"Not enough permissions to access: POST /posts","code":100}`:               refusal.ReasonAccess,
		`{"message":"Access denied for the a.b.LIST field"}`:                                   refusal.ReasonAccess,
		`{"message":"You do not have access to this page. Please contact the account owner."}`: refusal.ReasonAccess,
		`{"message":"Only the owner has access."}`:                                             refusal.ReasonOwn,
		`{"message":"You do not have editor access to this resource."}`:                        refusal.ReasonOwn,
		`{"message":"Access is not allowed: token expired"}`:                                   refusal.ReasonOwn,
		`{"message":"Access denied: your plan does not include this"}`:                         refusal.ReasonOwn,
		`{"message":"The access token is no longer valid"}`:                                    refusal.ReasonOwn,
		`{"message":"Insufficient permissions: user is not an admin of this workspace"}`:       refusal.ReasonOwn,
		`{"message":"Access from your country is not allowed"}`:                                refusal.ReasonOwn,
		`{"message":"The user does not have the required role to perform this action"}`:        refusal.ReasonOwn,
		`{"message":"Free accounts have no access"}`:                                           refusal.ReasonOwn,
		`{"message":"Origin not allowed"}`:                                                     refusal.ReasonOwn,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Forbidden"}}`:               refusal.ReasonOwn,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"Access denied"}}`:           refusal.ReasonOwn,
		`{"message":"Zugriff verweigert"}`:                                                     refusal.ReasonOwn,
		`{"message":"Two-factor authentication is required to access this resource."}`:         refusal.ReasonOwn,
		`{"detail":"You are not allowed to create a post with duplicate content."}`:            refusal.ReasonOwn,
		`{"message":"User has no access to the board"}`:                                        refusal.ReasonOwn,
		`{"message":"Cannot use the access token from location: 192.0.2.4"}`:                   refusal.ReasonOwn,
		`{"message":"This app is not approved to access protected customer data."}`:            refusal.ReasonOwn,
		`{"message":"OAuth token has been revoked."}`:                                          refusal.ReasonOwn,
		`RBAC: access denied`: refusal.ReasonOwn,
		`{"code":"forbidden.verification_required","message":"Access forbidden: verification required"}`:                                                                          refusal.ReasonOwn,
		`{"message":"ada@example.com does not have Manage permissions on cluster 17. Please contact the owner."}`:                                                                 refusal.ReasonOwn,
		`{"message":"Access to model acme/large is restricted and you are not in the authorized list."}`:                                                                          refusal.ReasonOwn,
		`{"message":"The Git repository does not exist or you do not have permissions for the operation you are attempting."}`:                                                    refusal.ReasonOwn,
		`{"message":"Access denied","details":"The access token you provided has expired."}`:                                                                                      refusal.ReasonOwn,
		`{"message":"Resource forbidden","description":"API Subscription validation failed."}`:                                                                                    refusal.ReasonOwn,
		`{"message":"Read-only API client is not authorized to update resources."}`:                                                                                               refusal.ReasonOwn,
		`{"error":{"code":"AuthorizationFailed","message":"The client 'x' does not have authorization to perform action 'A.b/read' over scope '/s/1' or the scope is invalid."}}`: refusal.ReasonOwn,
		`{"message":"Invalid permissions, or the requested model was not found. Check that you have the required permissions."}`:                                                  refusal.ReasonAccess,
		`{"errors":["Failed permission authorization checks"]}`:                                                                                                                   refusal.ReasonAccess,
		`{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`:                                                                                                             refusal.ReasonAccess,
		`{"message":"Forbidden","help":"For more information on status codes, read the docs on errors"}`:                                                                          refusal.ReasonAccess,
		`{"message":"Access denied. You cannot create boards."}`:                                                                                                                  refusal.ReasonAccess,
		`<html><TITLE>403 Forbidden</TITLE><style>a {}</style><body><h1>403 Forbidden</h1><hr>nginx</body>`:                                                                       refusal.ReasonAccess,
		`<html><title>Access Denied</title><body>This category is <b>blocked</b> by policy.</body>`:                                                                               refusal.ReasonOwn,
		`<html><body><h1>403 Forbidden</h1>Request forbidden by administrative rules.</body></html>`:                                                                              refusal.ReasonOwn,
		`{"error":{"message":"The caller does not have permission","details":[{"message":"User does not have permission to access customer. See https://docs.example/"}]}}`:       refusal.ReasonOwn,
		`<html><title>403 Forbidden</title>`: refusal.ReasonAccess,
		`<html><title>Just a moment</title>`: refusal.ReasonOwn,
		"\xff\xfe":                           refusal.ReasonAccess,
	} {
		r := refusal.Read(p, "api", refusal.Vocabulary{Scopes: scopes.NewSet("boards:read")}, refusal.Response{Status: 403, Header: http.Header{}, Body: []byte(body)})
		if got := r.Reason(); got != want {
			t.Errorf("%s: %d, want %d (%q %q)", body, got, want, r.Said, r.Codes)
		}
	}
	silent := refusal.Read(p, "api", refusal.Vocabulary{}, refusal.Response{Status: 401, Body: []byte(`{"detail": "Authentication required here and now"}`)})
	if silent.Reason() != refusal.ReasonNone {
		t.Error("what the file calls silent gives a reason")
	}
}

// A word at which a body was cut is none: it may be the beginning of another.
func TestCutBody(t *testing.T) {
	known := refusal.Vocabulary{Scopes: scopes.NewSet("a:read")}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"error":"insufficient_scope","scope":"a:reading`))
	_ = w.Flush() // and the end never comes
	long := strings.Repeat("word ", refusal.MaxBody/5)
	for name, resp := range map[string]refusal.Response{
		"JSON":                   {Body: []byte(`{"error":"insufficient_scope","scope":"a:rea`)},
		"a list":                 {Body: []byte(`{"missing_scopes":["a:rea`)},
		"gzip":                   {Body: packed.Bytes(), Header: http.Header{"Content-Encoding": {"gzip"}}},
		"the limit":              {Body: []byte((long + "missing scope: a:rea")[len("missing scope: a:rea"):][:refusal.MaxBody-len("missing scope: a:rea")] + "missing scope: a:rea")},
		"less than was promised": {Body: []byte("missing scope: a:rea"), Header: http.Header{"Content-Length": {"40"}}},
	} {
		resp.Status = 403
		if r := refusal.Read(nil, "api", known, resp); len(r.Names()) > 0 {
			t.Errorf("%s: it names %q", name, r.Names())
		}
	}
	whole := refusal.Response{Status: 403, Body: []byte("missing scope: a:read"), Header: http.Header{"Content-Length": {"21"}}}
	if r := refusal.Read(nil, "api", known, whole); !slices.Equal(r.Names(), []string{"a:read"}) {
		t.Errorf("a whole one names %q", r.Names())
	}
}

// A challenge for something else than a token is another reason, and one without an error says
// that no token came.
func TestChallengeOfAnother(t *testing.T) {
	for challenge, want := range map[string]refusal.Reason{
		`Basic realm="Restricted"`:          refusal.ReasonOwn,
		`Negotiate`:                         refusal.ReasonOwn,
		`Bearer realm="api"`:                refusal.ReasonAccess,
		`Basic realm="x", Bearer realm="x"`: refusal.ReasonAccess,
		``:                                  refusal.ReasonNone,
	} {
		if r := refusal.Read(nil, "api", refusal.Vocabulary{}, refusal.Response{Status: 401, Header: http.Header{"Www-Authenticate": {challenge}}}); r.Reason() != want {
			t.Errorf("%s: %d, want %d", challenge, r.Reason(), want)
		}
	}
}
