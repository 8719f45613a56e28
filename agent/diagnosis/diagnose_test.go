package diagnosis_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// aCase is a message call with our key, which lacks the gateway's scope, refused in the
// gateway's one way; change makes another of it.
func aCase(t testing.TB, change func(*diagnosis.Case)) diagnosis.Case {
	t.Helper()
	p := agenttest.Provider(t)
	us, _ := p.Lookup("us")
	c := diagnosis.Case{
		Method: "POST", Base: "gateway", Path: "/v1/messages", Sent: diagnosis.Sent{Ours: true},
		Response: diagnosis.Response{Status: 401, Header: http.Header{}, Body: []byte(agenttest.Silent)},
		Provider: p, Server: us, Kind: p.KindOf("phx_x"),
		Grant: agenttest.Grant("personal_api_key", scopes.SelfInspection, "user:read", "query:read", "notebook:write"),
		Needs: agenttest.Needs(t), Agent: agenttest.Profile(t, "claude-code"), Now: agenttest.Noon(), Log: "/log",
		Inquiry: agenttest.Inquiry("us known"), // its server was asked upon the refusal, and said the same again
	}
	if change != nil {
		change(&c)
	}
	return c
}

// nobodyAsked takes the server's answer to the question away.
func nobodyAsked(c *diagnosis.Case) { c.Inquiry = nil }

// all is a grant of everything that the manifest declares.
func all(c *diagnosis.Case) {
	c.Grant = agenttest.Grant("personal_api_key", scopes.SelfInspection, "llm_gateway:read", "user:read", "query:read", "notebook:write")
}

func api(status int, body string) func(*diagnosis.Case) {
	return func(c *diagnosis.Case) {
		all(c)
		c.Method, c.Base, c.Path = "POST", "api", "/api/projects/2/query/"
		c.Response = diagnosis.Response{Status: status, Header: http.Header{}, Body: []byte(body)}
	}
}

func challenge(value string) func(*diagnosis.Case) {
	return func(c *diagnosis.Case) {
		api(401, "")(c)
		c.Response.Header.Set("WWW-Authenticate", value)
	}
}

func both(list ...func(*diagnosis.Case)) func(*diagnosis.Case) {
	return func(c *diagnosis.Case) {
		for _, change := range list {
			if change != nil {
				change(c)
			}
		}
	}
}

// inquiry is that servers were asked about a credential which holds everything declared;
// each is "SERVER STANDING".
func inquiry(outcomes ...string) func(*diagnosis.Case) {
	return func(c *diagnosis.Case) { all(c); c.Inquiry = agenttest.Inquiry(outcomes...) }
}

