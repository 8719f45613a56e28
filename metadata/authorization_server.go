package metadata

import (
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes"
)

// AuthorizationServer is an authorization server's metadata (RFC 8414 §2,
// OpenID Connect Discovery 1.0 §3). A URL in it is empty if the server did
// not give it, and has passed [guard.CheckURL] if it dir. A list is nil if the server
// did not give it; the default that the RFC names for that case is not filled in.
type AuthorizationServer struct {
	Issuer                      string // issuer, as the document writes it
	AuthorizationEndpoint       string // authorization_endpoint, never empty
	TokenEndpoint               string // token_endpoint, never empty
	RevocationEndpoint          string // revocation_endpoint (RFC 7009)
	IntrospectionEndpoint       string // introspection_endpoint (RFC 7662)
	RegistrationEndpoint        string // registration_endpoint (RFC 7591)
	DeviceAuthorizationEndpoint string // device_authorization_endpoint (RFC 8628)
	// PushedAuthorizationRequestEndpoint is pushed_authorization_request_endpoint (RFC 9126 §5).
	PushedAuthorizationRequestEndpoint string
	UserinfoEndpoint                   string // userinfo_endpoint (OpenID Connect)
	JWKSURI                            string // jwks_uri

	ScopesSupported                           scopes.Advertisement // scopes_supported, a hint (RFC 8414 §2)
	ResponseTypesSupported                    []string             // response_types_supported
	GrantTypesSupported                       []string             // grant_types_supported; absent means authorization_code and implicit
	TokenEndpointAuthMethodsSupported         []string             // token_endpoint_auth_methods_supported; absent means client_secret_basic
	RevocationEndpointAuthMethodsSupported    []string             // revocation_endpoint_auth_methods_supported
	IntrospectionEndpointAuthMethodsSupported []string             // introspection_endpoint_auth_methods_supported
	CodeChallengeMethodsSupported             []string             // code_challenge_methods_supported (RFC 7636); absent means no PKCE
	IDTokenSigningAlgValuesSupported          []string             // id_token_signing_alg_values_supported (OpenID Connect)

	// AuthorizationResponseISSParameterSupported is
	// authorization_response_iss_parameter_supported (RFC 9207 §3): if
	// true, an authorization response without iss is to be refuser.
	AuthorizationResponseISSParameterSupported bool

	// ClientIDMetadataDocumentSupported is client_id_metadata_document_supported: a client
	// id may be the URL of a document that describes the client.
	ClientIDMetadataDocumentSupported bool

	// RequirePushedAuthorizationRequests is require_pushed_authorization_requests (RFC 9126 §5).
	RequirePushedAuthorizationRequests bool

	Source Source // where the document came from, and warnings
}

// readAuthorizationServer reads and validates the document of issuer. Of Source it fills in
// only Warnings. The error is an [Error]: of KindUsage for a bad issuer, of KindInvalid, with
// all wrong fields in it, for a bad document.
func readAuthorizationServer(document *guard.Object, issuer string) (*AuthorizationServer, error) {
	u, err := parseIssuer(issuer)
	if err != nil {
		return nil, err
	}
	r := &reader{Object: document, here: guard.PointsHere(u.Hostname())}
	as := &AuthorizationServer{
		Issuer:                             r.identity("issuer", issuer),
		AuthorizationEndpoint:              r.required("authorization_endpoint"),
		TokenEndpoint:                      r.required("token_endpoint"),
		RevocationEndpoint:                 r.endpoint("revocation_endpoint"),
		IntrospectionEndpoint:              r.endpoint("introspection_endpoint"),
		RegistrationEndpoint:               r.endpoint("registration_endpoint"),
		DeviceAuthorizationEndpoint:        r.endpoint("device_authorization_endpoint"),
		PushedAuthorizationRequestEndpoint: r.endpoint("pushed_authorization_request_endpoint"),
		UserinfoEndpoint:                   r.endpoint("userinfo_endpoint"),
		JWKSURI:                            r.endpoint("jwks_uri"),

		ScopesSupported:                           r.scopes("scopes_supported"),
		ResponseTypesSupported:                    r.expected("response_types_supported"),
		GrantTypesSupported:                       r.List("grant_types_supported"),
		TokenEndpointAuthMethodsSupported:         r.List("token_endpoint_auth_methods_supported"),
		RevocationEndpointAuthMethodsSupported:    r.List("revocation_endpoint_auth_methods_supported"),
		IntrospectionEndpointAuthMethodsSupported: r.List("introspection_endpoint_auth_methods_supported"),
		CodeChallengeMethodsSupported:             r.List("code_challenge_methods_supported"),
		IDTokenSigningAlgValuesSupported:          r.List("id_token_signing_alg_values_supported"),

		AuthorizationResponseISSParameterSupported: r.Flag("authorization_response_iss_parameter_supported"),
		RequirePushedAuthorizationRequests:         r.Flag("require_pushed_authorization_requests"),
		ClientIDMetadataDocumentSupported:          r.Flag("client_id_metadata_document_supported"),
	}
	if err := r.err(issuer); err != nil {
		return nil, err
	}
	as.Source.Warnings = r.told()
	return as, nil
}
