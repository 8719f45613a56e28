package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
	"github.com/luikyv/go-oidc/pkg/provider"
)

// A server is one authorization server: the one that knows every region, or that of
// a region, which has the API on its origin as well.
type server struct {
	*Sandbox
	name     string
	region   string // "" for the one that knows every region
	origin   string // its issuer
	view     view
	resource string // its own RFC 9728 document; "" where it has none
	library  http.Handler
}

// clientScope is the one scope that the library knows. It stands for all of them:
// clamping, rejecting and naming scopes is the consent's work.
const clientScope = "any"

// sessionSeconds is how long a consent page may lie open.
const sessionSeconds = 30 * 60

func (sv *server) useLibrary() error {
	s := sv.shape
	clients, err := sv.clients()
	if err != nil {
		return err
	}
	trimmed := func(member string) string { return strings.TrimSuffix(s.endpointPath(member), "/") }
	library, err := provider.New(sv.origin, sv.view, sv.signingKeys,
		provider.WithAuthCodeGrant(sv.view),
		provider.WithAuthCodeLifetime(s.Tokens.CodeSeconds),
		provider.WithDeviceGrant(sv.view, sv.promptForCode, sv.confirmDevice),
		provider.WithAuthSessionLifetime(sessionSeconds),
		provider.WithRefreshTokenGrant(sv.view),
		provider.WithRefreshTokenRotation(),
		provider.WithRefreshTokenLifetime(s.Tokens.RefreshSeconds),
		provider.WithRefreshTokenFunc(func(context.Context) string { return random(s.Tokens.RefreshPrefix) }),
		provider.WithRefreshTokenShouldIssue(func(context.Context, *goidc.Client, *goidc.Grant) bool { return !sv.misbehaves(kindNoRefresh) }),
		provider.WithOpaqueTokens(sv.view),
		provider.WithOpaqueTokenFunc(func(context.Context, *goidc.Grant) string { return random(s.Tokens.AccessPrefix) }),
		provider.WithTokenOptions(sv.tokenOptions),
		provider.WithGrantHandler(noteRefresh),
		provider.WithTokenHandler(neverWiden),
		provider.WithNoneAuthn(),
		provider.WithSecretBasicAuthn(),
		provider.WithSecretPostAuthn(),
		provider.WithPKCERequired(goidc.CodeChallengeMethodSHA256),
		provider.WithScopes(goidc.NewDynamicScope(clientScope, func(string) bool { return true })),
		provider.WithStaticClients(clients[0], clients[1:]...),
		provider.WithDCR(registrar{sv}),
		provider.WithDCREndpoint(trimmed("registration_endpoint")),
		provider.WithLocalhostRedirectURIs(),
		provider.WithPolicies(goidc.NewPolicy("consent", sv.begin, sv.decide)),
		provider.WithTokenRevocation(func(context.Context, *goidc.Client) bool { return true }),
		provider.WithTokenRevocationRevokeGrantOnAccessToken(),
		provider.WithIDTokenClaims(sv.idTokenClaims),
		provider.WithUserInfoClaims(sv.userInfoClaims),
		provider.WithErrorRenderer(sv.errorPage),
		provider.WithJTIConsumer(func(context.Context, string) error { return nil }), // nothing here takes a JWT
		provider.WithAuthorizeEndpoint(trimmed("authorization_endpoint")),
		provider.WithTokenEndpoint(trimmed("token_endpoint")),
		provider.WithTokenRevocationEndpoint(trimmed("revocation_endpoint")),
		provider.WithUserInfoEndpoint(trimmed("userinfo_endpoint")),
		provider.WithJWKSEndpoint(trimmed("jwks_uri")),
	)
	if err != nil {
		return fmt.Errorf("authorization server %s: %w", sv.name, err)
	}
	sv.library = library.Handler()
	return nil
}

// clients registers each application: public (RFC 6749 §2.1), with exactly the
// redirect URIs that the provider file names.
func (sv *server) clients() ([]*goidc.Client, error) {
	var clients []*goidc.Client
	for _, name := range sv.shape.applicationNames() {
		app := sv.shape.Applications[name]
		clients = append(clients, &goidc.Client{ID: app.IDs[sv.name], ClientMeta: goidc.ClientMeta{
			Name:             app.Title,
			RedirectURIs:     sv.redirectURIs(),
			GrantTypes:       []goidc.GrantType{goidc.GrantAuthorizationCode, goidc.GrantRefreshToken, goidc.GrantDeviceCode},
			ResponseTypes:    []goidc.ResponseType{goidc.ResponseTypeCode},
			ScopeIDs:         clientScope,
			TokenAuthnMethod: goidc.AuthnMethodNone,
		}})
	}
	if len(clients) == 0 {
		return nil, fmt.Errorf("authorization server %s: the shape has no application", sv.name)
	}
	return clients, nil
}

// applicationOf finds an application by the client_id that it has here.
func (sv *server) applicationOf(clientID string) (name string, app application) {
	for _, name := range sv.shape.applicationNames() {
		if app := sv.shape.Applications[name]; app.IDs[sv.name] == clientID {
			return name, app
		}
	}
	if app := sv.store.application(clientID); app.IDs[sv.name] == clientID {
		return clientID, app // it was registered
	}
	return "", application{}
}

// refreshedKey marks a grant that was refreshed.
const refreshedKey = "refreshed"

func noteRefresh(_ context.Context, how goidc.GrantType, g *goidc.Grant) error {
	if how == goidc.GrantRefreshToken {
		g.Store[refreshedKey] = true
	}
	return nil
}

func (sv *server) tokenOptions(_ context.Context, g *goidc.Grant, _ *goidc.Client) goidc.TokenOptions {
	refreshed, _ := g.Store[refreshedKey].(bool)
	if sv.misbehaves(kindShortLived) && !refreshed {
		return goidc.NewOpaqueTokenOptions(sv.shape.Tokens.ShortSeconds)
	}
	return goidc.NewOpaqueTokenOptions(sv.shape.Tokens.AccessSeconds)
}

// neverWiden holds a token to its grant (RFC 6749 §6): the library takes any scope of
// the token request where the grant has none.
func neverWiden(_ context.Context, t *goidc.Token, g *goidc.Grant) error {
	t.Scopes = strings.Join(both(strings.Fields(t.Scopes), strings.Fields(g.Scopes)), " ")
	return nil
}

// idTokenClaims adds who the person is, and the sandbox's own time.
func (sv *server) idTokenClaims(ctx context.Context, g *goidc.Grant) map[string]any {
	claims := sv.userInfoClaims(ctx, g)
	issued := sv.now().Unix()
	claims["iat"], claims["exp"] = issued, issued+int64(sv.shape.Tokens.AccessSeconds)
	return claims
}

func (sv *server) userInfoClaims(_ context.Context, g *goidc.Grant) map[string]any {
	claims, person := map[string]any{}, consentOf(g.Store).Person
	if contains(strings.Fields(g.Scopes), "email") {
		claims["email"], claims["email_verified"] = person.Email, true
	}
	if contains(strings.Fields(g.Scopes), "profile") {
		claims["given_name"] = person.FirstName
	}
	return claims
}
