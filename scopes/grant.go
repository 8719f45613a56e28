package scopes

import "time"

// A Grant is what a credential holds, and how we know.
type Grant struct {
	Kind      Kind      // of the credential
	Prefix    string    // what people may see of it: at most four characters and ***; "" for nothing
	Source    string    // where it was found, in words for people; not stored
	ExpiresAt time.Time // zero where nobody said

	KnownBy       KnownBy
	Server        string   // the provider's name of the server that it is good for; "" where nobody said
	Scopes        Set      // as the server says; for KnownBy Assumed, as was asked
	Teams         []string // projects within reach; none: all
	Organizations []string // organizations within reach; none: all
}

// LivesAt reports whether the credential is still good at t, as far as anybody said.
func (g Grant) LivesAt(t time.Time) bool { return g.ExpiresAt.IsZero() || t.Before(g.ExpiresAt) }

// KnownBy is where the knowledge of a grant comes from.
type KnownBy string

// The sources of a grant's scopes, best first.
const (
	TokenResponse  KnownBy = "token_response"  // RFC 6749 §5.1
	SelfInspection KnownBy = "self_inspection" // the provider's own way
	Introspection  KnownBy = "introspection"   // RFC 7662
	JWT            KnownBy = "jwt"             // the token's own scope claim (RFC 9068 §2.2.3)
	Assumed        KnownBy = "assumed"         // nobody said: as asked (RFC 6749 §5.1)
)

// A Kind is what sort of credential someone holds.
type Kind string

// The kinds of credential that a provider file can name.
const (
	OAuthToken       Kind = "oauth_token"
	PersonalAPIKey   Kind = "personal_api_key"
	ProjectKey       Kind = "project_key"
	ProjectSecretKey Kind = "project_secret_key"
	UnknownKind      Kind = "unknown"
)
