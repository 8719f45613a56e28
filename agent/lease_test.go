package agent_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// noTrace fails where the lease, or what Basic packs it into, stands in what was written.
func (l *lending) noTrace(where, text string) {
	l.t.Helper()
	lease := l.Terms().Lease
	for _, form := range []string{lease, basic(lease, ""), basic("x-access-token", lease), basic("", lease), url.QueryEscape(lease)} {
		form = strings.TrimPrefix(form, "Authorization: Basic ")
		if part := form[:len(form)-4]; strings.Contains(text, part) { // of base64 the end depends on what follows
			l.t.Errorf("%s shows the lease: %s", where, text)
		}
	}
}

// The lease is known by its own value. Where it is not swapped, the child and the person are told
// so, it goes nowhere, and nobody calls it another credential.
func TestLeaseIsKnownWhereverItStands(t *testing.T) {
	for name, tt := range map[string]struct {
		path  string
		field func(lease string) string
		place string
	}{
		"GitHub's scheme":        {"", func(lease string) string { return "Authorization: token " + lease }, "Authorization: token"},
		"Django's scheme":        {"", func(lease string) string { return "Authorization: Token " + lease }, "Authorization: Token"},
		"Basic, git":             {"", func(lease string) string { return basic("x-access-token", lease) }, "Authorization: Basic"},
		"Basic, the user":        {"", func(lease string) string { return basic(lease, "") }, "Authorization: Basic"},
		"Basic without padding":  {"", func(lease string) string { return strings.TrimRight(basic("u", lease), "=") }, "Authorization: Basic"},
		"Basic to a proxy":       {"", func(lease string) string { return "Proxy-" + basic("u", lease) }, "Proxy-Authorization"},
		"no scheme's name":       {"", func(lease string) string { return "Authorization: key=" + lease }, "Authorization"},
		"another field":          {"", func(lease string) string { return "X-Goog-Api-Key: " + lease }, "X-Goog-Api-Key"},
		"a field of another use": {"", func(lease string) string { return "X-Note: see " + lease + "." }, "X-Note"},
		"a cookie":               {"", func(lease string) string { return "Cookie: a=1; session=" + lease }, "Cookie"},
		"a WebSocket protocol":   {"", func(lease string) string { return "Sec-Websocket-Protocol: v1, key." + lease }, "Sec-Websocket-Protocol"},
		"the query":              {"?a=1&key=LEASE", nil, "a parameter of the query"},
		"the query, escaped":     {"?a=1&key=%61LEASE", nil, "a parameter of the query"},
		"the path":               {"/bot/LEASE/x", nil, "a part of the path"},
		"the path, beside ours":  {"/bot/LEASE/x", func(lease string) string { return "Authorization: Bearer " + lease }, "a part of the path"},
	} {
		t.Run(name, func(t *testing.T) {
			origin, last := notes(t)
			record := &lockedBuffer{}
			l := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) { c.Record = record })
			lease := l.Terms().Lease
			path := strings.ReplaceAll(tt.path, "%61LEASE", "%61"+lease[1:])
			fields := []string{"X-Mine: 1"}
			if tt.field != nil {
				fields = append(fields, tt.field(lease))
			}
			want := "not a scope problem: the lease came as " + tt.place + "; ambit swaps Authorization: Bearer, X-Api-Key"
			for range 2 {
				got := l.send("POST", "gateway", "/v1/messages"+strings.ReplaceAll(path, "LEASE", lease), "x", fields...)
				if got.status != 451 || got.body != `{"type": "error", "error": {"type": "authentication_error", "message": "`+want+`"}}` {
					t.Errorf("%+v", got)
				}
			}
			if r := last(); r != nil || l.Requests() != 0 {
				t.Errorf("it arrived: %+v", r)
			}
			told := l.verdicts()
			if len(told) != 1 || told[0].Message != want || told[0].Cause != diagnosis.CauseNotAScopeProblem || told[0].Confidence != diagnosis.ConfidenceProved || len(told[0].Next) != 1 {
				t.Errorf("told %+v", told)
			}
			_ = l.Close()
			l.noTrace("the log", l.log.String())
			l.noTrace("the record", record.String())
			for _, v := range told {
				l.noTrace("the verdict", strings.Join(append([]string{v.Message, v.Path, v.Next[0].String()}, v.Evidence...), "\n"))
			}
		})
	}
}

