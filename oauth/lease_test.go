package oauth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// A passing store is one whose lease passes to another holder before some of the swaps.
type passing struct {
	store.Store
	swaps  int
	fenced []int  // which swaps, counted from 1
	other  func() // what the other holder does meanwhile
	leases int
}

func (p *passing) Lease(ctx context.Context, key store.Key, claim store.Claim) (*store.Lease, error) {
	p.leases++
	return p.Store.Lease(ctx, key, claim)
}

func (p *passing) Swap(ctx context.Context, key store.Key, lease *store.Lease, old, next *credential.Credential) error {
	if p.swaps++; slices.Contains(p.fenced, p.swaps) {
		if p.other != nil {
			p.other()
		}
		return &store.FencedError{}
	}
	return p.Store.Swap(ctx, key, lease, old, next)
}

// Whoever was stopped for so long that its lease has passed on sends nothing, and takes what the
// other one left.
func TestLeaseLostBeforeTheRequest(t *testing.T) {
	server, memory := newAuthServer(t), &store.Memory{}
	old := expired(t, server, memory)
	theirs := *old
	theirs.Access, theirs.ExpiresAt = credential.NewSecret("theirs"), time.Now().Add(time.Hour)
	backend := &passing{Store: memory, fenced: []int{1}, other: func() { save(t, memory, &theirs) }}
	got, err := newRenewer(t, server, backend).Valid(t.Context(), 0)
	if err != nil || got.Access.Reveal() != "theirs" || len(server.sent()) != 0 || backend.leases != 2 {
		t.Errorf("%v, %v, requests %v, %d leases", got, err, server.sent(), backend.leases)
	}
}

// A lease that passes on while the request is under way is taken again to keep what came of it:
// the refresh token is spent.
func TestLeaseLostDuringTheRequest(t *testing.T) {
	server, memory := newAuthServer(t), &store.Memory{}
	expired(t, server, memory)
	backend := &passing{Store: memory, fenced: []int{2}}
	got, err := newRenewer(t, server, backend).Valid(t.Context(), 0)
	if err != nil || got.Access.Reveal() != "acc_1" || backend.leases != 2 {
		t.Fatalf("%v, %v, %d leases", got, err, backend.leases)
	}
	if !storetest.Load(t, memory, testKey).Access.Equal(got.Access) {
		t.Error("it is not kept")
	}
}

// An away store cannot tell whether somebody else renews.
type away struct{ store.Store }

func (away) Lease(context.Context, store.Key, store.Claim) (*store.Lease, error) {
	return nil, errors.New("away")
}

// Where it cannot be told who has the lease, the access token is used while it lives, and the
// refresh token is not sent.
func TestLeaseCannotBeTold(t *testing.T) {
	server, memory := newAuthServer(t), &store.Memory{}
	old := expired(t, server, memory)
	for _, living := range []bool{false, true} {
		if living {
			old.ExpiresAt = time.Now().Add(time.Minute)
			save(t, memory, old)
		}
		got, err := newRenewer(t, server, away{memory}).Valid(t.Context(), time.Hour)
		if err == nil || errors.Is(err, oauth.ErrNotSaved) || (got != nil) != living || len(server.sent()) != 0 {
			t.Errorf("living %v: %v, %v, requests %v", living, got, err, server.sent())
		}
	}
}

// A busy store is one whose lease others have for longer than anybody waits.
type busy struct {
	store.Store
	meanwhile func()
}

func (b busy) Lease(context.Context, store.Key, store.Claim) (*store.Lease, error) {
	b.meanwhile()
	return nil, &store.LockError{Err: context.DeadlineExceeded}
}

// Whoever has waited in vain takes what others stored up to the end.
func TestLeaseNeverHad(t *testing.T) {
	for _, stored := range []bool{false, true} {
		server, memory := newAuthServer(t), &store.Memory{}
		theirs := *expired(t, server, memory)
		theirs.Access, theirs.ExpiresAt = credential.NewSecret("theirs"), time.Now().Add(time.Hour)
		got, err := newRenewer(t, server, busy{memory, func() {
			if stored {
				save(t, memory, &theirs)
			}
		}}).Valid(t.Context(), 0)
		if stored != (err == nil) || stored != (got != nil && got.Access.Reveal() == "theirs") || len(server.sent()) != 0 {
			t.Errorf("stored %v: %v, %v, requests %v", stored, got, err, server.sent())
		}
	}
}
