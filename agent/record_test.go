package agent_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// recorded is a line of a record.
type recorded struct {
	Time               time.Time
	Base, Method, Path string
	Status             int
	Scopes, Named      []string
}

// What is written down names operations and scopes: no query, no body, no thing, no secret.
func TestLogAndRecord(t *testing.T) {
	s := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/projects/471108150815/dashboards/" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, agenttest.Denied("API key missing required scope 'dashboard:write'"))
		}
	})
	var record bytes.Buffer
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Record = &record })
	l.send("POST", "gateway", "/v1/messages?beta=query-text", "body-text", bearer)
	l.send("POST", "api", "/api/projects/471108150815/query/", "body-text", bearer)
	l.send("POST", "api", "/api/projects/471108150815/dashboards/", "body-text", bearer)
	l.send("GET", "api", "/api/users/@me/", "", bearer)
	l.send("GET", "api", "/api/people/someone@example.com/0190a5b2-7c11-7d3e-9f00-5d1c0a11ce01/v1/", "", bearer)
	l.send("GET", "api", "/api/none/", "")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var got []recorded
	for line := range strings.Lines(record.String()) {
		var r recorded
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if time.Since(r.Time) > time.Hour {
			t.Errorf("time %v", r.Time)
		}
		got = append(got, r)
	}
	want := []recorded{
		{Base: "gateway", Method: "POST", Path: "/v1/messages", Status: 200, Scopes: []string{"llm_gateway:read"}, Named: []string{}},
		{Base: "api", Method: "POST", Path: "/api/projects/{id}/query/", Status: 200, Scopes: []string{"query:read"}, Named: []string{}},
		{Base: "api", Method: "POST", Path: "/api/projects/{id}/dashboards/", Status: 403, Scopes: []string{"dashboard:write"}, Named: []string{"dashboard:write"}},
		{Base: "api", Method: "GET", Path: "/api/users/@me/", Status: 200, Scopes: []string{"user:read"}, Named: []string{}},
		{Base: "api", Method: "GET", Path: "/api/people/{id}/{id}/v1/", Status: 200, Scopes: []string{}, Named: []string{}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(recorded{}, "Time")); diff != "" {
		t.Error(diff)
	}
	log := l.log.String()
	for _, want := range []string{`"credential":"phx_***"`, `"route":"/api/projects/{id}/query/"`, `"cause":"missing_scope"`, `"msg":"scan"`, `"URL":"` + s.URL + `/wizard"`, "answered here"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	for _, secret := range []string{"phx_real", l.Terms().Lease, "body-text", "query-text", "someone@example.com", "471108150815"} {
		if strings.Contains(log+record.String(), secret) {
			t.Errorf("%s was written down", secret)
		}
	}
}

// A call of an MCP tool is written down by the tool's name: that of the header, which may be
// packed, else that of the body. What is not a call, or names what no manifest could, has none.
func TestRecordNamesTools(t *testing.T) {
	s := upstream(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	var record bytes.Buffer
	l := lend(t, s.URL, &source{current: key("phx_real", everything...)}, func(c *agent.Config) { c.Record = &record })
	const accept = "Accept: application/json, text/event-stream"
	body := func(method, name string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{"arguments":{"secret":"body-text"},"name":"` + name + `"}}`
	}
	large := body("tools/call", "notebook-edit")
	large = large[:len(large)-1] + `,"x":"` + strings.Repeat("x", 300<<10) + `"}`
	calls := []struct {
		body    string
		headers []string
		want    string
	}{
		{body("tools/call", "notebook-edit"), []string{accept}, "notebook-edit"},
		{"{}", []string{accept, "Mcp-Method: tools/call", "Mcp-Name: insight-get"}, "insight-get"},
		{"{}", []string{accept, "Mcp-Method: tools/call", "Mcp-Name: =?base64?aW5zaWdodC1nZXQ=?="}, "insight-get"},
		{body("tools/list", "x"), []string{accept}, ""},
		{body("prompts/get", "x"), []string{accept, "Mcp-Method: prompts/get", "Mcp-Name: x"}, ""},
		{body("tools/call", "notebook-edit"), nil, "notebook-edit"}, // whatever it accepts
		{body("tools/call", "two words"), []string{accept}, ""},
		{large, []string{accept}, "notebook-edit"}, // by its beginning
		{"[" + body("tools/call", "x") + "]", []string{accept}, ""},
	}
	for _, c := range calls {
		if got := l.send("POST", "api", "/mcp", c.body, append([]string{bearer}, c.headers...)...); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(record.String(), "\n")
	for i, c := range calls {
		var line struct {
			Tool   string
			Scopes []string
		}
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line.Tool != c.want {
			t.Errorf("%.80s %q: %s (%v)", c.body, c.headers, lines[i], err)
		}
		if c.want == "notebook-edit" && !cmp.Equal(line.Scopes, []string{"notebook:write"}) {
			t.Errorf("scopes %v", line.Scopes)
		}
	}
	if strings.Contains(record.String()+l.log.String(), "body-text") {
		t.Errorf("a body was written down: %s", record.String())
	}
}

// A recording is evidence: it names what the response named, and not what the verdict makes of it.
func TestRecordNamesWhatTheResponseNames(t *testing.T) {
	for body, want := range map[string]string{agenttest.Silent: `"named":[]`, agenttest.Denied("API key missing required scope 'dashboard:write'"): `"named":["dashboard:write"]`} {
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, body)
		})
		var record bytes.Buffer
		l := lend(t, s.URL, &source{current: key("phx_real", "user:read")}, func(c *agent.Config) { c.Record, c.Ask = &record, confirms })
		l.send("POST", "api", "/api/projects/1/notebooks/", "x", bearer)
		if told := l.verdicts(); len(told) != 1 || told[0].Cause != diagnosis.CauseMissingScope {
			t.Errorf("%+v", told)
		}
		if err := l.Close(); err != nil || !strings.Contains(record.String(), want) {
			t.Errorf("%s: recorded %s (%v)", body, record.String(), err)
		}
	}
}
