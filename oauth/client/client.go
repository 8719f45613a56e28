// Package client is who asks an authorization server: a registered client, its secret where it has
// one, and how it authenticates itself at the endpoints that want to know (RFC 6749 §2.3).
package client

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// A Client is one that a server knows by its id. The zero Method is that of a public client.
type Client struct {
	ID     string
	Secret credential.Secret // empty for a public client
	Method provider.AuthMethod

	// ByServer says that the server itself set the method, when it registered the client.
	ByServer bool

	// Ahead is by how much the clock of this machine is ahead of the server's, where that is known.
	Ahead time.Duration

	// Assert makes what proves who it is, for one request (RFC 7523 §2.2): see [Proving] and
	// [Vouched]. nil where a secret does that, or nothing.
	Assert func(ahead time.Duration) string
}

// Public is a client without a secret (RFC 6749 §2.1).
func Public(id string) Client { return Client{ID: id, Method: provider.AuthNone} }

// Style is how the client authenticates itself. One that has no secret cannot.
func (c Client) Style() provider.AuthMethod {
	if c.Assert != nil {
		return provider.AuthKey
	}
	if c.Secret.Empty() || c.Method == "" {
		return provider.AuthNone
	}
	return c.Method
}

// MethodFor is how a client with a secret is to authenticate itself: as the first that says so of
// those who know (the provider's file, then the client's registration), else as the server's
// metadata lists, else by HTTP Basic, which every server takes (RFC 6749 §2.3.1). It is fixed
// before a request is sent: to find it by trying would spend codes and refresh tokens.
func MethodFor(listed []string, known ...provider.AuthMethod) provider.AuthMethod {
	for _, method := range known {
		if method != "" {
			return method
		}
	}
	for _, method := range []provider.AuthMethod{provider.AuthBasic, provider.AuthPost} {
		if slices.Contains(listed, string(method)) {
			return method
		}
	}
	return provider.AuthBasic
}

// Authenticate says in a request who asks: in its header, or among the members of its body.
func (c Client) Authenticate(header http.Header, member func(name, value string)) {
	switch c.Style() {
	case provider.AuthBasic:
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret.Reveal())) // RFC 6749 §2.3.1, appendix B
		return
	case provider.AuthPost:
		member("client_secret", c.Secret.Reveal())
	case provider.AuthKey:
		for name, values := range c.Assertion() {
			member(name, values[0])
		}
	}
	if c.ID != "" {
		member("client_id", c.ID) // RFC 6749 §3.2.1
	}
}

// Assertion are the members of a request that prove who asks (RFC 7523 §2.2), new at each call; nil
// where nothing is signed.
func (c Client) Assertion() url.Values {
	if c.Assert == nil {
		return nil
	}
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {c.Assert(c.Ahead)}}
}

// OwnConfig is x/oauth2's view of the client where it asks for a token of its own (RFC 6749 §4.4).
func (c Client) OwnConfig(token string, asked []string) *clientcredentials.Config {
	config := c.Config("", token, "")
	return &clientcredentials.Config{
		ClientID: config.ClientID, ClientSecret: config.ClientSecret, TokenURL: token, Scopes: asked, AuthStyle: config.Endpoint.AuthStyle,
	}
}

// Config is x/oauth2's view of the client for its requests to a server: [Client.Authenticate] in
// the library's own words, but for [Client.Assertion], for which it has none. The style is fixed: left to itself, the library sends a failing request
// twice.
func (c Client) Config(authorize, token, redirectURI string) *oauth2.Config {
	config := &oauth2.Config{
		ClientID: c.ID, RedirectURL: redirectURI,
		Endpoint: oauth2.Endpoint{AuthURL: authorize, TokenURL: token, AuthStyle: oauth2.AuthStyleInParams},
	}
	switch c.Style() {
	case provider.AuthBasic:
		config.ClientSecret, config.Endpoint.AuthStyle = c.Secret.Reveal(), oauth2.AuthStyleInHeader
	case provider.AuthPost:
		config.ClientSecret = c.Secret.Reveal()
	}
	return config
}
