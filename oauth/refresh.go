package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Renewer keeps one stored credential alive. Refresh tokens rotate, and a server
// that sees an old one again takes it for stolen and ends the session (RFC 9700
// §4.14.2); so of all goroutines and processes that want to renew at the same moment
// one does, under the store's lease, and the others take what it stored.
// A process that dies with the lease in hand leaves it free. Safe for concurrent use
// while nobody changes the fields; Client, Now, Provider, HTTP and Note may be left empty.
type Renewer struct {
	Store store.Store
	Key   store.Key
	// HTTP sends the refresh request; it stands on [trust.Policy.Guard]. nil is a client that
	// trusts this machine alone.
	HTTP *http.Client
	// Server returns the metadata of the server; asked only when there is a refresh to
	// be sent.
	Server func(ctx context.Context) (*metadata.AuthorizationServer, error)
	// LockDir is that of [store.Claim].
	LockDir string
	// Client returns the client of an id: the one to which the server gave the credential. nil: it
	// is a public one.
	Client   func(ctx context.Context, id string) (client.Client, error)
	Provider *provider.Provider // as in [Login]
	At       provider.Server    // as in [Login]
	Now      func() time.Time   // nil means [time.Now]
	// Begin is called before the lease is taken, which is to be given back whatever comes. nil: nobody
	// is told.
	Begin func()
	// Began is since when the outcome of another process's attempt is that of this one too. The zero
	// time: since the call.
	Began time.Time
	// Narrow decides on fewer scopes where the server refuses some of those that a client asks for
	// itself, as [UI.Narrow] does. nil: that ends it.
	Narrow func(*AuthorizationError) (scopes.Set, bool)
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)

	rejected bool // the access token was refused; with the refresh token, the login has ended
}

// ErrNotSaved says that a renewed credential could not be stored. It is returned, with the
// store's error, beside that credential, which works; the stored one does not any more.
var ErrNotSaved = errors.New("the credential was renewed, but not stored")

// ErrNoPlace says that nothing was sent, since what comes of a renewal could not be stored: the
// refresh token is as good as it was. It is returned with the store's error.
var ErrNoPlace = errors.New("the credential is not renewed: what comes of it could not be stored")

