package trust_test

import (
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit/oauth/trust"
)

// A manifest in a cloned directory names a host of its own.
func ExamplePolicy_Check() {
	policy := trust.Policy{Known: []string{"api.example.com"}}
	fmt.Println(policy.Check([]string{"api.example.com", "localhost:8010"}, "scopes.yaml"))
	err := policy.Check([]string{"api.example.com", "api.example.net"}, "scopes.yaml")
	var untrusted *trust.UntrustedHostError
	fmt.Println(errors.As(err, &untrusted), err)
	// Output:
	// <nil>
	// true the host "api.example.net", named by scopes.yaml, is not trusted with a credential
}
