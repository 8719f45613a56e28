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

// What people paste around a key is forgiven, with a word.
func ExampleReadKey() {
	key, err := oauth.ReadKey(" \"Bearer abc_0123456789\"\n")
	fmt.Println(key.Secret.Mask("abc_"), err)
	for _, note := range key.Notes {
		fmt.Println("-", note)
	}
	_, err = oauth.ReadKey("${API_KEY}")
	fmt.Println(err)
	// Output:
	// abc_*** <nil>
	// - blanks or a newline around the key were dropped
	// - quotes around the key were dropped
	// - "Bearer" in front of the key was dropped
	// the key is a placeholder, not a key
}

// Which of the asked scopes did the server not like?
func ExampleAuthorizationError_NamedScopes() {
	asked := scopes.NewSet("query:read", "insight:write", "notebook:write")
	refusal := &oauth.AuthorizationError{Code: "invalid_scope", Description: "unknown scope: 'notebook:write'."}
	fmt.Println(refusal.NamedScopes(asked))
	// Output: notebook:write
}
