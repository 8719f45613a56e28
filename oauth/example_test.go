package oauth_test

import (
	"fmt"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// A secret shows itself only when asked by name.
func ExampleSecret() {
	key := credential.NewSecret("abc_0123456789")
	fmt.Printf("%v %+v %#v %x\n", key, struct{ inner credential.Secret }{key}.inner, key, key)
	fmt.Println(key.Mask("abc_"))
	// Output:
	// *** *** *** ***
	// abc_***
}

// Which of the asked scopes did the server not like?
func ExampleAuthorizationError_NamedScopes() {
	asked := scopes.NewSet("query:read", "insight:write", "notebook:write")
	refusal := &oauth.AuthorizationError{Code: "invalid_scope", Description: "unknown scope: 'notebook:write'."}
	fmt.Println(refusal.NamedScopes(asked))
	// Output: notebook:write
}
