package agent_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/scopes"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const silent = `{"detail":"Authentication required"}`

// aCase is a message call with our key, which lacks the gateway's scope, refused in the
// gateway's one way; change makes another of it.
func aCase(t testing.TB, change func(*agent.Case)) agent.Case {
	t.Helper()
	p := testProvider(t)
	us, _ := p.Lookup("us")
	c := agent.Case{
		Method: "POST", Base: "gateway", Path: "/v1/messages", Sent: agent.Sent{Ours: true},
		Answer:   agent.Answer{Status: 401, Header: http.Header{}, Body: []byte(silent)},
		Provider: p, Server: us, Kind: p.KindOf("phx_x"),
		Grant: grantOf(scopes.PersonalAPIKey, scopes.SelfInspection, "user:read", "query:read", "notebook:write"),
		Needs: needs(t), Agent: profile(t, "claude-code"), Now: noon, Log: "/log",
	}
	if change != nil {
		change(&c)
	}
	return c
}

// all is a grant of everything that the manifest declares.
func all(c *agent.Case) {
	c.Grant = grantOf(scopes.PersonalAPIKey, scopes.SelfInspection, "llm_gateway:read", "user:read", "query:read", "notebook:write")
}

func api(status int, body string) func(*agent.Case) {
	return func(c *agent.Case) {
		all(c)
		c.Method, c.Base, c.Path = "POST", "api", "/api/projects/2/query/"
		c.Answer = agent.Answer{Status: status, Header: http.Header{}, Body: []byte(body)}
	}
}

func challenge(value string) func(*agent.Case) {
	return func(c *agent.Case) {
		api(401, "")(c)
		c.Answer.Header.Set("WWW-Authenticate", value)
	}
}

func denied(detail string) string {
	text, _ := json.Marshal(map[string]any{"type": "authentication_error", "code": "permission_denied", "detail": detail, "attr": nil})
	return string(text)
}

func both(list ...func(*agent.Case)) func(*agent.Case) {
	return func(c *agent.Case) {
		for _, change := range list {
			change(c)
		}
	}
}

func inquiry(i agent.Inquiry) func(*agent.Case) {
	return func(c *agent.Case) { all(c); c.Inquiry = i }
}

