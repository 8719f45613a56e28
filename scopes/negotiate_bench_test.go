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

// The promise: under 5 ms for 10,000 declared against 10,000 advertised scopes,
// with the set of the advertised ones made from the document's list.
func BenchmarkNegotiate10000(b *testing.B) {
	needs, advertised := many(10_000)
	provider, err := provider.Builtin(provider.BuiltinNames()[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		plan := scopes.Negotiate(scopes.Negotiation{
			Needs: needs, Implies: provider.Implies,
			Server: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(advertised...)},
		})
		if plan.Request.Len() != 5_000 {
			b.Fatalf("asks for %d scopes, want the 5000 writes", plan.Request.Len())
		}
	}
}
