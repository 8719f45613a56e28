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
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// A Renewer keeps one stored credential alive. Refresh tokens rotate, and a server
// that sees an old one again takes it for stolen and ends the session (RFC 9700
// §4.14.2); so of all goroutines and processes that want to renew at the same moment
// one does, under a lock of the operating system, and the others take what it stored.
// A process that dies with the lock in hand leaves it free. Safe for concurrent use
// while nobody changes the fields; Client, Now, KindOf, HTTP and Note may be left empty.
type Renewer struct {
	Store store.Store
	Key   store.Key
	// HTTP sends the refresh request; it stands on [trust.Policy.Guard]. nil is a client that
	// trusts this machine alone.
	HTTP *http.Client
	// Server returns the metadata of the server; asked only when there is a refresh to
	// be sent.
	Server func(ctx context.Context) (*metadata.AuthorizationServer, error)
	// LockDir holds the lock files, which stay there, empty; it is made where it is not.
	LockDir string
	// Client returns the client of an id: the one to which the server gave the credential. nil: it
	// is a public one.
	Client func(ctx context.Context, id string) (client.Client, error)
	KindOf func(credential string) provider.CredentialKind // as in [Login]
	Now    func() time.Time                                // nil means [time.Now]
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)
}

// ErrNotSaved says that a renewed credential could not be stored. It is returned, with the
// store's error, beside that credential, which works; the stored one does not any more.
var ErrNotSaved = errors.New("the credential was renewed, but not stored")

// Valid returns the stored credential if it lives for longer than minTTL (0: just
// lives), and renews it otherwise. Where the server's tokens never live that long, it
// renews at each call. [credential.Credential.Lost] tells what the renewal took away.
//
// Errors: the store's; *[credential.SessionLostError]; *[credential.RenewalDeniedError]; *[store.LockError]; *[ResponseError],
// *[trust.UntrustedHostError] and [metadata.Error] for the request; [ErrNotSaved] with the
// renewed credential. Where the renewal failed and the stored credential still lives,
// it is returned beside the error.
func (r *Renewer) Valid(ctx context.Context, minTTL time.Duration) (*credential.Credential, error) {
	before, err := r.Store.Load(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	if before.LivesAt(r.now().Add(minTTL)) {
		return before, nil
	}
	return r.renewed(ctx, before, before.Access)
}

// Force renews the credential if the stored access token is still stale: one that a
// server refused although it should live. Otherwise someone else has renewed it, and
// theirs is returned. Errors are those of [Renewer.Valid].
func (r *Renewer) Force(ctx context.Context, stale credential.Secret) (*credential.Credential, error) {
	before, err := r.Store.Load(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	if !before.Access.Equal(stale) && before.LivesAt(r.now()) {
		return before, nil
	}
	return r.renewed(ctx, before, stale)
}

// renewed takes the lock and renews, unless someone else just did. stale is the access
// token that is not wanted any more.
func (r *Renewer) renewed(ctx context.Context, before *credential.Credential, stale credential.Secret) (*credential.Credential, error) {
	if before.Refresh.Empty() {
		return r.ifLiving(before), &credential.SessionLostError{}
	}
	unlock, err := store.Lock(ctx, r.LockDir, r.Key, nil)
	if err != nil {
		return r.ifLiving(before), err
	}
	defer unlock()
	current, err := r.Store.Load(ctx, r.Key) // again, now that nobody else can write
	if err != nil {
		return nil, err
	}
	fresh := current
	if current.Access.Equal(stale) || !current.LivesAt(r.now()) {
		if fresh, err = r.refresh(ctx, current); fresh == nil {
			return r.ifLiving(current), err
		}
	}
	fresh.Lost = before.Scopes.Minus(fresh.Scopes)
	return fresh, err
}

// ifLiving is c, or nil where it is past its end.
func (r *Renewer) ifLiving(c *credential.Credential) *credential.Credential {
	if c.LivesAt(r.now()) {
		return c
	}
	return nil
}

// refresh sends the one request, and stores its outcome before anybody sees it.
func (r *Renewer) refresh(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
	if old.Refresh.Empty() {
		return nil, &credential.SessionLostError{}
	}
	server, err := r.Server(ctx)
	if err != nil {
		return nil, err
	}
	who, err := r.client(ctx, old.ClientID)
	if err != nil {
		return nil, err
	}
	// The server may exchange the refresh token in the moment in which the caller gives up,
	// and not to hear of the new one loses the session.
	ctx, cancel := signals.Outlive(ctx)
	defer cancel()
	// No scope is sent: a refresh cannot widen, and to ask for what was asked is to ask
	// for more than was granted (RFC 6749 §6).
	request := newTokenRequest(server.TokenEndpoint, r.HTTP)
	request.telling(r.Note).resources = old.Resources
	source := who.Config("", server.TokenEndpoint, "").TokenSource(request.within(ctx), &oauth2.Token{RefreshToken: old.Refresh.Reveal()})
	_, err = source.Token()
	response, err := request.result(err)
	if err != nil {
		return nil, r.refused(ctx, old, besideList(err, server, "refresh_token", who.Style()))
	}
	fresh, err := readToken(server.TokenEndpoint, response, *old, r.KindOf, r.now())
	if err != nil {
		return nil, err
	}
	tellLeftOut(r.Note, "the token response", response)
	if err := r.Store.Save(ctx, r.Key, fresh); err != nil {
		return fresh, fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return fresh, nil
}

// refused makes invalid_grant (RFC 6749 §5.2) the end of the session. The refresh
// token is taken out of the store, so that nobody else sends it in vain. Any other code that will
// be the same later denies the renewal.
func (r *Renewer) refused(ctx context.Context, old *credential.Credential, err error) error {
	refusal, ok := errors.AsType[*ResponseError](err)
	if ok {
		refusal.Renewal = true
	}
	switch {
	case !ok || refusal.Code == "" || refusal.Temporary():
		return err
	case refusal.Code != "invalid_grant":
		return &credential.RenewalDeniedError{Code: refusal.Code, Description: refusal.Description, Err: refusal}
	}
	spent := *old
	spent.Refresh = credential.Secret{}
	if err := r.Store.Save(ctx, r.Key, &spent); err != nil {
		return &credential.SessionLostError{Err: errors.Join(refusal, err)}
	}
	return &credential.SessionLostError{Err: refusal}
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