func TestDiagnose(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*agent.Case)
		cause   agent.Cause
		sure    agent.Confidence
		missing []string
		line    string // part of the first line
	}{
		"another credential went out": {func(c *agent.Case) { c.Sent, c.Answer = agent.Sent{Others: []string{"X-Api-Key"}}, agent.Answer{} },
			agent.CredentialConflict, agent.Proved, nil, "in X-Api-Key"},
		"another beside ours is none": {func(c *agent.Case) { c.Sent.Others = []string{"X-Api-Key"} }, agent.MissingScope, agent.Proved, []string{"llm_gateway:read"}, ""},

		"no scope helps, in the server's words": {api(403, denied("API key does not have access to the requested project: ID 2.")),
			agent.NotAScopeProblem, agent.Proved, nil, `"API key does not have access to the requested project: ID 2."`},
		"no scope helps, though one is missing": {both(api(403, denied("This action does not support Personal API Key access")), func(c *agent.Case) { c.Grant.Scopes = scopes.Set{} }),
			agent.NotAScopeProblem, agent.Proved, nil, "does not support Personal API Key access"},
		"no scope helps, by status": {api(402, `{"code":"payment_required","detail":"A paid plan has this."}`), agent.NotAScopeProblem, agent.Proved, nil, "A paid plan has this."},
		"no scope helps, at the gateway": {func(c *agent.Case) {
			c.Answer = agent.Answer{Status: 403, Body: []byte(`{"detail":{"error":{"message":"no","type":"permission_error","code":"product_access_denied"}}}`)}
		}, agent.NotAScopeProblem, agent.Proved, nil, "product_access_denied"},

		"a kind that never serves": {func(c *agent.Case) {
			c.Kind = c.Provider.KindOf("phc_x")
			c.Grant = scopes.Grant{Credential: scopes.Credential{Kind: scopes.ProjectKey, Prefix: "phc_***"}}
		}, agent.WrongCredentialKind, agent.Proved, nil, "phc_***, a project key"},

		"the provider's wording names the scope": {api(403, denied("API key missing required scope 'dashboard:write'")), agent.MissingScope, agent.Proved, []string{"dashboard:write"}, "dashboard:write (for POST {api}/api/projects/2/query/)"},
		"it names one that was granted":          {api(403, denied("API key missing required scope 'query:read'")), agent.MissingScope, agent.Proved, []string{"query:read"}, "query:read (checks that events arrive)"},
		"insufficient_scope":                     {both(challenge(`Bearer error="insufficient_scope", scope="user:read notebook:read extra:write"`)), agent.MissingScope, agent.Proved, []string{"extra:write"}, ""},
		"insufficient_scope behind another":      {challenge(`NTLM abc=, Bearer realm="x", error="insufficient_scope", scope="extra:write"`), agent.MissingScope, agent.Proved, []string{"extra:write"}, ""},
		"scope in a challenge without an error":  {challenge(`Bearer scope="extra:write"`), agent.MissingScope, agent.Likely, []string{"extra:write"}, "probably missing scope"},
		"JSON: required_scopes":                  {api(403, `{"error":{"code":"forbidden","required_scopes":["extra:write","user:read"]}}`), agent.MissingScope, agent.Proved, []string{"extra:write"}, ""},
		"JSON: needed":                           {api(403, `{"ok":false,"error":"missing_scope","needed":"extra:write,more:read"}`), agent.MissingScope, agent.Proved, []string{"extra:write", "more:read"}, ""},
		"JSON: scope, about something else":      {api(403, `{"error":"teapot","scope":"extra:write"}`), agent.Unknown, agent.UnknownSure, nil, "403"},
		"a scope is missing, which is not said":  {both(api(403, `{"error":"insufficient_scope"}`), func(c *agent.Case) { c.Grant.Scopes = scopes.NewSet("user:read") }), agent.MissingScope, agent.Proved, []string{"query:read"}, ""},

		"declared, and not in the grant":    {nil, agent.MissingScope, agent.Proved, []string{"llm_gateway:read"}, "missing scope: llm_gateway:read (every model call of the agent)"},
		"the grant is only assumed":         {func(c *agent.Case) { c.Grant.Credential.KnownBy = scopes.Assumed }, agent.MissingScope, agent.Likely, []string{"llm_gateway:read"}, "probably missing scope: llm_gateway:read"},
		"hidden as not found":               {func(c *agent.Case) { c.Answer = agent.Answer{Status: 404} }, agent.MissingScope, agent.Likely, []string{"llm_gateway:read"}, ""},
		"declared beside, base of no use":   {func(c *agent.Case) { c.Path = "/v1/messages/count_tokens" }, agent.MissingScope, agent.Likely, []string{"llm_gateway:read"}, ""},
		"declared beside, base of some use": {both(api(403, `{}`), func(c *agent.Case) { c.Path = "/api/other/"; c.Grant.Scopes = scopes.NewSet("user:read") }), agent.Unknown, agent.UnknownSure, nil, ""},
		"missing goes before expired":       {func(c *agent.Case) { c.Grant.Credential.ExpiresAt = noon.Add(-time.Hour) }, agent.MissingScope, agent.Proved, []string{"llm_gateway:read"}, ""},
		"covered by implication is there":   {func(c *agent.Case) { c.Grant.Scopes = scopes.NewSet("*") }, agent.Unknown, agent.UnknownSure, nil, ""},

		"past its end":                  {both(all, func(c *agent.Case) { c.Grant.Credential.ExpiresAt = noon }), agent.Expired, agent.Proved, nil, "ended at 2026-05-01T12:00:00Z"},
		"not yet":                       {both(all, func(c *agent.Case) { c.Grant.Credential.ExpiresAt = noon.Add(1) }), agent.Unknown, agent.UnknownSure, nil, ""},
		"known elsewhere":               {inquiry(agent.Inquiry{Asked: []string{"us", "eu"}, Known: []string{"eu"}}), agent.WrongServer, agent.Proved, nil, "is known to eu, not to us"},
		"known elsewhere, home is mute": {inquiry(agent.Inquiry{Asked: []string{"eu"}, Known: []string{"eu"}}), agent.WrongServer, agent.Likely, nil, ""},
		"known nowhere":                 {inquiry(agent.Inquiry{Asked: []string{"us", "eu"}}), agent.Rejected, agent.Proved, nil, "no server knows"},
		"known at home":                 {inquiry(agent.Inquiry{Asked: []string{"us"}, Known: []string{"us"}}), agent.Unknown, agent.UnknownSure, nil, ""},
		"rejected in words":             {api(401, `{"code":"authentication_failed","detail":"Invalid."}`), agent.Rejected, agent.Likely, nil, "does not take"},
		"rejected by the challenge, one missing besides": {both(challenge(`Bearer error="invalid_token"`), func(c *agent.Case) { c.Grant.Scopes = scopes.Set{} }),
			agent.Rejected, agent.Likely, nil, ""},
		"forbidden is nobody's other server": {both(api(403, `{}`), func(c *agent.Case) { c.Inquiry = agent.Inquiry{Asked: []string{"us", "eu"}, Known: []string{"eu"}} }), agent.Unknown, agent.UnknownSure, nil, ""},
		"nothing tells":                      {all, agent.Unknown, agent.UnknownSure, nil, "nothing tells why"},
	} {
		v := agent.Diagnose(aCase(t, tt.change))
		if tt.missing == nil {
			tt.missing = []string{}
		}
		if v.Cause != tt.cause || v.Confidence != tt.sure || !cmp.Equal(v.Missing, tt.missing) || !strings.Contains(v.FirstLine(), tt.line) {
			t.Errorf("%s: %s %s %q: %s\n  want %s %s %q: %s", name, v.Cause, v.Confidence, v.Missing, v.FirstLine(), tt.cause, tt.sure, tt.missing, tt.line)
		}
		text, err := json.Marshal(v)
		if err != nil || strings.Contains(string(text), "logout") != (name == "another credential went out") || strings.Contains(string(text), "null") {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
}

func TestVerdictIsTheContract(t *testing.T) {
	v := agent.Diagnose(aCase(t, func(c *agent.Case) {
		c.Conflicts = []agent.Conflict{{Path: "/s.json", Source: "user", Keys: []string{"apiKeyHelper"}}}
	}))
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "schema": "ambit.verdict/v1",
 "ok": false,
 "message": "missing scope: llm_gateway:read (every model call of the agent)",
 "status": 401,
 "method": "POST",
 "base": "gateway",
 "path": "/v1/messages",
 "cause": "missing_scope",
 "confidence": "proved",
 "missing": [
  "llm_gateway:read"
 ],
 "needed_for": {
  "llm_gateway:read": [
   "POST {gateway}/v1/messages"
  ]
 },
 "why": {
  "llm_gateway:read": "every model call of the agent"
 },
 "level": "required",
 "evidence": [
  "the server answered 401 Unauthorized \"Authentication required\"",
  "llm_gateway:read is not in the grant, by the server's own word"
 ],
 "conflicts": [
  {
   "path": "/s.json",
   "source": "user",
   "keys": [
    "apiKeyHelper"
   ],
   "outranks": false
  }
 ],
 "next": [
  "make a key that also has: llm_gateway:read; at https://us.posthog.com/settings/user-api-keys"
 ],
 "log": "/log"
}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if !v.Decides() || !v.LacksRequired() || v.Unusable() || !v.Final() {
		t.Error("what follows from it")
	}
}

