package agent_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// What a refusal names is missing, and what it says is in the evidence, however it is
// packed; the child has it byte for byte, unless it is told better.
func TestRefusalsAreRead(t *testing.T) {
	for _, c := range refusaltest.Cases() {
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range c.Response.Header {
				w.Header()[name] = values
			}
			w.WriteHeader(c.Response.Status)
			_, _ = w.Write(c.Response.Body)
		})
		l := lend(t, "", &source{current: key("phx_real", "user:read")}, func(cfg *agent.Config) {
			cfg.Provider, cfg.Needs = refusaltest.Provider(t), nil
			cfg.Server = provider.Server{Name: "here", Bases: []provider.Base{{Name: "api", URL: s.URL}}}
		})
		got := l.send("GET", "api", "/things/", "", bearer, "Accept-Encoding: gzip")
		told := l.verdicts()
		if len(told) != 1 || !cmp.Equal(append([]string{}, c.Named...), told[0].Missing) {
			t.Errorf("%s: %+v", c.Name, told)
			continue
		}
		if proof := told[0].Said + "\n" + strings.Join(told[0].Evidence, "\n"); c.Said != "" && !strings.Contains(proof, c.Said) {
			t.Errorf("%s: %s", c.Name, proof)
		}
		if got.status == c.Response.Status && got.body != string(c.Response.Body) {
			t.Errorf("%s: the child got %q", c.Name, got.body)
		}
	}
}

// A refusal whose cause is known is handed on with the status that the agent's profile
// names, and with the cause as its message, be it a 401 or a 403; any other as it came.
func TestExplainedRefusalsAreHandedOnAsTheProfileSays(t *testing.T) {
	const hidden = "Not found."
	const named, suspended, silent = "API key missing required scope 'dashboard:write'", "This account is suspended.", "Authentication required"
	for _, tt := range []struct {
		agent        string
		answered     int
		said         string
		status       int
		body, record string // what stands in them
	}{
		{"claude-code", 403, named, 451, `"detail": "missing scope: dashboard:write`, `"status":403`},
		{"codex", 403, named, 400, `"detail": "missing scope: dashboard:write`, `"status":403`},
		{"codex", 401, silent, 400, `"detail": "missing scope: notebook:write`, `"status":401`},
		{"any-command", 403, named, 403, named, `"status":403`},
		{"claude-code", 403, suspended, 451, `the server says`, `"status":403`},
		{"claude-code", 404, hidden, 404, hidden, `"status":404`},
	} {
		s := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.answered)
			_, _ = w.Write([]byte(agenttest.Denied(tt.said)))
		})
		var record bytes.Buffer
		l := lend(t, s.URL, &source{current: key("phx_real", "user:read", "llm_gateway:read", "query:read")}, func(c *agent.Config) {
			c.Agent, c.Record, c.Ask = agenttest.Profile(t, tt.agent), &record, confirms
		})
		got := l.send("POST", "api", "/api/projects/1/notebooks/", "x", bearer)
		if got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s at %d: %d %s", tt.agent, tt.answered, got.status, got.body)
		}
		if err := l.Close(); err != nil || !strings.Contains(record.String(), tt.record) {
			t.Errorf("%s at %d: recorded %s (%v)", tt.agent, tt.answered, record.String(), err)
		}
	}
}
