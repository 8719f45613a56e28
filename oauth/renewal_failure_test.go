package oauth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// A noting is a store that keeps the note of a renewal, and tells of it before it says so.
type noting struct {
	store.Store
	noted func()
}

func (n *noting) Swap(ctx context.Context, key store.Key, lease *store.Lease, old, next *credential.Credential) error {
	err := n.Store.Swap(ctx, key, lease, old, next)
	if !next.Renewal.LostAt.IsZero() && n.noted != nil {
		noted := n.noted
		n.noted = nil
		noted()
		if ctx.Err() != nil {
			return ctx.Err() // as a program does that was ended
		}
	}
	return err
}

// A response is only lost where a request was sent: what ended before that leaves no word of one, and the
// refresh token unspent.
func TestNothingWasSent(t *testing.T) {
	ended := signals.Ended{Signal: os.Interrupt, At: time.Now().Add(-signals.Grace / 2)}
	for name, c := range map[string]struct {
		dial func(ctx context.Context, end context.CancelCauseFunc) error // nil: a signal comes while the note is written
	}{
		"a signal while it is noted": {},
		"nobody takes the connection": {func(context.Context, context.CancelCauseFunc) error {
			return &net.OpError{Op: "dial", Err: errors.New("refused")}
		}},
		"the time to connect is over": {func(context.Context, context.CancelCauseFunc) error { return os.ErrDeadlineExceeded }},
		"a signal while it connects": {func(ctx context.Context, end context.CancelCauseFunc) error {
			end(signals.Ended{Signal: os.Interrupt, At: time.Now().Add(-signals.Grace + time.Second)})
			<-ctx.Done()
			return ctx.Err()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server, backend := newAuthServer(t), &store.Memory{}
			old := expired(t, server, backend)
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			renewer := newRenewer(t, server, backend)
			if c.dial == nil {
				renewer.Store = &noting{backend, func() { end(ended) }}
			} else {
				renewer.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(dialing context.Context, _, _ string) (net.Conn, error) {
					return nil, c.dial(dialing, end)
				}}}
			}
			if _, err := renewer.Valid(ctx, 0); err == nil {
				t.Error("it was renewed")
			}
			left := storetest.Load(t, backend, testKey)
			if !left.Renewal.LostAt.IsZero() || !left.SameSecrets(old) {
				t.Errorf("left: %+v", left.Renewal)
			}
		})
	}
}