// Advice names the file and the key where they are known, and to log out only where
// nothing else explains the other credential.
func TestConflictAdvice(t *testing.T) {
	helper := agent.Conflict{Path: "/s.json", Source: agent.SourceUser, Keys: []string{"apiKeyHelper"}, Advice: "remove apiKeyHelper there"}
	login := agent.Conflict{Path: "/login", Source: agent.SourceLogin, Keys: []string{}}
	other := func(found ...agent.Conflict) agent.Case {
		return aCase(t, func(c *agent.Case) { c.Sent, c.Conflicts = agent.Sent{Others: []string{"Authorization"}}, found })
	}
	if v := agent.Diagnose(other(helper, login)); !cmp.Equal(v.Next, []string{"in /s.json: remove apiKeyHelper there"}) {
		t.Errorf("%q", v.Next)
	}
	if v := agent.Diagnose(other(login)); !cmp.Equal(v.Next, []string{"claude auth logout"}) || !strings.Contains(strings.Join(v.Evidence, "\n"), "/login") {
		t.Errorf("%q %q", v.Next, v.Evidence)
	}
}

func TestForecast(t *testing.T) {
	if v, ok := agent.Forecast(aCase(t, all)); !ok {
		t.Errorf("all is granted: %s", v.FirstLine())
	}
	v, ok := agent.Forecast(aCase(t, nil))
	if ok || v.Status != 0 || v.Cause != agent.MissingScope || v.Confidence != agent.Proved || !v.LacksRequired() || v.Base != "" {
		t.Errorf("missing: %+v", v)
	}
	if v, ok := agent.Forecast(aCase(t, func(c *agent.Case) { c.Grant.Scopes = scopes.NewSet("llm_gateway:read", "user:read") })); !ok {
		t.Errorf("only a recommended one lacks: %s", v.FirstLine())
	}
	v, ok = agent.Forecast(aCase(t, func(c *agent.Case) { c.Kind = c.Provider.KindOf("phs_x") }))
	if ok || v.Cause != agent.WrongCredentialKind || v.Base != "gateway" || !v.Unusable() {
		t.Errorf("wrong kind: %+v", v)
	}
	v, ok = agent.Forecast(aCase(t, both(all, func(c *agent.Case) { c.Grant.Credential.ExpiresAt = noon })))
	if ok || v.Cause != agent.Expired {
		t.Errorf("expired: %+v", v)
	}
}

