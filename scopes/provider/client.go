package provider

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// A Client is how this program is registered at the authorization server: without a secret (RFC
// 6749 §2.1, RFC 8252 §8.4), or with one that the user has.
type Client struct {
	ID        string                  // client_id for the servers that IDs does not name
	IDs       map[string]string       // client_id by server
	Secret    SecretSource            // of the client for the servers that Secrets does not name
	Secrets   map[string]SecretSource // by server
	Proof     Proof                   // what is at Secret and Secrets, where that is no secret of both sides
	KeyID     string                  // kid of the private key (RFC 7517 §4.5); "" where the key says, or none is needed
	ForToken  bool                    // assertion_audience: token_endpoint: what the client signs is for that, and not for the issuer
	CodeOnly  bool                    // device_secret: none: a login by a code for another device (RFC 8628) has no secret
	Method    AuthMethod              // token_endpoint_auth_method; "" where the file does not say
	Own       bool                    // grant: client_credentials: it gets a token for itself, without a person (RFC 6749 §4.4)
	PKCE      bool                    // pkce: the server uses S256 (RFC 7636), also where its metadata does not say so
	NoPKCE    bool                    // pkce: none: the server does not look at it; the secret that the client has protects its code
	Push      bool                    // require_pushed_authorization_requests (RFC 9126 §6)
	Token     scopes.Kind             // token: which of the tokens of a response is used; "" for the first
	Redirect  Redirect
	Authorize []Parameter // extra parameters of the authorization request, in the file's order
	Exchange  []Parameter // token_request: extra parameters of the request that gets a token for the person's consent
	Resources []string    // whom a token is for (RFC 8707), where the manifest names no resource: URLs, {base} allowed
}

// RedirectTo is the redirect URI of the client, or the loopback redirect of RFC 8252 §7.3 where the file names none.
func (c Client) RedirectTo() Redirect {
	if c.Redirect.Host == "" {
		return Redirect{Host: "127.0.0.1", Path: "/callback"}
	}
	return c.Redirect
}

// IDFor is the client_id at the named server; "" where none is known.
func (c Client) IDFor(server string) string {
	if id, ok := c.IDs[server]; ok {
		return id
	}
	return c.ID
}

// leave takes the ids and the secrets away for servers that stand on another host than before: a client
// is registered where it was.
func (c *Client) leave(before, now []Server) {
	for _, s := range now {
		i := slices.IndexFunc(before, func(o Server) bool { return o.Name == s.Name })
		if i < 0 || HostOf(before[i].Issuer) == HostOf(s.Issuer) || IsDocument(c.IDFor(s.Name)) {
			continue
		}
		c.IDs, c.Secrets = maps.Clone(c.IDs), maps.Clone(c.Secrets)
		if c.IDs == nil {
			c.IDs = make(map[string]string)
		}
		if c.Secrets == nil {
			c.Secrets = make(map[string]SecretSource)
		}
		c.IDs[s.Name], c.Secrets[s.Name] = "", SecretSource{}
	}
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

// ProtectsCode reports whether a code that gets into other hands is of no use there, whatever the server's
// metadata says: the file knows that the server uses PKCE, or that the client's secret stands in its place
// (RFC 9700 §2.1.1).
func (c Client) ProtectsCode(server string) bool {
	secret := c.SecretFor(server)
	return c.PKCE || c.NoPKCE && secret != SecretSource{} && secret.Public == ""
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

// A SecretSource says where the secret of a client is. One that is confidential stands in no file that
// people share. The zero source is that of a client without one.
type SecretSource struct {
	Variable string // of the environment
	File     string // its path; one that begins with ~/ is in the user's home
	Keyring  string // the account of an item that the user put into the system's keyring
	Public   string // the secret itself, where it keeps nothing safe: the service gives the same to everybody who installs the program (RFC 8252 §8.5)
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
	case s.Public != "":
		return "public_secret in the provider file"
	}
	return "nowhere"
}

// A Proof is what is kept in a [SecretSource].
type Proof string

// What can prove who a client is besides a secret.
const (
	ProofKey       Proof = "private_key" // with which the client signs who it is (RFC 7523 §2.2)
	ProofAssertion Proof = "assertion"   // that somebody else has signed, such as the platform of a pipeline
)

// An AuthMethod is how a client authenticates itself at the token endpoint (RFC 7591 §2).
type AuthMethod string

// The methods that are understood.
const (
	AuthNone  AuthMethod = "none"                // a public client only says its id
	AuthBasic AuthMethod = "client_secret_basic" // HTTP Basic
	AuthPost  AuthMethod = "client_secret_post"  // the secret in the request's body
	AuthKey   AuthMethod = "private_key_jwt"     // a JWT that the client has signed (OpenID Connect Core §9)
)

// AuthMethods are the words for those that a server can give a client which it registers.
func AuthMethods() []string { return []string{string(AuthNone), string(AuthBasic), string(AuthPost)} }

// Variables are the environment variables in which API keys are kept.
func (p *Provider) Variables() []string {
	var names []string
	for _, kind := range p.Credentials {
		names = append(names, kind.Env...)
	}
	return names
}
