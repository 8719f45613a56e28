package oauth

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"golang.org/x/oauth2"
)

func orNothing(offered []string) string {
	if len(offered) == 0 {
		return "nothing"
	}
	return text.Quoted(offered)
}

// supportsPublicClient checks that the server takes a client without a secret, and
// the code flow with PKCE S256. A list that is absent rules nothing out: RFC 8414 §2
// names defaults that would, and servers that work leave the lists out all the same.
func supportsPublicClient(server *metadata.AuthorizationServer) error {
	for _, rule := range []struct {
		field, need string
		offered     []string
	}{
		{"token_endpoint_auth_methods_supported", "none", server.TokenEndpointAuthMethodsSupported},
		{"response_types_supported", "code", server.ResponseTypesSupported},
		{"code_challenge_methods_supported", "S256", server.CodeChallengeMethodsSupported},
		{"grant_types_supported", "authorization_code", server.GrantTypesSupported},
	} {
		if rule.offered != nil && !slices.Contains(rule.offered, rule.need) {
			return &ProtocolError{Problem: fmt.Sprintf("the server offers %s for %s, and a public client needs %q", orNothing(rule.offered), rule.field, rule.need)}
		}
	}
	return nil
}

// clientConfig is x/oauth2's view of the client. The style of authentication is
// fixed: left to itself the library finds it by sending a failing request twice, and
// that burns codes and refresh tokens. A public client sends its id in the body (RFC
// 6749 §3.2.1).
func clientConfig(server *metadata.AuthorizationServer, clientID, redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:    clientID,
		RedirectURL: redirectURI,
		Endpoint: oauth2.Endpoint{
			AuthURL:   server.AuthorizationEndpoint,
			TokenURL:  server.TokenEndpoint,
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}