func TestBypassed(t *testing.T) {
	away := agent.Conflict{Path: "/s.json", Source: agent.SourceManaged, Keys: []string{"env.ANTHROPIC_BASE_URL"}, Outranks: true, Advice: "remove it there"}
	v, ok := agent.Bypassed(aCase(t, func(c *agent.Case) { c.Conflicts = []agent.Conflict{away} }))
	if !ok || v.Cause != agent.CredentialConflict || v.Confidence != agent.Likely || !strings.Contains(v.FirstLine(), "env.ANTHROPIC_BASE_URL in /s.json") {
		t.Errorf("%+v", v)
	}
	mended := away
	mended.Mended = true
	if _, ok := agent.Bypassed(aCase(t, func(c *agent.Case) { c.Conflicts = []agent.Conflict{mended, {Source: agent.SourceLogin}} })); ok {
		t.Error("nothing sends it elsewhere")
	}
}

// Whatever a server answers, the verdict is one: bounded, printable, and not a conflict
// where ours alone was sent.
func FuzzDiagnose(f *testing.F) {
	for _, seed := range []string{silent, denied("API key missing required scope 'a:b'"), `{"error":{"required_scopes":[["x"],{"scope":"y"}]}}`, "<html>\x1b[2J", `[[[[1]]]]`, `{"scope":"` + strings.Repeat("a ", 5000) + `"}`} {
		f.Add(401, seed, `Bearer error="insufficient_scope", scope="a b"`)
		f.Add(403, seed, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body, challenge string) {
		v := agent.Diagnose(aCase(t, func(c *agent.Case) {
			c.Answer = agent.Answer{Status: status, Header: http.Header{"Www-Authenticate": {challenge}}, Body: []byte(body)}
		}))
		if v.Cause == agent.CredentialConflict || v.FirstLine() == "" || len(v.FirstLine()) > 400 {
			t.Errorf("%s: %q", v.Cause, v.FirstLine())
		}
		for _, text := range append(append([]string{v.FirstLine()}, v.Evidence...), v.Next...) {
			if strings.ContainsAny(text, "\x00\x1b\n\r\u202e") {
				t.Errorf("%q", text)
			}
		}
	})
}
