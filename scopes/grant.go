package scopes

import "time"

// A Grant is what a credential holds, and how we know.
type Grant struct {
	Kind      Kind      // of the credential
	Prefix    string    // what people may see of it: at most four characters and ***; "" for nothing
	Source    string    // where it was found, in words for people; not stored
	ExpiresAt time.Time // zero where nobody said

	KnownBy KnownBy
	Server  string  // the provider's name of the server that it is good for; "" where nobody said
	Scopes  Set     // as the server says; for KnownBy Assumed, as was asked
	Unsaid  Set     // which no response names, and nobody requested here: they are neither held nor missing
	Reach   []Reach // each sort of thing to which it is limited; none: it works on all
}

// A Reach limits a credential to some of the things of one sort.
type Reach struct {
	Of  string   // the sort, a word of the provider file: project, organization, repository
	IDs []string // those on which it works
}

// ReachOf lists the things of that sort on which the credential works; none: on all.
func (g Grant) ReachOf(sort string) []string {
	for _, r := range g.Reach {
		if r.Of == sort {
			return r.IDs
		}
	}
	return nil
}

// LivesAt reports whether the credential is still good at t, as far as anybody said. The clock on
// the wall counts: the other one of a machine stands still while that sleeps.
func (g Grant) LivesAt(t time.Time) bool {
	return g.ExpiresAt.IsZero() || t.Round(0).Before(g.ExpiresAt)
}

// KnownBy is where the knowledge of a grant comes from.
type KnownBy string

// The sources of a grant's scopes, best first.
const (
	TokenResponse  KnownBy = "token_response"  // RFC 6749 §5.1
	SelfInspection KnownBy = "self_inspection" // the provider's own way
	Introspection  KnownBy = "introspection"   // RFC 7662
	JWT            KnownBy = "jwt"             // the token's own scope claim (RFC 9068 §2.2.3)
	Assumed        KnownBy = "assumed"         // nobody said: as asked (RFC 6749 §5.1)

	// Of these two no scopes are known, and none is missing.
	Permissions KnownBy = "permissions" // it is of a kind that carries permissions, which no server lists
	Accepted    KnownBy = "accepted"    // the server accepts it, and does not say what it holds
)

// Unlisted reports whether nobody lists what is held, though a server was asked, or could not tell:
// no scope counts as held, or as missing.
func (k KnownBy) Unlisted() bool { return k == Permissions || k == Accepted }

// IsGuess reports whether no server said what was granted: whoever can be asked knows better.
func (k KnownBy) IsGuess() bool { return k == JWT || k == Assumed || k == Accepted }

// A Kind is what sort of credential someone holds: a word of the provider file, which also
// says what can be done with it. Two mean something where no file says anything.
type Kind string

const (
	AccessToken Kind = "oauth_token" // what a login obtains (RFC 6749 §1.4)
	UnknownKind Kind = "unknown"     // no prefix tells
)
