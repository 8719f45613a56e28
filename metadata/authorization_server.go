package metadata

import (
	"errors"
	"maps"
	"slices"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
)

// AuthorizationServer is an authorization server's metadata (RFC 8414 §2,
// OpenID Connect Discovery 1.0 §3). A URL in it is empty if the server did
// not give it, and has passed [guard.CheckURL] if it dir. A list is nil if the server
// did not give it; the default that the RFC names for that case is not filled in.
type AuthorizationServer struct {
	Issuer                      string // issuer, as the document writes it
	AuthorizationEndpoint       string // authorization_endpoint; "" where the server has none, and gives tokens to clients alone
	TokenEndpoint               string // token_endpoint, never empty
	RevocationEndpoint          string // revocation_endpoint (RFC 7009)
	IntrospectionEndpoint       string // introspection_endpoint (RFC 7662)
	RegistrationEndpoint        string // registration_endpoint (RFC 7591)
	DeviceAuthorizationEndpoint string // device_authorization_endpoint (RFC 8628)
	// PushedAuthorizationRequestEndpoint is pushed_authorization_request_endpoint (RFC 9126 §5).
	PushedAuthorizationRequestEndpoint string
	UserinfoEndpoint                   string // userinfo_endpoint (OpenID Connect)
	JWKSURI                            string // jwks_uri

	ScopesSupported                   scopes.Advertisement // scopes_supported, a hint (RFC 8414 §2)
	ResponseTypesSupported            []string             // response_types_supported
	GrantTypesSupported               []string             // grant_types_supported; absent means authorization_code and implicit
	TokenEndpointAuthMethodsSupported []string             // token_endpoint_auth_methods_supported; absent means client_secret_basic
	// TokenEndpointAuthSigningAlgValuesSupported is token_endpoint_auth_signing_alg_values_supported, by
	// which a client may sign who it is.
	TokenEndpointAuthSigningAlgValuesSupported []string
	RevocationEndpointAuthMethodsSupported     []string // revocation_endpoint_auth_methods_supported
	IntrospectionEndpointAuthMethodsSupported  []string // introspection_endpoint_auth_methods_supported
	CodeChallengeMethodsSupported              []string // code_challenge_methods_supported (RFC 7636); absent means no PKCE

	// AuthorizationResponseISSParameterSupported is
	// authorization_response_iss_parameter_supported (RFC 9207 §3): if
	// true, an authorization response without iss is to be refuser.
	AuthorizationResponseISSParameterSupported bool

	// ClientIDMetadataDocumentSupported is client_id_metadata_document_supported: a client
	// id may be the URL of a document that describes the client.
	ClientIDMetadataDocumentSupported bool

	// RequirePushedAuthorizationRequests is require_pushed_authorization_requests (RFC 9126 §5).
	RequirePushedAuthorizationRequests bool

	// NoLogin is why a login in a browser has no AuthorizationEndpoint to go to: the document has none, or
	// a wrong one, and does not say that its grants do without. Other clients need none. nil: nothing is wrong.
	NoLogin *Error

	Source Source // where the document came from, and warnings
}

// from says where the document came from.
func (as *AuthorizationServer) from(source Source) {
	source.Given = as.Source.Given
	if as.Source = source; as.NoLogin != nil && source.URL != "" {
		as.NoLogin.URL, as.NoLogin.Host = source.URL, hostOf(source.URL)
	}
}

