package provider

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Client is how this program is registered at the authorization server: without a secret (RFC
// 6749 §2.1, RFC 8252 §8.4), or with one that the user has.
type Client struct {
	ID        string                  // client_id for the servers that IDs does not name
	IDs       map[string]string       // client_id by server
	Secret    SecretSource            // of the client for the servers that Secrets does not name
	Secrets   map[string]SecretSource // by server
	Method    AuthMethod              // token_endpoint_auth_method; "" where the file does not say
	PKCE      bool                    // pkce: the server uses S256 (RFC 7636), also where its metadata does not say so
	Push      bool                    // require_pushed_authorization_requests (RFC 9126 §6)
	Redirect  Redirect
	Authorize []Parameter // extra parameters of the authorization request, in the file's order
	Resources []string    // whom a token is for (RFC 8707), where the manifest names no resource: URLs, {base} allowed
}

// IDFor is the client_id at the named server; "" where none is known.
func (c Client) IDFor(server string) string {
	if id, ok := c.IDs[server]; ok {
		return id
	}
	return c.ID
}

// IsDocument reports whether a client id is the URL of a document that describes the client (OAuth
// Client ID Metadata Document): the same at every server that reads it.
func IsDocument(clientID string) bool { return strings.HasPrefix(clientID, "https://") }

// SecretFor is where the client's secret for the named server is; the zero source where it has none.
func (c Client) SecretFor(server string) SecretSource {
	if source, ok := c.Secrets[server]; ok {
		return source
	}
	return c.Secret
}

// SecretVariables are the environment variables that hold secrets of the client, sorted.
func (c Client) SecretVariables() []string {
	var names []string
	for _, source := range append(slices.Collect(maps.Values(c.Secrets)), c.Secret) {
		if source.Variable != "" {
			names = append(names, source.Variable)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A SecretSource says where the secret of a client is. The secret itself stands in no file that
// people share. The zero source is that of a client without one.
type SecretSource struct {
	Variable string // of the environment
	File     string // its path; one that begins with ~/ is in the user's home
	Keyring  string // the account of an item that the user put into the system's keyring
}

// String names the source for people.
func (s SecretSource) String() string {
	switch {
	case s.Variable != "":
		return "the variable " + s.Variable
	case s.File != "":
		return "the file " + strconv.Quote(s.File)
	case s.Keyring != "":
		return "the keyring's item " + strconv.Quote(s.Keyring)
	}
	return "nowhere"
}

// An AuthMethod is how a client authenticates itself at the token endpoint (RFC 7591 §2).
type AuthMethod string

// The methods that are understood.
const (
	AuthNone  AuthMethod = "none"                // a public client only says its id
	AuthBasic AuthMethod = "client_secret_basic" // HTTP Basic
	AuthPost  AuthMethod = "client_secret_post"  // the secret in the request's body
)

// AuthMethods are the words for them.
func AuthMethods() []string { return []string{string(AuthNone), string(AuthBasic), string(AuthPost)} }
