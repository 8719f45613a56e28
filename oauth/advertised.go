package oauth

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
)

// CheckServer returns why no login can be made at a server: the [metadata.AuthorizationServer.NoLogin]
// of its document, or a *[ProtocolError]. It has no page for one; it does not say that it uses PKCE with S256 (RFC 7636), so that a login would not be safe, and
// the provider's file does not say so either (pkce); or requests have to be pushed (RFC 9126; push: the provider's file says
// so), and it names no place for them. The other lists of the metadata are hints: they are often too
// short, and what the user named is tried.
func CheckServer(server *metadata.AuthorizationServer, push, pkce bool) error {
	offered := server.CodeChallengeMethodsSupported
	switch {
	case server.NoLogin != nil:
		return server.NoLogin
	case server.AuthorizationEndpoint == "":
		return &ProtocolError{Problem: "there is no page on which anybody could agree: neither the server's metadata nor the provider file has an authorization_endpoint"}
	case slices.Contains(offered, "S256"), offered == nil && pkce:
		return checkPush(server, push)
	case offered == nil:
		return &ProtocolError{Problem: "the server's metadata does not say that it uses PKCE (no code_challenge_methods_supported), and without it a code that gets into other hands is as good as a login; " +
			"if you know that it does, add pkce: S256 to client in the provider file"}
	}
	return &ProtocolError{Problem: "the server offers " + orNothing(offered) + ` for code_challenge_methods_supported, and a login needs "S256"`}
}

func orNothing(offered []string) string {
	if len(offered) == 0 {
		return "nothing"
	}
	return text.Quoted(offered)
}

// whatIsListed is what the server's metadata had said of that which an error code refuses: the
// lists are hints, but where the server refuses, they may tell why. It is "" where they do not,
// and where the server itself set how a client authenticates itself.
func whatIsListed(server *metadata.AuthorizationServer, code, grant string, who client.Client) string {
	methods := server.TokenEndpointAuthMethodsSupported
	if who.ByServer {
		methods = nil
	}
	for _, hint := range []struct {
		codes       []string
		field, used string
		offered     []string
	}{
		{[]string{"invalid_client"}, "token_endpoint_auth_methods_supported", string(who.Style()), methods},
		{[]string{"unsupported_grant_type", "unauthorized_client"}, "grant_types_supported", grant, server.GrantTypesSupported},
		{[]string{"unsupported_response_type", "unauthorized_client"}, "response_types_supported", "code", server.ResponseTypesSupported},
	} {
		if slices.Contains(hint.codes, code) && hint.offered != nil && !slices.Contains(hint.offered, hint.used) {
			return fmt.Sprintf("its metadata has %s for %s, and not %q", orNothing(hint.offered), hint.field, hint.used)
		}
	}
	return ""
}
