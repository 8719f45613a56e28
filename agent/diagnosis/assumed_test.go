package diagnosis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/scopes"
)

// What was requested is not spoken of as what was granted, where nobody said what was.
func TestAssumedIsNotCalledGranted(t *testing.T) {
	knownBy := func(by scopes.KnownBy, held ...string) func(*diagnosis.Case) {
		return func(c *diagnosis.Case) { c.Grant = scopes.Grant{KnownBy: by, Scopes: scopes.NewSet(held...)} }
	}
	const names = `{"error":"insufficient_scope","scope":"llm_gateway:read"}`
	for name, tt := range map[string]struct {
		response func(*diagnosis.Case)
		held     []string
		by       map[scopes.KnownBy]string
	}{
		"declared, and not held": {answered(403, ""), []string{"user:read"}, map[scopes.KnownBy]string{
			scopes.TokenResponse: "the grant does not include llm_gateway:read, according to the token response",
			scopes.Assumed:       "llm_gateway:read was not requested, and no server said what was granted",
		}},
		"named, though held": {answered(403, names), []string{"llm_gateway:read"}, map[scopes.KnownBy]string{
			scopes.TokenResponse: "the grant included llm_gateway:read, according to the token response; it may have shrunk since",
			scopes.Assumed:       "llm_gateway:read was requested, and no server said what was granted",
		}},
		"another reason": {answered(403, `{"detail":"this account is suspended"}`), []string{"user:read"}, map[scopes.KnownBy]string{
			scopes.Introspection: "besides, the grant does not include llm_gateway:read, according to the server",
			scopes.Assumed:       "besides, llm_gateway:read was not requested, and no server said what was granted",
		}},
	} {
		for by, want := range tt.by {
			v := diagnosis.Diagnose(aCase(t, both(tt.response, knownBy(by, tt.held...))))
			if !slices.Contains(v.Evidence, want) {
				t.Errorf("%s, %s: %q, want %q", name, by, v.Evidence, want)
			}
			if by == scopes.Assumed && (v.Confidence == diagnosis.ConfidenceProved || strings.Contains(strings.Join(v.Evidence, ";"), "in the grant")) {
				t.Errorf("%s: %s, %q", name, v.Confidence, v.Evidence)
			}
		}
	}
	c := aCase(t, knownBy(scopes.SelfInspection))
	for by, want := range map[scopes.KnownBy]string{
		scopes.TokenResponse: "the grant no longer includes llm_gateway:read, according to the server",
		scopes.Assumed:       "llm_gateway:read was requested, and no server said what was granted",
	} {
		v, lost := diagnosis.Lost(c, scopes.Grant{KnownBy: by, Scopes: scopes.NewSet("llm_gateway:read")})
		if !lost || !slices.Contains(v.Evidence, want) {
			t.Errorf("lost, %s: %q, want %q", by, v.Evidence, want)
		}
	}
}

// A declared scope that was held, as far as was known, and that the server names keeps what the manifest says of it.
func TestNamedThoughHeldIsDeclared(t *testing.T) {
	for _, by := range []scopes.KnownBy{scopes.TokenResponse, scopes.Assumed} {
		c := aCase(t, both(answered(403, `{"error":"insufficient_scope","scope":"llm_gateway:read"}`), login, func(c *diagnosis.Case) {
			c.Grant = scopes.Grant{KnownBy: by, Scopes: scopes.NewSet("llm_gateway:read")}
			c.Asked = c.Grant.Scopes
		}))
		v := diagnosis.Diagnose(c)
		if v.Level != scopes.Required || v.Why["llm_gateway:read"] == "" || !slices.Equal(v.NeededFor["llm_gateway:read"], []string{"POST {gateway}/v1/messages"}) {
			t.Errorf("%s: %s, %q, %q", by, v.Level, v.Why, v.NeededFor)
		}
		if next := fmt.Sprint(v.Next); len(v.Next) == 0 || strings.Contains(next, "--add") || strings.Contains(next, "declare") {
			t.Errorf("%s: %q", by, v.Next)
		}
	}
}
