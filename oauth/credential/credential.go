package credential

import (
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// KeyVariable is the environment variable that holds an API key for any provider.
const KeyVariable = "AMBIT_API_KEY"

// RenewAhead is how long before its end a credential is renewed: longer than the clocks of
// two machines differ, and than most requests take.
const RenewAhead = time.Minute

// A Credential is an access token or an API key, what it holds, and what it takes to
// renew it: the one value for it from the token response to the store, the proxy and the
// screen. Treat one that came out of this package as read-only; copy it to change it.
type Credential struct {
	Access  Secret
	Refresh Secret // empty where it cannot be renewed

	scopes.Grant // what Access holds, and how we know

	TokenType string // "Bearer" for a token (RFC 6750); "" for a key
	Issuer    string // of the authorization server that gave it; "" for a key
	ClientID  string // to whom; "" for a key
	Own       bool   // the client got it for itself, without a person (RFC 6749 §4.4), and gets another one so

	Account string // who is logged in, in the server's words, fit for a line; "" where it did not say
	Subject string // the server's own identifier of the same (sub of OpenID Connect); "" where it did not say

	Resources []string // whom it is for, as the login asked (RFC 8707 §2); empty where it did not say

	ObtainedAt time.Time
	Asked      scopes.Set // what the login asked for; empty for a key, and in what older versions stored

	// Renewal is what is known of attempts to renew it; zero where none failed.
	Renewal Renewal

	// Hosts are those that the user trusted with it when it was obtained, in the form
	// of [provider.HostOf].
	Hosts []string

	// Lost is what the renewal that made this credential took away (a grant can
	// shrink there). Empty after a login; not stored.
	Lost scopes.Set
}

// Renewable reports whether another one can be had without a person: there is a refresh token to
// send, or it is the client's own.
func (c *Credential) Renewable() bool { return c.Own || !c.Refresh.Empty() }

// LivesAt reports whether it is still good at t, as far as anybody said: it is not past its end, and the
// server did not reject it before that.
func (c *Credential) LivesAt(t time.Time) bool {
	return c.Renewal.RejectedAt.IsZero() && c.Grant.LivesAt(t)
}

// Issued reports whether an authorization server gave it: a token, and no API key.
func (c *Credential) Issued() bool { return c.Issuer != "" }

// KindAt is what the provider's file says of its kind.
func (c *Credential) KindAt(p *provider.Provider) provider.CredentialKind {
	if c.Issued() {
		return p.KindOfToken(c.Access.Reveal())
	}
	return p.KindOf(c.Access.Reveal())
}

// Same reports whether both have the same secret, whatever is known of them.
func (c *Credential) Same(other *Credential) bool { return c.Access.Equal(other.Access) }

// SameSecrets reports whether both are the same state of a login: a renewal changes one of its
// secrets at least.
func (c *Credential) SameSecrets(other *Credential) bool {
	return c.Access.Equal(other.Access) && c.Refresh.Equal(other.Refresh)
}

// Holding returns the same credential with another knowledge of what it holds.
func (c *Credential) Holding(g scopes.Grant) *Credential {
	changed := *c
	changed.Grant = g
	changed.Scopes = c.Proven(g.Scopes)
	return &changed
}

// Told is [Credential.Holding] with whose it is, as a server said it when it was asked; what a login
// said before counts more.
func (c *Credential) Told(g scopes.Grant, account string) *Credential {
	told := c.Holding(g)
	if told.Account == "" {
		told.Account = account
	}
	return told
}

// OfflineAccess is the scope that asks for a refresh token (OpenID Connect Core §11).
const OfflineAccess = "offline_access"

// Proven are the scopes that a server names, with that which the credential itself proves: where a
// refresh token was asked for and came, many servers leave its scope out.
func (c *Credential) Proven(named scopes.Set) scopes.Set {
	if !c.Refresh.Empty() && c.Asked.Has(OfflineAccess) {
		return named.Union(scopes.NewSet(OfflineAccess))
	}
	return named
}

// Shown is what people may see of a secret of that kind: its masked prefix; "" where the
// provider knows none for it.
func (s Secret) Shown(kind provider.CredentialKind) string {
	if kind.Prefix == "" {
		return ""
	}
	return s.Mask(kind.Prefix)
}