// Beside the lease in its place, a second one elsewhere is left out; the rest of the query stays
// as it was written.
func TestSecondLeaseStaysHere(t *testing.T) {
	origin, last := notes(t)
	l := lend(t, origin, &source{current: key("phx_real")}, nil)
	l.send("GET", "api", "/x?a=%2F;b&key="+l.Terms().Lease+"&c", "", bearer, "X-Note: LEASE", basic("u", l.Terms().Lease), "Cookie: s=LEASE")
	r := last()
	if r == nil || r.URI != "/x?a=%2F;b&c" || len(r.Header["X-Note"])+len(r.Header["Cookie"]) != 0 || !cmp.Equal(r.Header["Authorization"], []string{"Bearer phx_real"}) {
		t.Errorf("%+v", r)
	}
	if len(l.seen) != 0 || len(l.verdicts()) != 0 {
		t.Errorf("told %+v %+v", l.seen, l.verdicts())
	}
}

func TestProfileSaysWhereElseTheLeaseIsSwapped(t *testing.T) {
	origin, last := notes(t)
	known := *agenttest.Profile(t, "any-command")
	known.Schemes, known.Query, known.Headers = []string{"token", "Basic"}, []string{"key"}, nil
	l := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) { c.Agent = &known })
	lease := l.Terms().Lease
	for _, tt := range []struct{ query, field string }{
		{"", "Authorization: Token LEASE"},
		{"", basic("x-access-token", lease)},
		{"", basic(lease, "x")},
		{"&key=" + lease, "X-Mine: 1"},
	} {
		if got := l.send("GET", "api", "/x?a=1"+tt.query, "", tt.field); got.status != 201 {
			t.Errorf("%s: %+v", tt.field, got)
		}
		if r := last(); r == nil || r.URI != "/x?a=1" || r.Header.Get("Authorization") != "Bearer phx_real" {
			t.Errorf("%s: %+v", tt.field, r)
		}
	}
	l.send("GET", "api", "/x", "", "X-Api-Key: LEASE")
	if told := l.verdicts(); len(told) != 1 || !strings.HasSuffix(told[0].Message, "ambit swaps Authorization: Bearer, Authorization: token, Authorization: Basic, the query's key") {
		t.Errorf("%+v", told)
	}
}

// A kind of credential that the service wants under a name of its own goes there, and the lease may come
// as the service's own clients send one.
func TestCredentialIsSentAsItsKindSays(t *testing.T) {
	for send, want := range map[provider.Sending][2]string{
		{Header: "X-Acme-Token"}: {"X-Acme-Token", "phx_real"},
		{Header: "Authorization", Text: `Token token="{credential}"`}: {"Authorization", `Token token="phx_real"`},
	} {
		origin, last := notes(t)
		known := *agenttest.Provider(t)
		known.Credentials = []provider.CredentialKind{{Prefix: "phx_", Kind: "personal_api_key", Send: send}}
		l := lend(t, origin, &source{current: key("phx_real")}, func(c *agent.Config) { c.Provider = &known })
		_, lent := send.Field("LEASE")
		for _, field := range []string{bearer, want[0] + ": " + lent} {
			if got := l.send("GET", "api", "/x", "", field); got.status != 201 {
				t.Errorf("%s: %+v", field, got)
			}
			r := last()
			if r == nil || r.Header.Get(want[0]) != want[1] || want[0] != "Authorization" && r.Header.Get("Authorization") != "" {
				t.Errorf("%s: %+v", field, r)
			}
		}
		if len(l.verdicts()) != 0 {
			t.Errorf("told %+v", l.verdicts())
		}
	}
}

// What a request carried is no evidence about another one.
func TestRequestsAreNotBlamedForEachOther(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, nil)
	l.send("POST", "gateway", "/v1/messages", "x", bearer, "X-Api-Key: sk-other")
	l.send("POST", "gateway", "/v1/messages", "x", "Authorization: Bearer sk-third")
	told := l.verdicts()
	if len(told) != 2 {
		t.Fatalf("%+v", told)
	}
	if c := told[0].Conflicts; len(c) != 1 || c[0].Source != "request" || !cmp.Equal(c[0].Keys, []string{"X-Api-Key"}) {
		t.Errorf("the first carried another: %+v", c)
	}
	second := told[1]
	if second.Cause != diagnosis.CauseCredentialConflict || len(second.Conflicts) != 0 || len(second.Next) != 1 || !strings.Contains(second.Next[0].Text, "AMBIT_LEASE") || strings.Contains(strings.Join(second.Evidence, "\n"), "X-Api-Key") {
		t.Errorf("%+v", second)
	}
}