// readAuthorizationServer reads and validates the document of issuer. Of Source it fills in
// only Warnings. The error is an [Error]: of KindUsage for a bad issuer, of KindInvalid, with
// all wrong fields in it, for a bad document.
func readAuthorizationServer(document *guard.Object, issuer string, given Given) (*AuthorizationServer, error) {
	u, err := parseIssuer(issuer)
	if err != nil {
		return nil, err
	}
	r := &reader{Object: document.With(given.Members), here: guard.PointsHere(u.Hostname()), given: given}
	as := &AuthorizationServer{
		Issuer:                             r.identity("issuer", issuer),
		AuthorizationEndpoint:              r.authorizationEndpoint(),
		TokenEndpoint:                      r.tokenEndpoint(),
		RevocationEndpoint:                 r.endpoint("revocation_endpoint"),
		IntrospectionEndpoint:              r.endpoint("introspection_endpoint"),
		RegistrationEndpoint:               r.endpoint("registration_endpoint"),
		DeviceAuthorizationEndpoint:        r.endpoint("device_authorization_endpoint"),
		PushedAuthorizationRequestEndpoint: r.endpoint("pushed_authorization_request_endpoint"),
		UserinfoEndpoint:                   r.endpoint("userinfo_endpoint"),
		JWKSURI:                            r.endpoint("jwks_uri"),

		ScopesSupported:                            r.scopes("scopes_supported"),
		ResponseTypesSupported:                     r.expected("response_types_supported"),
		GrantTypesSupported:                        r.List("grant_types_supported"),
		TokenEndpointAuthMethodsSupported:          r.List("token_endpoint_auth_methods_supported"),
		TokenEndpointAuthSigningAlgValuesSupported: r.List("token_endpoint_auth_signing_alg_values_supported"),
		RevocationEndpointAuthMethodsSupported:     r.List("revocation_endpoint_auth_methods_supported"),
		IntrospectionEndpointAuthMethodsSupported:  r.List("introspection_endpoint_auth_methods_supported"),
		CodeChallengeMethodsSupported:              r.List("code_challenge_methods_supported"),

		AuthorizationResponseISSParameterSupported: r.Flag("authorization_response_iss_parameter_supported"),
		RequirePushedAuthorizationRequests:         r.Flag("require_pushed_authorization_requests"),
		ClientIDMetadataDocumentSupported:          r.Flag("client_id_metadata_document_supported"),
	}
	err = r.err(issuer)
	if wrong, ok := errors.AsType[*Error](err); ok && len(r.wrong) == 1 && wrong.Field == "authorization_endpoint" {
		as.NoLogin, err = wrong, nil
	}
	if err != nil {
		return nil, err
	}
	as.Source.Warnings, as.Source.Remarks, as.Source.Given = r.told(), r.remarks, slices.Sorted(maps.Keys(given.Members))
	return as, nil
}

// authorizationEndpoint is required of a server with a grant that uses it (RFC 8414 §2).
func (r *reader) authorizationEndpoint() string {
	grants := r.List("grant_types_supported")
	interactive := grants == nil || slices.Contains(grants, "authorization_code") || slices.Contains(grants, "implicit")
	if !interactive || r.given.standsIn() {
		return r.endpoint("authorization_endpoint")
	}
	return r.required("authorization_endpoint")
}

// tokenEndpoint is required of every server but one at which nobody logs in: a file says that it has none.
func (r *reader) tokenEndpoint() string {
	if r.given.Alone && !r.given.has("token_endpoint") {
		return ""
	}
	return r.required("token_endpoint")
}

// A Given is what is known of an authorization server before it is asked. The zero value: nothing.
type Given struct {
	// Members are those of its metadata (RFC 8414 §2), as encoding/json has them. Each takes the
	// place of what the document says; where the server has no document, a token endpoint among
	// them makes them stand in for it.
	Members map[string]any
	// Alone says that the server has no document: none is requested.
	Alone bool
}

// standsIn reports whether a document can be done without.
func (g Given) standsIn() bool { return g.Alone || g.has("token_endpoint") }

func (g Given) has(member string) bool {
	_, given := g.Members[member]
	return given
}

// server is the server as it is known without a document.
func (g Given) server(issuer string) (*AuthorizationServer, error) {
	nothing, err := guard.ParseObject([]byte("{}"))
	if err != nil {
		return nil, err
	}
	g.Alone = true
	as, err := readAuthorizationServer(nothing.With(map[string]any{"issuer": issuer}), issuer, g)
	if err == nil {
		as.Source.From = FromFile
	}
	return as, err
}
