package metadata

import "github.com/ambit-auth/ambit/internal/guard"

// AuthorizationServer is an authorization server's metadata (RFC 8414 §2,
// OpenID Connect Discovery 1.0 §3). A URL in it is empty if the server did
// not give it, and has passed [CheckURL] if it did. A list is nil if the server
// did not give it; the default that the RFC names for that case is not filled in.
type AuthorizationServer struct {
	Issuer                      string // issuer, as the document writes it
	AuthorizationEndpoint       string // authorization_endpoint, never empty
	TokenEndpoint               string // token_endpoint, never empty
	RevocationEndpoint          string // revocation_endpoint (RFC 7009)
	IntrospectionEndpoint       string // introspection_endpoint (RFC 7662)
	RegistrationEndpoint        string // registration_endpoint (RFC 7591)
	DeviceAuthorizationEndpoint string // device_authorization_endpoint (RFC 8628)
	UserinfoEndpoint            string // userinfo_endpoint (OpenID Connect)
	EndSessionEndpoint          string // end_session_endpoint (OpenID Connect)
	JWKSURI                     string // jwks_uri

	ScopesSupported                           ScopesSupported // scopes_supported
	ResponseTypesSupported                    []string        // response_types_supported
	ResponseModesSupported                    []string        // response_modes_supported
	GrantTypesSupported                       []string        // grant_types_supported; absent means authorization_code and implicit
	TokenEndpointAuthMethodsSupported         []string        // token_endpoint_auth_methods_supported; absent means client_secret_basic
	RevocationEndpointAuthMethodsSupported    []string        // revocation_endpoint_auth_methods_supported
	IntrospectionEndpointAuthMethodsSupported []string        // introspection_endpoint_auth_methods_supported
	CodeChallengeMethodsSupported             []string        // code_challenge_methods_supported (RFC 7636); absent means no PKCE
	IDTokenSigningAlgValuesSupported          []string        // id_token_signing_alg_values_supported (OpenID Connect)

	// AuthorizationResponseISSParameterSupported is
	// authorization_response_iss_parameter_supported (RFC 9207 §3): if
	// true, an authorization response without iss is to be refused.
	AuthorizationResponseISSParameterSupported bool

	ServiceDocumentation string // service_documentation, a page for people
	OPPolicyURI          string // op_policy_uri, a page for people
	OPTOSURI             string // op_tos_uri, a page for people

	Source Source // where the document came from, and warnings
}

// ParseAuthorizationServer reads and validates the document of issuer. It does no
// I/O; of Source it fills in only Warnings. The error is an [Error]: of KindUsage for
// a bad issuer, of KindInvalid, with [FieldErrors] in it, for a bad document.
func ParseAuthorizationServer(raw []byte, issuer string) (*AuthorizationServer, error) {
	asked, err := parseIssuer(issuer)
	if err != nil {
		return nil, err
	}
	d := decodeDocument(raw, guard.PointsHere(asked.Hostname()))
	as := &AuthorizationServer{
		Issuer:                      d.identity("issuer", issuer),
		AuthorizationEndpoint:       d.required("authorization_endpoint"),
		TokenEndpoint:               d.required("token_endpoint"),
		RevocationEndpoint:          d.endpoint("revocation_endpoint"),
		IntrospectionEndpoint:       d.endpoint("introspection_endpoint"),
		RegistrationEndpoint:        d.endpoint("registration_endpoint"),
		DeviceAuthorizationEndpoint: d.endpoint("device_authorization_endpoint"),
		UserinfoEndpoint:            d.endpoint("userinfo_endpoint"),
		EndSessionEndpoint:          d.endpoint("end_session_endpoint"),
		JWKSURI:                     d.endpoint("jwks_uri"),

		ScopesSupported:                           d.scopes("scopes_supported"),
		ResponseTypesSupported:                    d.expected("response_types_supported"),
		ResponseModesSupported:                    d.list("response_modes_supported"),
		GrantTypesSupported:                       d.list("grant_types_supported"),
		TokenEndpointAuthMethodsSupported:         d.list("token_endpoint_auth_methods_supported"),
		RevocationEndpointAuthMethodsSupported:    d.list("revocation_endpoint_auth_methods_supported"),
		IntrospectionEndpointAuthMethodsSupported: d.list("introspection_endpoint_auth_methods_supported"),
		CodeChallengeMethodsSupported:             d.list("code_challenge_methods_supported"),
		IDTokenSigningAlgValuesSupported:          d.list("id_token_signing_alg_values_supported"),

		AuthorizationResponseISSParameterSupported: d.flag("authorization_response_iss_parameter_supported"),

		ServiceDocumentation: d.link("service_documentation"),
		OPPolicyURI:          d.link("op_policy_uri"),
		OPTOSURI:             d.link("op_tos_uri"),
	}
	if err := d.err(issuer); err != nil {
		return nil, err
	}
	as.Source.Warnings = d.warnings
	return as, nil
}
