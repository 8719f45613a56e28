package agent

import (
	"context"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// A Source gives the credential that is lent. Its methods are called by one goroutine
// at a time; the context of each has an end. A credential may come beside an error, as
// long as it lives; it is nil where there is none.
type Source interface {
	// Current returns the credential to send now. It is asked again when the one that it
	// gave is about to end, and renews it then.
	Current(ctx context.Context) (*credential.Credential, error)
	// Renew returns another credential for one that a server refused although it should
	// live: renewed, or as someone else has renewed it already.
	Renew(ctx context.Context, stale *credential.Credential) (*credential.Credential, error)
}