// Valid returns the stored credential if it lives for longer than minTTL (0: just
// lives), and renews it otherwise. Where the server's tokens never live that long, it
// renews at each call. [credential.Credential.Lost] tells what the renewal took away.
//
// Errors: the store's; [ErrNoPlace] with the store's; *[credential.SessionLostError]; *[credential.RenewalDeniedError]; *[store.LockError]; *[ResponseError],
// *[trust.UntrustedHostError] and [metadata.Error] for the request; [ErrNotSaved] with the
// renewed credential. An error response is remembered with the credential, and returned again
// without a request for as long as nothing else is to be expected; see [Standing]. Where the
// renewal failed and the stored credential still lives, it is returned beside the error.
func (r *Renewer) Valid(ctx context.Context, minTTL time.Duration) (*credential.Credential, error) {
	began := r.now()
	before, err := r.Store.Load(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	if before.LivesAt(began.Add(minTTL)) {
		return before, nil
	}
	return r.renewed(ctx, r.since(began), before, before.Access)
}

// Force renews the credential if the stored access token is still stale: one that a
// server refused although it should live. Otherwise someone else has renewed it, and
// theirs is returned. Errors are those of [Renewer.Valid].
func (r *Renewer) Force(ctx context.Context, stale credential.Secret) (*credential.Credential, error) {
	began := r.now()
	before, err := r.Store.Load(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	if !before.Access.Equal(stale) && before.LivesAt(began) {
		return before, nil
	}
	forced := *r
	forced.rejected = true
	return forced.renewed(ctx, r.since(began), before, stale)
}

// since is Began, or else when the call began.
func (r *Renewer) since(call time.Time) time.Time {
	if r.Began.IsZero() {
		return call
	}
	return r.Began
}

// renewed takes the lease and renews, unless someone else has done so since began, or failed to.
// stale is the access token that is not wanted any more. Where the lease passes to somebody else
// before anything is kept, what that one leaves is looked at anew.
func (r *Renewer) renewed(ctx context.Context, began time.Time, before *credential.Credential, stale credential.Secret) (*credential.Credential, error) {
	if err := Standing(before, r.now()); err != nil {
		return r.ifLiving(before), err
	}
	if r.Begin != nil {
		r.Begin()
	}
	for range maxReplaced {
		c, err := r.underLease(ctx, began, before, stale)
		if _, fenced := errors.AsType[*store.FencedError](err); !fenced {
			return c, err
		}
	}
	return r.ifLiving(before), &store.LockError{Err: errors.New("it passes from process to process before one is done")}
}

func (r *Renewer) underLease(ctx context.Context, began time.Time, before *credential.Credential, stale credential.Secret) (*credential.Credential, error) {
	var theirs *settled
	claim := r.claim()
	claim.Over = func() bool {
		current, err := r.Store.Load(ctx, r.Key)
		if err == nil {
			theirs = r.settled(began, before, current, stale)
		}
		return theirs != nil
	}
	lease, err := r.Store.Lease(ctx, r.Key, claim)
	if _, locked := errors.AsType[*store.LockError](err); locked {
		claim.Over() // others may have stored something since it was looked at
	}
	if err != nil && theirs != nil {
		return theirs.credential, theirs.err
	}
	if err != nil {
		return r.ifLiving(before), err
	}
	defer lease.Release()
	current, err := r.Store.Load(ctx, r.Key) // again, now that nobody else renews
	for range maxReplaced {
		if err != nil {
			return nil, err
		}
		if theirs := r.settled(began, before, current, stale); theirs != nil {
			return theirs.credential, theirs.err
		}
		fresh, refreshErr := r.refresh(ctx, lease, current)
		if changed, ok := errors.AsType[*store.ChangedError](refreshErr); ok && changed.Current != nil {
			current = changed.Current // somebody without the lease: what they stored is used
			continue
		}
		if fresh == nil {
			return r.ifLiving(current), refreshErr
		}
		return lessThan(before, fresh), refreshErr
	}
	return nil, &store.LockError{Err: errors.New("it is replaced again and again by a program that does not take the lease")}
}

// A settled renewal is one that nobody has to try any more.
type settled struct {
	credential *credential.Credential
	err        error
}

// settled is what others have made of the renewal since began: a credential, or the failure that is
// the result of all who waited; nil where it is to be tried. current is what is stored now.
func (r *Renewer) settled(began time.Time, before, current *credential.Credential, stale credential.Secret) *settled {
	if !current.Access.Equal(stale) && current.LivesAt(r.now()) {
		return &settled{lessThan(before, current), nil}
	}
	if err := Standing(current, r.now()); err != nil {
		return &settled{r.ifLiving(current), err}
	}
	if f := current.Renewal.Failed; f != nil && f.At.After(began) && !f.At.After(r.now()) {
		return &settled{r.ifLiving(current), remembered(current)}
	}
	return nil
}

// patience is how long a wait for somebody else's renewal may last before a word is said of it.
const patience = 2 * time.Second

func (r *Renewer) claim() store.Claim {
	return store.Claim{LockDir: r.LockDir, Patience: patience, Waiting: func() {
		if r.Note != nil {
			r.Note("another process is renewing this login; waiting for it")
		}
	}}
}

// maxReplaced is how often a renewal begins anew with what somebody else has stored meanwhile.
const maxReplaced = 3

// lessThan is fresh with what it lacks of before.
func lessThan(before, fresh *credential.Credential) *credential.Credential {
	fresh.Lost = before.Scopes.Minus(fresh.Scopes)
	return fresh
}

// ifLiving is c, or nil where it is past its end.
func (r *Renewer) ifLiving(c *credential.Credential) *credential.Credential {
	if c.LivesAt(r.now()) {
		return c
	}
	return nil
}

// refresh sends the one request, and stores its outcome before anybody sees it. A
// *[store.ChangedError] says that somebody else has stored another credential meanwhile, a
// *[store.FencedError] that the lease has passed to somebody else.
func (r *Renewer) refresh(ctx context.Context, lease *store.Lease, old *credential.Credential) (*credential.Credential, error) {
	server, err := r.Server(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // somebody went away: that is nobody else's result
	}
	if err != nil {
		return nil, r.remember(ctx, lease, old, err)
	}
	who, err := r.client(ctx, old.ClientID)
	if err != nil {
		return nil, err
	}
	sent, err := r.prepare(ctx, lease, old)
	if err != nil {
		return nil, err
	}
	// The server may exchange the refresh token in the moment in which the caller gives up,
	// and not to hear of the new one loses the session.
	person := ctx
	ctx, cancel := signals.Outlive(person)
	defer cancel()
	asking, asked := signals.OutliveFirst(person) // what comes is to be kept, too
	defer asked()
	ask := r.redeem
	if old.Own {
		ask = r.ownToken
	}
	request, before, err := ask(asking, server, who, old)
	defer (&Revocation{HTTP: r.HTTP, Server: server, Client: who, Provider: r.Provider, At: r.At}).unused(ctx, request, r.Note) // when the other one is kept
	if err != nil {
		return nil, r.failed(ctx, lease, old, sent, err)
	}
	at, response := momentOf(request.response, r.now()), request.object
	fresh, err := readToken(server.TokenEndpoint, response, before, r.Provider, at)
	if err != nil {
		return nil, r.failed(ctx, lease, old, sent, err)
	}
	if old.Own {
		fresh.Refresh = credential.Secret{} // RFC 6749 §4.4.3: it would be one secret more, for nothing
	}
	fresh.Renewal = credential.Renewal{}
	tellLeftOut(r.Note, "the token response", response)
	at.tell(r.Note, provider.HostOf(server.TokenEndpoint))
	fresh, err = r.keep(person, lease, old, fresh)
	if errors.Is(err, ErrNotSaved) && person.Err() != nil { // nobody is there to use it
		if revokeErr := (&Revocation{HTTP: r.HTTP, Server: server, Client: who, Provider: r.Provider, At: r.At}).Revoke(ctx, fresh); revokeErr == nil {
			err = fmt.Errorf("%w; it was revoked", err)
		}
	}
	return fresh, err
}

// prepare makes sure of a place for the result, and notes there that the refresh token is on
// its way: whoever dies now leaves the note.
func (r *Renewer) prepare(ctx context.Context, lease *store.Lease, old *credential.Credential) (sent *credential.Credential, err error) {
	if err := r.Store.Probe(ctx, r.Key); err != nil {
		return nil, noPlace(ctx, err)
	}
	noted := *old
	noted.Renewal = credential.Renewal{LostAt: r.now().Round(0), RejectedAt: old.Renewal.RejectedAt}
	err = r.Store.Swap(ctx, r.Key, lease, old, &noted)
	if overtaken(err) {
		return nil, err
	}
	if ctx.Err() != nil { // nothing is sent, though the note may stand there; the lease is owed, too
		lasting, cancel := signals.OutliveFirst(ctx)
		defer cancel()
		_ = r.Store.Swap(lasting, r.Key, lease, &noted, old)
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, noPlace(ctx, err)
	}
	return &noted, nil
}

// keepAgain is after how long a store that failed is tried again.
const keepAgain = 300 * time.Millisecond

// keep stores what came, in place of old. What somebody else has stored meanwhile stays, if it
// is newer and lives: a person may have logged in anew. A lease that was lost on the way is taken
// again, since the refresh token is spent.
func (r *Renewer) keep(ctx context.Context, lease *store.Lease, old, fresh *credential.Credential) (*credential.Credential, error) {
	lasting, cancel := signals.OutliveFirst(ctx)
	defer cancel()
	replaced := old
	var err error
	for range maxReplaced {
		err = r.Store.Swap(lasting, r.Key, lease, replaced, fresh)
		if _, fenced := errors.AsType[*store.FencedError](err); fenced {
			lease.Release()
			another, leaseErr := r.Store.Lease(lasting, r.Key, r.claim())
			if leaseErr != nil {
				break
			}
			defer another.Release()
			lease = another
			continue
		}
		changed, ok := errors.AsType[*store.ChangedError](err)
		if err != nil && !ok && wait(lasting, keepAgain) == nil {
			continue // the refresh token is spent: it is worth another try
		}
		if !ok || changed.Current == nil {
			break
		}
		if theirs := changed.Current; theirs.ObtainedAt.After(old.ObtainedAt) && theirs.LivesAt(r.now()) {
			return theirs, nil
		}
		replaced = changed.Current
	}
	if err != nil {
		return fresh, fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return fresh, nil
}

// failed remembers why there is no new token, and whether a response was lost on the way. A
// refresh token that was refused is taken out of the store, so that nobody else sends it in vain,
// unless the store holds another one by now, or somebody else has the lease: then the error is a
// *[store.ChangedError] or a *[store.FencedError].
func (r *Renewer) failed(ctx context.Context, lease *store.Lease, old, sent *credential.Credential, err error) error {
	next := *old
	if lostOnTheWay(err) && old.Renewal.LostAt.IsZero() {
		next.Renewal = sent.Renewal
	}
	refusal, ok := errors.AsType[*ResponseError](err)
	if ok {
		refusal.Renewal = true
	}
	if !ok || !refusal.Ends() {
		return r.remember(ctx, lease, &next, err)
	}
	next.Refresh, next.Renewal.Failed = credential.Secret{}, r.failure(err)
	if r.rejected {
		next.Renewal.RejectedAt = r.now().Round(0)
	}
	swapErr := r.Store.Swap(ctx, r.Key, lease, old, &next)
	if overtaken(swapErr) {
		return swapErr
	}
	lost := sessionLost(&next, r.now())
	lost.Err = errors.Join(refusal, swapErr)
	if swapErr == nil {
		lost.Err = refusal
	}
	return lost
}

// remember stores a failure for all who wait for its result, and for whoever comes while nothing
// else is to be expected.
func (r *Renewer) remember(ctx context.Context, lease *store.Lease, c *credential.Credential, err error) error {
	next := *c
	next.Renewal.Failed = r.failure(err)
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	// Where it cannot be stored, the next one finds out for itself.
	_ = r.Store.Swap(lasting, r.Key, lease, c, &next)
	if refusal, ok := errors.AsType[*ResponseError](err); ok && next.Renewal.Failed.Final {
		return &credential.RenewalDeniedError{Code: refusal.Code, Description: refusal.Description, Err: refusal}
	}
	return err
}

func (r *Renewer) client(ctx context.Context, id string) (client.Client, error) {
	if r.Client == nil {
		return client.Public(id), nil
	}
	return r.Client(ctx, id)
}

func (r *Renewer) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}