func TestDiagnose(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*diagnosis.Case)
		cause   diagnosis.Cause
		sure    diagnosis.Confidence
		missing []string
		line    string // part of the first line
	}{
		"another credential went out": {
			func(c *diagnosis.Case) {
				c.Sent, c.Response = diagnosis.Sent{Others: []string{"X-Api-Key"}}, diagnosis.Response{}
			},
			diagnosis.CauseCredentialConflict, diagnosis.ConfidenceProved, nil, "in X-Api-Key",
		},
		"the lease came where it is not swapped": {
			func(c *diagnosis.Case) {
				c.Sent = diagnosis.Sent{Misplaced: []string{"Authorization: token"}, Swapped: []string{"Authorization: Bearer", "X-Api-Key"}, Others: []string{"Cookie"}}
				c.Response = diagnosis.Response{}
			},
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceProved, nil, "the lease came as Authorization: token; ambit swaps Authorization: Bearer, X-Api-Key",
		},
		"another beside ours is none": {func(c *diagnosis.Case) { c.Sent.Others = []string{"X-Api-Key"} }, diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"llm_gateway:read"}, ""},

		"no scope helps, in the server's words": {
			api(403, agenttest.Denied("API key does not have access to the requested project: ID 2.")),
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceProved, nil, `"API key does not have access to the requested project: ID 2."`,
		},
		"no scope helps, though one is missing": {
			both(api(403, agenttest.Denied("This action does not support Personal API Key access")), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.Set{} }),
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceProved, nil, "does not support Personal API Key access",
		},
		"no scope helps, by status": {api(402, `{"code":"payment_required","detail":"A paid plan has this."}`), diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceProved, nil, "A paid plan has this."},
		"no scope helps, at the gateway": {func(c *diagnosis.Case) {
			c.Response = diagnosis.Response{Status: 403, Body: []byte(`{"detail":{"error":{"message":"no","type":"permission_error","code":"product_access_denied"}}}`)}
		}, diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceProved, nil, "product_access_denied"},

		"a kind that never serves": {func(c *diagnosis.Case) {
			c.Kind = c.Provider.KindOf("phc_x")
			c.Grant = scopes.Grant{Kind: "project_key", Prefix: "phc_***"}
		}, diagnosis.CauseWrongCredentialKind, diagnosis.ConfidenceProved, nil, "phc_***, a project key"},

		"the provider's wording names the scope": {api(403, agenttest.Denied("API key missing required scope 'dashboard:write'")), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"dashboard:write"}, "dashboard:write (for POST {api}/api/projects/2/query/)"},
		"it names one that was granted":          {api(403, agenttest.Denied("API key missing required scope 'query:read'")), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "API key missing required scope 'query:read'"},
		"insufficient_scope":                     {both(challenge(`Bearer error="insufficient_scope", scope="user:read notebook:read extra:write"`)), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"extra:write"}, ""},
		"insufficient_scope, and nobody can say whether it is held": {both(challenge(`Bearer error="insufficient_scope", scope="query:read"`), func(c *diagnosis.Case) {
			c.Grant.Scopes, c.Grant.Unsaid = scopes.NewSet("user:read"), scopes.NewSet("query:read")
		}), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"query:read"}, ""},
		"insufficient_scope behind another":     {challenge(`NTLM abc=, Bearer realm="x", error="insufficient_scope", scope="extra:write"`), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"extra:write"}, ""},
		"scope in a challenge without an error": {challenge(`Bearer scope="extra:write"`), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"extra:write"}, "probably missing scope"},
		"JSON: required_scopes":                 {api(403, `{"error":{"code":"forbidden","required_scopes":["extra:write","user:read"]}}`), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"extra:write"}, ""},
		"JSON: needed":                          {api(403, `{"ok":false,"error":"missing_scope","needed":"extra:write,more:read"}`), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"extra:write", "more:read"}, ""},
		"JSON: scope, about something else":     {api(403, `{"error":"teapot","scope":"extra:write"}`), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "403"},
		"a scope that is not needed":            {both(api(403, `{"message":"You do not need query:read. The document is locked."}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "The document is locked."},
		"a scope that needs something":          {both(api(403, `{"message":"query:read requires step-up authentication"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "step-up"},
		"a scope, and what else it needs":       {both(api(403, `{"message":"Scope query:read requires a user token; an app token was sent"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"query:read"}, ""},
		"a reason in the code":                  {both(api(403, `{"error":"account_suspended","required_scopes":["query:read"]}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "account_suspended"},
		"one of a list is held":                 {both(api(403, `{"message":"missing permission scope query:read,user:read"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"query:read"}, ""},
		"a scope that is none":                  {both(api(403, `{"details":"Not authorized to access scope 1234567890123"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"query:read"}, ""},
		"a scope, or a role":                    {both(api(403, `{"message":"Missing scopes, or the user is missing required roles"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"query:read"}, ""},
		"dead, it says, and known when asked":   {both(api(401, `{"message":"The access token expired"}`), inquiry("us known"), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "The access token expired"},
		"a scope is missing, which is not said": {both(api(403, `{"error":"insufficient_scope"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"query:read"}, ""},

		"any of several that are declared": {
			both(api(403, `{"message":"requires one of the following scopes: ['llm_gateway:read', 'query:read']"}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceProved,
			[]string{"llm_gateway:read|query:read"},
			"",
		},
		"any of several, one of which is held": {api(403, `{"message":"requires one of the following scopes: ['query:read', 'extra:write']"}`), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "the server says"},
		"what the server lists is a scope": {
			both(api(403, "{\"message\":\"This needs `contacts`\"}"), func(c *diagnosis.Case) { c.Advertised = scopes.NewSet("contacts") }),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceProved,
			[]string{"contacts"},
			"",
		},
		"the grant is assumed, and one is named": {
			both(api(403, `{"required_scopes":["extra:write"]}`), func(c *diagnosis.Case) { c.Grant.KnownBy = scopes.Assumed }),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely,
			[]string{"extra:write"},
			"",
		},
		"missing, and nobody says which":     {challenge(`Bearer error="insufficient_scope"`), diagnosis.CauseMissingScope, diagnosis.ConfidenceUnknown, nil, "the server does not say which"},
		"insufficient_scope, and a role":     {challenge(`Bearer error="insufficient_scope", error_description="Only the owner may do this."`), diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceLikely, nil, `the server says "Only the owner may do this."`},
		"expired, and what the server takes": {both(challenge(`Bearer error="invalid_token", scope="extra:write"`), nobodyAsked), diagnosis.CauseRejected, diagnosis.ConfidenceLikely, nil, ""},
		"JSON-RPC: no such method": {
			both(api(404, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.Set{} }),
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceLikely, nil, `the server says "Method not found"`,
		},
		"JSON-RPC: the wrong version": {
			both(api(400, `{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version"}}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.Set{} }),
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceLikely, nil, "",
		},
		"a parameter of that name": {api(400, `{"message":"missing required parameter: scope"}`), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},
		"a kind that never serves, and what is not there": {
			both(api(404, `{}`), func(c *diagnosis.Case) { c.Kind = c.Provider.KindOf("phc_x") }),
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "",
		},
		"a page that may not ask": {
			both(api(403, "Forbidden: invalid Origin header"), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.Set{} }),
			diagnosis.CauseNotAScopeProblem, diagnosis.ConfidenceLikely, nil, "Origin",
		},
		"a body that is packed": {
			func(c *diagnosis.Case) {
				c.Response = diagnosis.Response{Status: 403, Header: http.Header{"Content-Encoding": {"br"}}, Body: []byte("\x8b\x02\x80")}
			},
			diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely,
			[]string{"llm_gateway:read"},
			"",
		},

		"declared, and not in the grant": {nil, diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"llm_gateway:read"}, "missing scope: llm_gateway:read (every model call of the agent)"},
		"the grant is only assumed":      {func(c *diagnosis.Case) { c.Grant.KnownBy = scopes.Assumed }, diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"llm_gateway:read"}, "probably missing scope: llm_gateway:read"},
		"another reason, and one lacks": {
			both(api(403, agenttest.Denied("This account is suspended.")), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }),
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, `unknown: the server says "This account is suspended." (403 Forbidden)`,
		},
		"access is denied, and one lacks": {
			both(api(403, agenttest.Denied("You do not have permission to perform this action.")), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely,
			[]string{"query:read"},
			"probably missing scope: query:read",
		},
		"a declared one is named, and nobody said what it holds": {
			both(api(403, `{"message":"missing scope query:read"}`), unsaid, nobodyAsked),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely,
			[]string{"query:read"},
			"checks that events arrive",
		},
		"the session is over": {
			both(all, nobodyAsked, func(c *diagnosis.Case) {
				c.Login, c.Renewal = true, &credential.SessionLostError{Err: errors.New("invalid_grant")}
			}),
			diagnosis.CauseRejected, diagnosis.ConfidenceLikely,
			nil,
			"the session is over: invalid_grant",
		},
		"the server denies the renewal to the client": {
			both(all, nobodyAsked, func(c *diagnosis.Case) {
				c.Login, c.Renewal = true, &credential.RenewalDeniedError{Code: "invalid_client", Err: errors.New("refused: invalid_client")}
			}),
			diagnosis.CauseRejected, diagnosis.ConfidenceLikely,
			nil,
			"the server does not renew it: refused: invalid_client",
		},
		"nobody said what it holds": {unsaid, diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "gave no reason"},
		"nor is it told by what any 401 mentions": {
			both(challenge(`Bearer scope="extra:write"`), unsaid),
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "",
		},
		"a 403 that mentions it tells": {
			both(challenge(`Bearer scope="extra:write"`), unsaid, func(c *diagnosis.Case) { c.Response.Status = 403 }),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely,
			[]string{"extra:write"},
			"",
		},
		"one of those that are declared, which nobody said": {
			both(api(403, `{"error":"insufficient_scope"}`), unsaid),
			diagnosis.CauseMissingScope, diagnosis.ConfidenceUnknown,
			nil,
			"",
		},
		"renewed since":                     {both(all, func(c *diagnosis.Case) { c.Renewed = true }), diagnosis.CauseRejected, diagnosis.ConfidenceLikely, nil, "ambit has renewed it"},
		"hidden as not found":               {func(c *diagnosis.Case) { c.Response = diagnosis.Response{Status: 404} }, diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"llm_gateway:read"}, ""},
		"declared beside, base of no use":   {func(c *diagnosis.Case) { c.Path = "/v1/messages/count_tokens" }, diagnosis.CauseMissingScope, diagnosis.ConfidenceLikely, []string{"llm_gateway:read"}, ""},
		"declared beside, base of some use": {both(api(403, `{}`), func(c *diagnosis.Case) { c.Path = "/api/other/"; c.Grant.Scopes = scopes.NewSet("user:read") }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},
		"missing goes before expired":       {func(c *diagnosis.Case) { c.Grant.ExpiresAt = agenttest.Noon().Add(-time.Hour) }, diagnosis.CauseMissingScope, diagnosis.ConfidenceProved, []string{"llm_gateway:read"}, ""},
		"covered by implication is there":   {func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("*") }, diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},

		"past its end":                  {both(both(all, func(c *diagnosis.Case) { c.Grant.ExpiresAt = agenttest.Noon() }), nobodyAsked), diagnosis.CauseExpired, diagnosis.ConfidenceProved, nil, "expired at 2026-05-01T12:00:00Z"},
		"not yet":                       {both(all, func(c *diagnosis.Case) { c.Grant.ExpiresAt = agenttest.Noon().Add(1) }), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},
		"known elsewhere":               {inquiry("us not_known", "eu known"), diagnosis.CauseWrongServer, diagnosis.ConfidenceProved, nil, "is known to server eu, not to server us"},
		"known elsewhere, home is mute": {inquiry("us no_answer", "eu known"), diagnosis.CauseWrongServer, diagnosis.ConfidenceLikely, nil, ""},
		"known nowhere":                 {inquiry("us not_known", "eu not_known"), diagnosis.CauseRejected, diagnosis.ConfidenceProved, nil, "no server knows"},
		"known at home":                 {inquiry("us known"), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},
		"rejected in words":             {both(api(401, `{"code":"authentication_failed","detail":"Invalid."}`), nobodyAsked), diagnosis.CauseRejected, diagnosis.ConfidenceLikely, nil, "does not accept"},
		"rejected by the challenge, one missing besides": {
			both(both(challenge(`Bearer error="invalid_token"`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.Set{} }), nobodyAsked), diagnosis.CauseRejected, diagnosis.ConfidenceLikely, nil, "",
		},
		"forbidden is nobody's other server": {both(api(403, `{}`), func(c *diagnosis.Case) {
			c.Inquiry = agenttest.Inquiry("us not_known", "eu known")
		}), diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, ""},
		"nothing tells": {all, diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, nil, "gave no reason"},
	} {
		v := diagnosis.Diagnose(aCase(t, tt.change))
		if tt.missing == nil {
			tt.missing = []string{}
		}
		if v.Cause != tt.cause || v.Confidence != tt.sure || !cmp.Equal(v.Missing, tt.missing) || !strings.Contains(v.Message, tt.line) {
			t.Errorf("%s: %s %s %q: %s\n  want %s %s %q: %s", name, v.Cause, v.Confidence, v.Missing, v.Message, tt.cause, tt.sure, tt.missing, tt.line)
		}
		out, err := json.Marshal(v)
		if err != nil || strings.Contains(string(out), "logout") || strings.Contains(string(out), "null") {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}

// A server that was asked and did not answer is neither one that does not know the
// credential, nor one that nobody asked.
func TestInquiry(t *testing.T) {
	for name, tt := range map[string]struct {
		outcomes []string
		cause    diagnosis.Cause
		sure     diagnosis.Confidence
		proof    string
		not      string // stands nowhere in the evidence
	}{
		"one did not answer": {
			[]string{"us not_known", "eu no_answer"},
			diagnosis.CauseRejected, diagnosis.ConfidenceLikely, "server eu was asked, and did not respond: connection refused", "us, eu were asked",
		},
		"another knows it": {
			[]string{"us not_known", "test no_answer", "eu known"},
			diagnosis.CauseWrongServer, diagnosis.ConfidenceProved, "server eu was asked, and knows the credential", "us, test were asked",
		},
		"both know nothing": {
			[]string{"us not_known", "eu not_known"},
			diagnosis.CauseRejected, diagnosis.ConfidenceProved, "servers us, eu were asked, and do not know the credential", "did not respond",
		},
		"its own did not answer": {
			[]string{"us no_answer"},
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, "server us was asked, and did not respond: connection refused", "none was asked",
		},
		"there is no way to ask": {
			[]string{"us not_asked"},
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, "the credential belongs to another server; none was asked", "did not respond",
		},
		"nobody was asked": {
			nil,
			diagnosis.CauseUnknown, diagnosis.ConfidenceUnknown, "the credential belongs to another server; none was asked", "did not respond",
		},
	} {
		v := diagnosis.Diagnose(aCase(t, inquiry(tt.outcomes...)))
		proof := strings.Join(append(v.Evidence, v.Possible...), "\n")
		if v.Cause != tt.cause || v.Confidence != tt.sure || !strings.Contains(proof, tt.proof) || strings.Contains(proof, tt.not) {
			t.Errorf("%s: %s %s\n%s", name, v.Cause, v.Confidence, proof)
		}
	}
}

// What follows from a verdict.
func TestVerdictDecides(t *testing.T) {
	v := diagnosis.Diagnose(aCase(t, func(*diagnosis.Case) {}))
	if !v.Decides() || !v.LacksRequired() || !v.Final() {
		t.Errorf("%+v", v)
	}
}

// A reason of the server's own is read first; a scope that lacks besides is evidence.
func TestAnotherReasonLeads(t *testing.T) {
	v := diagnosis.Diagnose(aCase(t, both(api(403, `{"detail":"This account is suspended."}`), func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") })))
	want := []string{`the server responded with 403 Forbidden: "This account is suspended."`, "besides, the grant does not include query:read, according to the server"}
	if v.Said != "This account is suspended." || len(v.Evidence) < 2 || !cmp.Equal(want, v.Evidence[:2]) {
		t.Errorf("said %q: %q", v.Said, v.Evidence)
	}
	if v.Decides() {
		t.Error("a reason that has nothing to do with a scope ends the run for want of one")
	}
}

// The evidence shows what proves it, each thing once, and no guess.
func TestEvidenceIsTheProof(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*diagnosis.Case)
		want   []string
	}{
		"a challenge": {
			challenge(`Bearer error="insufficient_scope", scope="extra:write"`),
			[]string{"the server responded with 401 Unauthorized", `WWW-Authenticate: error="insufficient_scope" scope="extra:write"`, "the response names extra:write, which the manifest does not declare"},
		},
		"a sentence": {
			api(403, `{"detail":"This needs the scope 'notebook:read' or 'extra:write'"}`),
			[]string{`the server responded with 403 Forbidden: "This needs the scope 'notebook:read' or 'extra:write'"`, "the grant included notebook:read, according to the server; it may have shrunk since", "the response names notebook:read|extra:write, which the manifest does not declare"},
		},
		"a control character": {api(403, "{\"detail\":\"suspended \\u001b[2J\\u0007\"}"), []string{`the server responded with 403 Forbidden: "suspended \a"`}},
		"packed": {
			both(api(403, "\x8b\x02\x80"), func(c *diagnosis.Case) { c.Response.Header.Set("Content-Encoding", "br") }),
			[]string{"the server responded with 403 Forbidden; its body is compressed with br, and was not read"},
		},
		"bytes": {api(403, "\x8b\x02\x80"), []string{"the server responded with 403 Forbidden; its body is not text, and was not read"}},
	} {
		if v := diagnosis.Diagnose(aCase(t, both(tt.change, nobodyAsked))); !cmp.Equal(v.Evidence, tt.want) {
			t.Errorf("%s: %q", name, v.Evidence)
		}
	}
}

// What the server said is told as what it is: a page is no sentence, and a code beside the status
// is not "no reason".
func TestMessageTellsWhatCame(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"forbidden"}`:                                  `unknown: the server responded to POST {gateway}/v1/messages with 403 Forbidden: "forbidden"`,
		"<html><head><title>Just a moment</title></head></html>": `unknown: the server sent a page of HTML, "Just a moment" (403 Forbidden)`,
		"<html></html>":                                          "unknown: the server sent a page of HTML (403 Forbidden)",
		`{"error":"suspended 17"}`:                               `unknown: the server says "suspended 17" (403 Forbidden)`,
		"":                                                       "unknown: the server responded to POST {gateway}/v1/messages with 403 Forbidden, and gave no reason",
		"\x00\x01\xff":                                           "unknown: the server responded to POST {gateway}/v1/messages with 403 Forbidden, and its reason could not be read",
	} {
		if v := diagnosis.Diagnose(aCase(t, both(all, answered(403, body), nobodyAsked))); v.Message != want {
			t.Errorf("%q: %s", body, v.Message)
		}
	}
}

// Where the server said just now what the credential holds, nobody says that it may have shrunk since.
func TestAskedJustNow(t *testing.T) {
	for asked, want := range map[bool]bool{false: true, true: false} {
		v := diagnosis.Diagnose(aCase(t, both(all, answered(403, ""), func(c *diagnosis.Case) {
			c.Inquiry = nil
			if asked {
				c.Inquiry = agenttest.Inquiry("us known")
				c.Grant.KnownBy = scopes.SelfInspection
			}
		})))
		if got := strings.Contains(strings.Join(v.Possible, "; "), "shrunk"); got != want {
			t.Errorf("asked %v: %q", asked, v.Possible)
		}
	}
}

// Advice names the file and the key where they are known, and to log out only where
// nothing else explains the other credential.
func TestConflictAdvice(t *testing.T) {
	helper := profile.Conflict{Path: "/s.json", Source: profile.SourceUser, Keys: []string{"apiKeyHelper"}, Effect: profile.EffectDropped, Advice: "remove apiKeyHelper there"}
	// None of these sends another credential to the proxy.
	away := profile.Conflict{Path: "/a.json", Source: profile.SourceUser, Keys: []string{"env.ANTHROPIC_BASE_URL"}, Effect: profile.EffectRoutes, Overrides: true, Advice: "remove it there"}
	environment := profile.Conflict{Path: "environment", Source: profile.SourceEnvironment, Keys: []string{"K"}, Effect: profile.EffectNone, Advice: "nothing has to be done"}
	login := profile.Conflict{Path: "/login", Source: profile.SourceLogin, Keys: []string{}}
	other := func(found ...profile.Conflict) diagnosis.Case {
		return aCase(t, func(c *diagnosis.Case) {
			c.Sent, c.Conflicts = diagnosis.Sent{Others: []string{"Authorization"}}, found
		})
	}
	if v := diagnosis.Diagnose(other(helper, login)); !cmp.Equal(v.Next, []diagnosis.Step{{Text: "in /s.json: remove apiKeyHelper there"}}) {
		t.Errorf("%q", v.Next)
	}
	if v := diagnosis.Diagnose(other(helper, away, environment)); len(v.Next) != 1 || strings.Contains(strings.Join(v.Evidence, "\n"), "/a.json") {
		t.Errorf("%q %q", v.Next, v.Evidence)
	}
	if v := diagnosis.Diagnose(other(login)); !cmp.Equal(v.Next, []diagnosis.Step{{Text: "log the program out of its own account", Command: "claude auth logout"}}) || !strings.Contains(strings.Join(v.Evidence, "\n"), "/login") {
		t.Errorf("%q %q", v.Next, v.Evidence)
	}
}

func TestForecast(t *testing.T) {
	forecast := func(change func(*diagnosis.Case)) []diagnosis.Verdict { return diagnosis.Forecast(aCase(t, change)) }
	if list := forecast(all); len(list) != 0 {
		t.Errorf("all is granted: %+v", list)
	}
	list := forecast(nil)
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	if v := list[0]; v.Status != 0 || v.Cause != diagnosis.CauseMissingScope || v.Confidence != diagnosis.ConfidenceProved || !v.LacksRequired() || v.Base != "" {
		t.Errorf("missing: %+v", v)
	}
	list = forecast(func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("llm_gateway:read", "user:read") })
	if len(list) != 1 || list[0].Decides() || list[0].Level != scopes.Recommended || !cmp.Equal(list[0].Missing, []string{"query:read"}) {
		t.Errorf("only a recommended one lacks: %+v", list)
	}
	list = forecast(func(c *diagnosis.Case) { c.Grant.Scopes = scopes.NewSet("user:read") })
	if len(list) != 2 || !list[0].LacksRequired() || list[1].Level != scopes.Recommended {
		t.Errorf("one of each: %+v", list)
	}
	list = forecast(func(c *diagnosis.Case) { c.Kind = c.Provider.KindOf("phs_x") })
	if len(list) != 1 || list[0].Cause != diagnosis.CauseWrongCredentialKind || list[0].Base != "gateway" || !list[0].Decides() || list[0].LacksRequired() {
		t.Errorf("wrong kind: %+v", list)
	}
	list = forecast(both(all, func(c *diagnosis.Case) { c.Grant.ExpiresAt = agenttest.Noon() }))
	if len(list) != 1 || list[0].Cause != diagnosis.CauseExpired {
		t.Errorf("expired: %+v", list)
	}
}

// A child that used nothing of what it was lent is told of, with what can be the reason; what came
// and was refused here was told then.
func TestNotRouted(t *testing.T) {
	away := profile.Conflict{Path: "/s.json", Source: profile.SourceManaged, Keys: []string{"env.ANTHROPIC_BASE_URL"}, Effect: profile.EffectRoutes, Overrides: true, Advice: "remove it there"}
	overridden := away
	overridden.Overridden = true
	agent := func(name string) func(*diagnosis.Case) {
		return func(c *diagnosis.Case) { c.Agent = agenttest.Profile(t, name) }
	}
	conflicts := func(found ...profile.Conflict) func(*diagnosis.Case) {
		return func(c *diagnosis.Case) { c.Conflicts = found }
	}
	for name, tt := range map[string]struct {
		change  func(*diagnosis.Case)
		traffic diagnosis.Traffic
		message string
		next    []diagnosis.Step
		sure    diagnosis.Confidence
		end     diagnosis.Ending
	}{
		"a setting": {
			conflicts(overridden, away),
			diagnosis.Traffic{},
			"not routed: no request came through ambit; env.ANTHROPIC_BASE_URL in /s.json overrides the lent credential",
			[]diagnosis.Step{{Text: "in /s.json: remove it there"}},
			diagnosis.ConfidenceLikely,
			diagnosis.Ending{},
		},
		"nothing that is known": {
			conflicts(overridden, profile.Conflict{Source: profile.SourceLogin}),
			diagnosis.Traffic{},
			"not routed: no request came through ambit; Claude Code may have sent its requests elsewhere",
			[]diagnosis.Step{{Text: "see what can send its requests elsewhere", Command: "ambit doctor --agent claude-code"}},
			diagnosis.ConfidenceLikely,
			diagnosis.Ending{},
		},
		"a file of one's own": {
			func(c *diagnosis.Case) {
				own := *c.Agent
				own.File = "./my quill.yaml"
				c.Agent = &own
			},
			diagnosis.Traffic{},
			"not routed: no request came through ambit; Claude Code may have sent its requests elsewhere",
			[]diagnosis.Step{{Text: "see what can send its requests elsewhere", Command: "ambit doctor --agent './my quill.yaml'"}},
			diagnosis.ConfidenceLikely,
			diagnosis.Ending{},
		},
		"many bases": {
			func(c *diagnosis.Case) {
				c.Agent = agenttest.Profile(t, "any-command")
				for _, name := range []string{"a", "b", "c", "d"} {
					c.Server.Bases = append([]provider.Base{{Name: name, URL: "https://x.example/" + name}}, c.Server.Bases...)
				}
			},
			diagnosis.Traffic{},
			"not routed: no request came through ambit",
			[]diagnosis.Step{{Text: "if the command starts an agent, name the agent with --agent; otherwise, send $AMBIT_LEASE as the Bearer token to $AMBIT_API_URL or $AMBIT_GATEWAY_URL or $AMBIT_D_URL or the URL of another of the 7 bases"}},
			diagnosis.ConfidenceUnknown,
			diagnosis.Ending{},
		},
		"any command": {
			agent("any-command"),
			diagnosis.Traffic{},
			"not routed: no request came through ambit",
			[]diagnosis.Step{{Text: "if the command starts an agent, name the agent with --agent; otherwise, send $AMBIT_LEASE as the Bearer token to $AMBIT_API_URL or $AMBIT_GATEWAY_URL or $AMBIT_MCP_URL"}},
			diagnosis.ConfidenceUnknown,
			diagnosis.Ending{},
		},
		"a mistake in its arguments": {
			nil,
			diagnosis.Traffic{},
			"not routed: no request came through ambit; Claude Code ended with exit code 1 before it sent one",
			[]diagnosis.Step{{Text: "see what it says itself"}},
			diagnosis.ConfidenceUnknown,
			diagnosis.Ending{Code: 1, After: time.Second},
		},
		"an error later": {
			nil,
			diagnosis.Traffic{},
			"not routed: no request came through ambit; Claude Code may have sent its requests elsewhere",
			nil,
			diagnosis.ConfidenceLikely,
			diagnosis.Ending{Code: 1, After: 10 * time.Second},
		},
		"a setting, and an error": {
			conflicts(away),
			diagnosis.Traffic{},
			"not routed: no request came through ambit; env.ANTHROPIC_BASE_URL in /s.json overrides the lent credential",
			nil,
			diagnosis.ConfidenceLikely,
			diagnosis.Ending{Code: 1, After: time.Second},
		},
		"a setting, and no program": {
			conflicts(away),
			diagnosis.Traffic{},
			"not routed: no request came through ambit; Claude Code ended with exit code 127 before it sent one",
			nil,
			diagnosis.ConfidenceUnknown,
			diagnosis.Ending{Code: 127, After: time.Minute},
		},
		"any command that is not there": {
			agent("any-command"),
			diagnosis.Traffic{},
			"not routed: no request came through ambit; the command ended with exit code 126 before it sent one",
			nil,
			diagnosis.ConfidenceUnknown,
			diagnosis.Ending{Code: 126},
		},
		"without the lease":  {agent("any-command"), diagnosis.Traffic{Bare: 1, Astray: 2}, "not routed: no request reached a base with the lease: 1 request without a credential, 2 requests to an address that is not a base's", nil, diagnosis.ConfidenceProved, diagnosis.Ending{Code: 1}},
		"another credential": {conflicts(away), diagnosis.Traffic{Others: 1}, "", nil, "", diagnosis.Ending{}},
		"one came":           {conflicts(away), diagnosis.Traffic{Lent: 1, Bare: 3}, "", nil, "", diagnosis.Ending{}},
	} {
		v, ok := diagnosis.NotRouted(aCase(t, tt.change), tt.traffic, tt.end)
		if ok != (tt.message != "") || v.Message != tt.message || v.Decides() {
			t.Errorf("%s: %v, %+v", name, ok, v)
		}
		if ok && (v.Cause != diagnosis.CauseNotRouted || v.Confidence != tt.sure) {
			t.Errorf("%s: %+v", name, v)
		}
		if tt.next != nil && !cmp.Equal(v.Next, tt.next) {
			t.Errorf("%s: next %q", name, v.Next)
		}
	}
}

// Whatever a server answers, the verdict is one: bounded, printable, and not a conflict
// where ours alone was sent.
func FuzzDiagnose(f *testing.F) {
	for _, seed := range []string{agenttest.Silent, agenttest.Denied("API key missing required scope 'a:b'"), `{"error":{"required_scopes":[["x"],{"scope":"y"}]}}`, "<html>\x1b[2J", `[[[[1]]]]`, `{"scope":"` + strings.Repeat("a ", 5000) + `"}`} {
		f.Add(401, seed, `Bearer error="insufficient_scope", scope="a b"`)
		f.Add(403, seed, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body, challenge string) {
		v := diagnosis.Diagnose(aCase(t, func(c *diagnosis.Case) {
			c.Response = diagnosis.Response{Status: status, Header: http.Header{"Www-Authenticate": {challenge}}, Body: []byte(body)}
		}))
		if v.Cause == diagnosis.CauseCredentialConflict || v.Message == "" || len(v.Message) > text.MaxLine+len("…") {
			t.Errorf("%s: %q", v.Cause, v.Message)
		}
		said := append([]string{v.Message, v.Said}, v.Evidence...)
		for _, step := range v.Next {
			said = append(said, step.Text, step.Command, step.URL)
		}
		for _, text := range said {
			if strings.ContainsAny(text, "\x00\x1b\n\r\u202e") {
				t.Errorf("%q", text)
			}
		}
	})
}

// Where a server that could know the credential was not asked, nothing is proved.
func TestServersThatNobodyAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		other provider.Server
		sure  diagnosis.Confidence
	}{
		"one that could know it":         {provider.Server{Name: "other", Issuer: "https://other.example", Bases: []provider.Base{{Name: "api", URL: "https://api.other.example"}}}, diagnosis.ConfidenceLikely},
		"one without the base":           {provider.Server{Name: "other", Issuer: "https://other.example"}, diagnosis.ConfidenceProved},
		"a development server over here": {provider.Server{Name: "other", Issuer: "http://localhost:1", Bases: []provider.Base{{Name: "api", URL: "http://localhost:1"}}}, diagnosis.ConfidenceProved},
	} {
		c := aCase(t, func(c *diagnosis.Case) {
			p := *c.Provider
			p.Servers = []provider.Server{c.Server, tt.other}
			c.Provider = &p
			c.Inquiry = credential.Inquiry{{Server: c.Server.Name, Standing: credential.StandingNotKnown}}
		})
		if v := diagnosis.Refused(c); v.Cause != diagnosis.CauseRejected || v.Confidence != tt.sure {
			t.Errorf("%s: %s %s %q", name, v.Cause, v.Confidence, v.Evidence)
		}
	}
}

// Where nobody thought of asking, the evidence does not say that a file forbade it.
func TestNobodyThoughtOfAsking(t *testing.T) {
	c := aCase(t, func(c *diagnosis.Case) {
		c.Response = diagnosis.Response{Status: 401, Header: http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}}
		c.Inquiry = nil
	})
	v := diagnosis.Diagnose(c)
	if v.Cause != diagnosis.CauseRejected || strings.Contains(strings.Join(v.Evidence, "; "), "not asked") {
		t.Errorf("%s: %q", v.Cause, v.Evidence)
	}
}
