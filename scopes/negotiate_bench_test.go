package scopes_test

import (
	"fmt"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// many makes n needs in pairs of read and write, and a server that knows them all.
func many(n int) (needs []scopes.Need, advertised []string) {
	for i := range n {
		scope := fmt.Sprintf("resource%d:%s", i/2, []string{"read", "write"}[i%2])
		needs = append(needs, scopes.Need{
			AnyOf: []string{scope}, Level: scopes.Recommended, Why: "a reason",
			UsedBy: []scopes.Operation{{Method: "GET", Base: "api", Path: "/resources/"}},
		})
		advertised = append(advertised, scope)
	}
	return needs, advertised
}

// The promise: 10,000 declared against 10,000 advertised scopes in at most 3 ms, with the set
// of the advertised ones made from the document's list.
func BenchmarkNegotiate10000(b *testing.B) {
	needs, advertised := many(10_000)
	benchmarkNegotiate(b, needs, advertised, 5_000) // the writes
}

// The promise for alternatives: 10,000 needs with three scopes each in at most 5 ms.
func BenchmarkNegotiateAnyOf10000(b *testing.B) {
	needs, advertised := many(10_000)
	for i := range needs {
		needs[i].AnyOf = []string{fmt.Sprintf("resource%d:read", i), fmt.Sprintf("resource%d:write", i), fmt.Sprintf("other%d:read", i)}
		advertised[i] = needs[i].AnyOf[0]
	}
	benchmarkNegotiate(b, needs, advertised, 10_000)
}

func benchmarkNegotiate(b *testing.B, needs []scopes.Need, advertised []string, want int) {
	provider, err := provider.Builtin("posthog")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		plan := scopes.Negotiate(scopes.Negotiation{
			Needs: needs, Implies: provider.Implies,
			Server: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(advertised...)},
		})
		if plan.Request.Len() != want {
			b.Fatalf("asks for %d scopes, want %d", plan.Request.Len(), want)
		}
	}
}
