package agent_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// start starts the sandbox and returns it as a server of the provider's file.
func start(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, provider.Server) {
	t.Helper()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := s.Ready()
	return s, provider.Server{Name: "us", Issuer: r.Issuer, Bases: []provider.Base{{Name: "api", URL: r.API}, {Name: "gateway", URL: r.Gateway}, {Name: "mcp", URL: r.MCP}}}
}

const hello = `{"model":"m","messages":[]}`

// The gateway gives one answer to whatever is wrong; each has its own verdict.
func TestOneAnswerManyVerdicts(t *testing.T) {
	s, server := start(t, sandbox.Options{})
	keys := s.Ready().Keys
	asking := func(outcomes ...string) func(context.Context, *credential.Credential) credential.Inquiry {
		return func(context.Context, *credential.Credential) credential.Inquiry {
			return agenttest.Inquiry(outcomes...)
		}
	}
	nowhere, elsewhere := asking("us not_known", "eu not_known"), asking("us not_known", "eu known")
	for name, tt := range map[string]struct {
		lent *credential.Credential
		ask  func(context.Context, *credential.Credential) credential.Inquiry
		want diagnosis.Cause
	}{
		"without the scope": {key(keys.NoGateway, "user:read"), confirms, diagnosis.CauseMissingScope},
		"expired":           {key(keys.Expired, everything...), nowhere, diagnosis.CauseRejected},
		"other region":      {key(keys.OtherRegion, everything...), elsewhere, diagnosis.CauseWrongServer},
		"project key":       {key(s.Ready().MoreKeys["project"]), nowhere, diagnosis.CauseWrongCredentialKind},
		"no product":        {key(s.Ready().MoreKeys["no_product"], everything...), nowhere, diagnosis.CauseNotAScopeProblem},
	} {
		l := lend(t, "", &source{current: tt.lent}, func(c *agent.Config) { c.Server, c.Ask = server, tt.ask })
		if got := l.send("POST", "gateway", "/v1/messages?beta=true", hello, bearer); got.status != 451 {
			t.Errorf("%s: %+v", name, got)
		}
		if told := l.verdicts(); len(told) != 1 || told[0].Cause != tt.want || told[0].Confidence != diagnosis.ConfidenceProved {
			t.Errorf("%s: %+v", name, told)
		}
	}
}

// A leftover key beside the lease decides at the gateway; through the proxy it cannot.
func TestLeftoverKeyDoesNotShadow(t *testing.T) {
	s, server := start(t, sandbox.Options{})
	l := lend(t, "", &source{current: key(s.Ready().Keys.Full, everything...)}, func(c *agent.Config) { c.Server = server })
	if got := l.send("POST", "gateway", "/v1/messages", hello, bearer, "X-Api-Key: sk-leftover"); got.status != 200 || !strings.Contains(got.body, "Hello from the sandbox") {
		t.Errorf("%+v", got)
	}
}

// A grant that shrinks in the middle of a run: the key's own server is asked, and the
// verdict names the scope.
func TestGrantShrinksInMidRun(t *testing.T) {
	s, server := start(t, sandbox.Options{})
	full := key(s.Ready().Keys.Full, everything...)
	l := lend(t, "", &source{current: full}, func(c *agent.Config) {
		c.Server = server
		c.Ask = func(context.Context, *credential.Credential) credential.Inquiry {
			now := agenttest.Grant("personal_api_key", scopes.SelfInspection, everything[1:]...)
			return credential.Inquiry{{Server: "us", Standing: credential.StandingKnown, Grant: now}}
		}
	})
	if got := l.send("POST", "gateway", "/v1/messages", hello, bearer); got.status != 200 {
		t.Fatalf("%+v", got)
	}
	s.Shrink("llm_gateway:read", "llm_gateway:write") // the latter covers the former
	got := l.send("POST", "gateway", "/v1/messages", hello, bearer)
	if got.status != 451 || !strings.Contains(got.body, "missing scope: llm_gateway:read (every model call of the agent)") {
		t.Errorf("%+v", got)
	}
	if told := l.verdicts(); len(told) != 1 || !cmp.Equal(told[0].Missing, []string{"llm_gateway:read"}) || !told[0].Decides() {
		t.Errorf("%+v", told)
	}
}
