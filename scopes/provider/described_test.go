package provider_test

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const described = `
servers:
  main:
    issuer: https://git.example/login
    api: https://git.example/login/api
    other: https://elsewhere.example/api
    metadata: none
    authorization_endpoint: https://git.example/login/authorize?tenant=1
    token_endpoint: https://tokens.example/token
    scopes_supported: [a]
`

// A server that the file does not name is described as one that it names, as far as that stands on
// its own URL: an endpoint elsewhere belongs to the other one.
func TestServerElsewhere(t *testing.T) {
	p, err := provider.Decode("file.yaml", []byte(described))
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Server{
		Name: "https://own.example/login/", Issuer: "https://own.example/login/", // not without a document: its token endpoint is not known
		Bases:    []provider.Base{{Name: "api", URL: "https://own.example/login/api"}},
		Metadata: map[string]any{"authorization_endpoint": "https://own.example/login/authorize?tenant=1"},
	}
	if diff := cmp.Diff(want, p.Servers[0].At("https://own.example/login/")); diff != "" {
		t.Error(diff)
	}
	// Each host that a request may go to has to be confirmed.
	if diff := cmp.Diff([]string{"git.example", "elsewhere.example", "tokens.example"}, p.Hosts()); diff != "" {
		t.Error(diff)
	}
}
