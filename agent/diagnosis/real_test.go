package diagnosis_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/refusal/refusaltest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// The ways in which each real refusal is tried, with a provider file that knows none of them.
const (
	wayNamed     = "N" // it names a scope that lacks, which is declared for another call
	wayDeclared  = "M" // the scope lacks that is declared for the call
	wayHeld      = "H" // everything is held: the cause is another
	wayUnrelated = "U" // the same, and a scope of another call lacks
	wayBesides   = "R" // the cause is another, and the call's own scope lacks besides
)

// misread are those that a reader who knows no service takes for something else, and why.
var misread = map[string]string{
	"M GitHub classic token, REST: delete_repo missing looks like a role": "it says that a role is missing",
}

// saysNothing are the texts of responses that give no reason at all: that the scope lacks is
// proved then, as far as anybody can tell.
var saysNothing = []string{"", `{"error":{"type":"AUTHENTICATION_REQUIRED","message":"Authentication required"}}`, `{"detail":"Authentication required"}`, `{"message":"401 Unauthorized"}`, `{"message":"403 Forbidden"}`, "Access denied"}

// onlyLikely are the words of responses that say no more than that access is denied, and those
// that name what a resource takes: a scope that lacks is likely then.
var onlyLikely = []string{
	"INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "Insufficient permissions for this endpoint", "You are not authorized to perform this operation",
	"You do not have access for the attempted action", "You don't have permission to access this resource", "You do not have permission to perform this action",
	"Permissions missing", `"401: Unauthorized"`, "Not enough permissions to access", "Not Found", "Resource not accessible by integration",
	"Not authorized to access resource", "with the following project permissions: [Merge Request: Read]", "Permission denied for this resource",
}

func TestReals(t *testing.T) {
	tried := map[string]int{}
	for _, real := range refusaltest.Reals(t) {
		for _, way := range []string{wayNamed, wayDeclared, wayHeld, wayUnrelated, wayBesides} {
			c, ok := realCase(t, real, way)
			name := way + " " + real.Service + " " + real.Case
			if !ok || misread[name] != "" {
				continue
			}
			tried[way]++
			v := diagnosis.Diagnose(c)
			cause, sure := diagnosis.CauseMissingScope, diagnosis.ConfidenceProved
			if slices.ContainsFunc(onlyLikely, func(said string) bool { return strings.Contains(real.Body, said) }) {
				sure = diagnosis.ConfidenceLikely
			}
			switch way {
			case wayNamed, wayDeclared:
				if v.Cause != cause || v.Confidence != sure || len(v.Missing) == 0 {
					t.Errorf("%s: %s %s %q (%q), want %s %s", name, v.Cause, v.Confidence, v.Missing, v.Said, cause, sure)
				}
			case wayBesides:
				if v.Cause == cause && v.Confidence == diagnosis.ConfidenceProved {
					t.Errorf("%s: %s %s %q (%q)", name, v.Cause, v.Confidence, v.Missing, v.Said)
				}
			default:
				if v.Cause == cause {
					t.Errorf("%s: %s %s %q (%q)", name, v.Cause, v.Confidence, v.Missing, v.Said)
				}
			}
			unmet := c.Unmet(c.Needs)
			for _, missing := range v.Missing {
				if !slices.ContainsFunc(unmet, func(e scopes.Need) bool { return e.Name() == missing }) {
					t.Errorf("%s: %s is named missing", name, missing)
				}
			}
		}
	}
	t.Logf("tried by way: %v", tried)
	if want := map[string]int{wayNamed: 31, wayDeclared: 57, wayHeld: 107, wayUnrelated: 107, wayBesides: 83}; !maps.Equal(tried, want) {
		t.Errorf("tried %v, want %v", tried, want)
	}
}

// realCase is a call that a service refused in one of the ways; ok is false where the refusal
// does not fit it.
func realCase(t *testing.T, real refusaltest.Real, way string) (c diagnosis.Case, ok bool) {
	own, other := []scopes.Need{need("own.thing:read")}, []scopes.Need{need("other.thing:read")}
	held := append([]string{"held:read"}, real.HeldNamed...)
	lacksScope := real.Means == string(diagnosis.CauseMissingScope)
	named := needsOf(real)
	var has []scopes.Need
	switch way {
	case wayNamed:
		other, has, ok = named, own, len(named) > 0 && len(real.Body)+len(real.Headers) > 0
	case wayDeclared:
		if len(named) > 0 {
			own = named
		}
		has, ok = other, lacksScope
	case wayHeld:
		has, ok = append(own, other...), !lacksScope
	case wayUnrelated:
		has, ok = own, !lacksScope
	case wayBesides:
		has, ok = other, !lacksScope && !slices.Contains(saysNothing, strings.TrimSpace(real.Body))
	}
	for _, e := range has {
		held = append(held, e.AnyOf...)
	}
	p, err := provider.Decode("p.yaml", []byte("servers: {here: {issuer: 'https://id.example', api: 'https://api.example'}}\nimplies: [{scope: '{x}:all', covers: ['{x}:read']}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	return diagnosis.Case{
		Method: "GET", Base: "api", Path: "/call", Sent: diagnosis.Sent{Ours: true}, Response: diagnosis.Response(real.Response()),
		Provider: p, Server: p.Servers[0], Kind: p.KindOfToken("x"), Grant: scopes.Grant{KnownBy: scopes.SelfInspection, Scopes: scopes.NewSet(held...)}, Now: agenttest.Noon(),
		Inquiry: agenttest.Inquiry("here known"),
		Needs:   append(usedBy("/call", own), usedBy("/other", other)...),
	}, ok && real.Status != 0
}

func need(anyOf ...string) scopes.Need {
	return scopes.Need{AnyOf: anyOf, Level: scopes.Required, Why: "the test wants it"}
}

// needsOf are the needs for the scopes that a refusal names as missing. What can be no scope
// cannot be declared.
func needsOf(real refusaltest.Real) []scopes.Need {
	if slices.ContainsFunc(real.Missing, func(scope string) bool { return scopes.CheckScope(scope) != nil }) {
		return nil
	}
	if real.AnyOf {
		return []scopes.Need{need(real.Missing...)}
	}
	var list []scopes.Need
	for _, scope := range real.Missing {
		list = append(list, need(scope))
	}
	return list
}

func usedBy(path string, needs []scopes.Need) []scopes.Need {
	list := slices.Clone(needs)
	for i := range list {
		list[i].UsedBy = []scopes.Operation{{Method: "GET", Base: "api", Path: path}}
	}
	return list
}
