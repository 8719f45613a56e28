package metadata_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ambit-auth/ambit/metadata"
)

// Which scopes does this server say that it knows?
func Example() {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{
			"issuer": %[1]q,
			"authorization_endpoint": "%[1]s/authorize",
			"token_endpoint": "%[1]s/token",
			"response_types_supported": ["code"],
			"scopes_supported": ["photo:read", "photo:write", "not a scope"]
		}`, server.URL)
	}))
	defer server.Close()

	client := metadata.Client{} // with a CacheDir, a second run would ask nothing
	as, err := client.AuthorizationServer(context.Background(), server.URL)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(as.ScopesSupported.State, as.ScopesSupported.Scopes.Slice())
	for _, warning := range as.Source.Warnings {
		fmt.Println("warning:", warning)
	}
	// Output:
	// list [photo:read photo:write]
	// warning: left out of scopes_supported: 1 malformed scope (RFC 6749 §3.3), the first: "not a scope"
}

// A gateway stands in front of the API and adds a challenge of its own.
func ExampleParseChallenges() {
	header := http.Header{}
	header.Add("WWW-Authenticate", `Negotiate YIIB==, Bearer error="insufficient_scope", scope="photo:write"`)
	for _, challenge := range metadata.ParseChallenges(header) {
		fmt.Printf("%s: error %q, scope %q\n", challenge.Scheme, challenge.ErrorCode(), challenge.Scope())
	}
	// Output:
	// Negotiate: error "", scope ""
	// Bearer: error "insufficient_scope", scope "photo:write"
}
