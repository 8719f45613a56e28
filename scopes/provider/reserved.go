package provider

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// insteadOf says what to write in place of a word under a server that looks like a base and means
// something else; "" for every other word.
func insteadOf(word string) string {
	word = snake(word)
	if where, is := elsewhere[word]; is {
		return fmt.Sprintf("it belongs elsewhere in the file, as %s", where)
	}
	if why, is := unread[word]; is {
		return why
	}
	if meant := meantEndpoint(word); meant != "" {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	return ""
}

// snake is a word in the style of this file: tokenUrl and token-url are token_url.
func snake(word string) string {
	var b strings.Builder
	before := rune(0)
	for _, r := range word {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.ReplaceAll(b.String(), "-", "_")
}

// elsewhere are words of the provider itself and of its client, by how they are written there.
var elsewhere = map[string]string{
	"use": "provider: {use: NAME}", "parameters": "parameters: {host: …}", "servers": "servers: {NAME: {issuer: …}}", "bases": "bases: {NAME: URL}",
	"default_server": "default_server: NAME", "server_from": "server_from: MEMBER", "client": "client: {id: …}", "credentials": "credentials: [{kind: …}]",
	"scopes": "scopes: {listed: …} of the provider, or here as scopes_supported: […]", "whoami": "whoami: {url: …, name: …}", "implies": "implies: [{scope: …, covers: […]}]",
	"errors": "errors: [{status: …, means: …}]", "refusal_body": "refusal_body: {BASE: …}", "starter": "starter: …", "token_response": "token_response: {tokens: […]}",
	"id": "client: {id: …}", "client_id": "client: {id: …}", "secret": "client: {secret: {variable: NAME}}", "client_secret": "client: {secret: {variable: NAME}}",
	"private_key": "client: {private_key: {file: PATH}}", "assertion": "client: {assertion: {file: PATH}}", "token_endpoint_auth_method": "client: {token_endpoint_auth_method: …}",
	"grant": "client: {grant: …}", "pkce": "client: {pkce: S256}", "redirect": "client: {redirect: {host: …, path: …}}", "redirect_uri": "client: {redirect: {host: …, path: …}}",
	"redirect_url": "client: {redirect: {host: …, path: …}}", "callback_url": "client: {redirect: {host: …, path: …}}", "callback_uri": "client: {redirect: {host: …, path: …}}",
	"whoami_url": "whoami: {url: …, name: …}", "scope_separator": "scopes: {separator: {request: …, response: …}}", "token_auth_method": "client: {token_endpoint_auth_method: …}",
	"authorize": "client: {authorize: {NAME: VALUE}}, or authorization_endpoint", "resource": "client: {resource: …}",
	"token_request": "client: {token_request: {NAME: VALUE}}", "require_pushed_authorization_requests": "client: {require_pushed_authorization_requests: true}", "separator": "scopes: {separator: {response: …}}",
	"inspect": "credentials: [{kind: …, inspect: …}]", "programs": "credentials: [{kind: …, programs: …}]", "revoke": "credentials: [{kind: …, revoke: …}], or revocation_endpoint",
}

// unread are members of metadata (RFC 8414 §2, OpenID Connect Discovery §3) that a file does not give
// under these names.
var unread = map[string]string{
	"code_challenge_methods_supported":           "that a server uses PKCE is written as client: {pkce: S256}",
	"token_endpoint_auth_methods_supported":      "how the client authenticates itself is written as client: {token_endpoint_auth_method: …}",
	"grant_types_supported":                      "what a server has an endpoint for, it is asked for; a client that gets a token for itself is client: {grant: client_credentials}",
	"client_id_metadata_document_supported":      "such a client is written as client: {id: https://…}",
	"response_types_supported":                   "every login is by a code (RFC 6749 §4.1)",
	"response_modes_supported":                   "every response comes in the query (RFC 6749 §4.1.2)",
	"end_session_endpoint":                       "a logout revokes the credential, at the revocation_endpoint",
	"logout_url":                                 "a logout revokes the credential, at the revocation_endpoint",
	"service_documentation":                      "pages for people are not read",
	"op_policy_uri":                              "pages for people are not read",
	"op_tos_uri":                                 "pages for people are not read",
	"signed_metadata":                            "the file itself says what the server is",
	"check_session_iframe":                       "sessions of a browser are not watched",
	"mtls_endpoint_aliases":                      "certificates of clients are not used",
	"protected_resources":                        "a resource is a base: NAME: https://…",
	"tls_client_certificate_bound_access_tokens": "certificates of clients are not used",
	"require_request_uri_registration":           "a request object is not used",
}

// meantEndpoint is the endpoint, or the issuer, that a word in the style of another program names.
func meantEndpoint(plain string) string {
	for _, end := range []string{"_endpoint_url", "_endpoint_uri", "_endpoint", "_url", "_uri"} {
		stem, cut := strings.CutSuffix(plain, end)
		if !cut || slices.Contains(serverWords(), plain) {
			continue
		}
		stem = strings.TrimPrefix(stem, "oauth_")
		for endpoint, stems := range endpointStems {
			if slices.Contains(stems, stem) {
				return endpoint
			}
		}
	}
	if slices.Contains(bareStems, plain) {
		return meantEndpoint(plain + "_url")
	}
	return ""
}

// endpointStems are words for each endpoint, without what they end with.
var endpointStems = map[string][]string{
	"authorization_endpoint":                {"auth", "authorize", "authorise", "authorization", "authorisation", "authorizer", "authenticate", "authentication", "login"},
	"token_endpoint":                        {"token", "tokens", "access_token", "exchange", "refresh", "refresh_token"},
	"device_authorization_endpoint":         {"device", "device_code", "device_auth", "device_authorize", "device_authorisation", "device_authorization", "device_verification"},
	"introspection_endpoint":                {"introspect", "introspection", "token_introspection", "token_info", "tokeninfo"},
	"jwks_uri":                              {"jwks", "jwk", "jwk_set"},
	"pushed_authorization_request_endpoint": {"par", "pushed_authorization", "pushed_authorization_request"},
	"registration_endpoint":                 {"register", "registration", "client_registration"},
	"revocation_endpoint":                   {"revoke", "revocation", "token_revocation"},
	"userinfo_endpoint":                     {"userinfo", "user_info", "profile", "user_profile"},
	IssuerBase:                              {"issuer", "isuer", "isser", "issure", "discovery", "well_known", "openid_configuration", "oidc", "metadata"},
}

// bareStems are those that name no base either when nothing follows them.
var bareStems = []string{"authorization", "authorisation", "token", "access_token", "device_code", "device_authorization", "device_authorisation", "isuer", "isser", "issure", "introspection", "introspect", "jwks", "par", "revocation", "revoke", "userinfo", "openid_configuration", "well_known"}
