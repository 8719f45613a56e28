package credential

import (
	"time"

	"github.com/ambit-auth/ambit/scopes"
)

// A Credential is an access token or an API key, what is known of it, and what it
// takes to renew it. Treat one that came out of this package as read-only; copy it
// to change it.
type Credential struct {
	Access  Secret
	Refresh Secret // empty where it cannot be renewed

	Kind      scopes.Kind
	Prefix    string // what people may see of Access: at most four characters and ***; "" for nothing
	TokenType string // "Bearer" for a token (RFC 6750); "" for a key
	Source    string // where it was found, in words for people; not stored

	Issuer   string // of the authorization server that gave it; "" for a key
	ClientID string // to whom; "" for a key
	Server   string // the provider's name of the server that it is good for; "" where nobody said

	ExpiresAt  time.Time // zero where nobody said
	ObtainedAt time.Time

	Scopes        scopes.Set // as the server says; for KnownBy Assumed, as was asked
	Asked         scopes.Set // what the login asked for; empty for a key, and in what older versions stored
	KnownBy       scopes.KnownBy
	Teams         []string // projects within reach; none: all
	Organizations []string // organizations within reach; none: all

	// Hosts are those that the user trusted with it when it was obtained, in the form
	// of [provider.HostOf].
	Hosts []string

	// Lost is what the renewal that made this credential took away (a grant can
	// shrink there). Empty after a login; not stored.
	Lost scopes.Set
}

// Grant is what the credential holds, for [scopes.Compare].
func (c *Credential) Grant() scopes.Grant {
	return scopes.Grant{
		Credential: scopes.Credential{
			Kind: c.Kind, Prefix: c.Prefix, Source: c.Source, ExpiresAt: c.ExpiresAt, KnownBy: c.KnownBy,
		},
		Server: c.Server, Scopes: c.Scopes, Teams: c.Teams, Organizations: c.Organizations,
	}
}

// LivesAt reports whether it is still good at t, as far as anybody said.
func (c *Credential) LivesAt(t time.Time) bool {
	return c.ExpiresAt.IsZero() || t.Before(c.ExpiresAt)
}
