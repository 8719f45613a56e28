// Package agenttest makes what tests of lending and of diagnosis have in common.
package agenttest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Grant is one of the provider, known by a word.
func Grant(kind scopes.Kind, by scopes.KnownBy, held ...string) scopes.Grant {
	return scopes.Grant{Kind: kind, Prefix: "phx_***", KnownBy: by, Server: "us", Scopes: scopes.NewSet(held...)}
}

// Inquiry is what servers said of a credential that they were asked about: each is
// "SERVER STANDING", and one that did not answer cannot be reached.
func Inquiry(outcomes ...string) credential.Inquiry {
	var q credential.Inquiry
	for _, o := range outcomes {
		server, standing, _ := strings.Cut(o, " ")
		outcome := credential.Outcome{Server: server, Standing: credential.Standing(standing)}
		if outcome.Standing == credential.StandingNoAnswer {
			outcome.Err = errors.New("connection refused")
		}
		q = append(q, outcome)
	}
	return q
}

// Provider is the built-in one.
func Provider(t testing.TB) *provider.Provider {
	t.Helper()
	p, err := provider.Builtin("posthog")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const manifestText = `version: 1
name: test
provider: posthog
scopes:
  - scope: llm_gateway:read
    level: required
    advertised: false
    why: every model call of the agent
    used_by: ["POST {gateway}/v1/messages"]
  - scope: user:read
    level: required
    why: who is running this
    used_by: ["GET {api}/api/users/@me/"]
  - scope: query:read
    level: recommended
    why: checks that events arrive
    used_by: ["POST {api}/api/projects/{id}/query/"]
  - scope: notebook:write
    level: optional
    why: a report becomes a notebook
    used_by: ["POST {api}/api/projects/{id}/notebooks/", "tool:notebook-edit"]
`

// Needs are some of each level, on each base.
func Needs(t testing.TB) []scopes.Need {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", []byte(manifestText), nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Select()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Profile is a built-in one.
func Profile(t testing.TB, name string) *profile.Profile {
	t.Helper()
	p, err := profile.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Noon is the time of these tests.
func Noon() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }

// Silent is a refusal without a reason.
const Silent = `{"detail":"Authentication required"}`

// Denied is the provider's refusal with a reason.
func Denied(detail string) string {
	text, _ := json.Marshal(map[string]any{"type": "authentication_error", "code": "permission_denied", "detail": detail, "attr": nil})
	return string(text)
}
