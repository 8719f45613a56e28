package agent

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"

	"github.com/ambit-auth/ambit/scopes"
)

// hidden stands wherever someone tries to print a [Lent].
const hidden = "***"

// A Source gives the credential that is lent. Its methods are called by one goroutine
// at a time; the context of each has an end.
type Source interface {
	// Current returns the credential to send now. It is asked again when the one that it
	// gave is about to end, and renews it then.
	Current(ctx context.Context) (Lent, error)
	// Renew returns another credential for one that a server refused although it should
	// live: renewed, or as someone else has renewed it already.
	Renew(ctx context.Context, stale Lent) (Lent, error)
}

// A Lent is a credential while it is lent, and what is known of it. It cannot print
// its bearer: fmt, log/slog and encoding show *** in its place. It never changes, and
// may be shared between goroutines. The zero value holds nothing.
type Lent struct {
	bearer    *string // behind a pointer, so that no verb reaches it from outside of another struct
	grant     scopes.Grant
	renewable bool
}

// NewLent wraps a bearer credential (RFC 6750 §2.1). renewable says that a [Source]
// can get another one for it.
func NewLent(bearer string, grant scopes.Grant, renewable bool) Lent {
	return Lent{bearer: &bearer, grant: grant, renewable: renewable}
}

// Bearer is the credential itself: for a request, never for people.
func (l Lent) Bearer() string {
	if l.bearer == nil {
		return ""
	}
	return *l.bearer
}

// Grant is what the credential holds, and how we know.
func (l Lent) Grant() scopes.Grant { return l.grant }

// Renewable reports whether its [Source] can get another one for it.
func (l Lent) Renewable() bool { return l.renewable }

// Same reports whether both are the same credential, whatever is known of them.
func (l Lent) Same(other Lent) bool { return sameSecret(l.Bearer(), other.Bearer()) }

// WithGrant is the same credential with another knowledge of it.
func (l Lent) WithGrant(g scopes.Grant) Lent {
	l.grant = g
	return l
}

// sameSecret compares without telling by its duration where two secrets differ.
func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// String returns ***.
func (l Lent) String() string { return hidden }

// GoString returns ***.
func (l Lent) GoString() string { return hidden }

// Format writes *** for every verb.
func (l Lent) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText returns ***; it serves YAML and XML too.
func (l Lent) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON returns "***".
func (l Lent) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue returns ***.
func (l Lent) LogValue() slog.Value { return slog.StringValue(hidden) }
