package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/metadata"
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
// while nobody changes the fields; Now, KindOf, HTTP and Note may be left empty.
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
	KindOf  func(credential string) provider.CredentialKind // as in [Login]
	Now     func() time.Time                                // nil means [time.Now]
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)
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
	return r.renewed(ctx, began, before, before.Access)
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
	return r.renewed(ctx, began, before, stale)
}

// renewed takes the lock and renews, unless someone else has done so since began, or failed to.
// stale is the access token that is not wanted any more.
func (r *Renewer) renewed(ctx context.Context, began time.Time, before *credential.Credential, stale credential.Secret) (*credential.Credential, error) {
	if err := Standing(before, r.now()); err != nil {
		return r.ifLiving(before), err
	}
	unlock, err := store.Lock(ctx, r.LockDir, r.Key, nil)
	if err != nil {
		return r.ifLiving(before), err
	}
	defer unlock()
	current, err := r.Store.Load(ctx, r.Key) // again, now that nobody else renews
	for range maxReplaced {
		if err != nil {
			return nil, err
		}
		if !current.Access.Equal(stale) && current.LivesAt(r.now()) {
			return lessThan(before, current), nil
		}
		if err := Standing(current, r.now()); err != nil {
			return r.ifLiving(current), err
		}
		if f := current.Renewal.Failed; f != nil && f.At.After(began) && !f.At.After(r.now()) {
			return r.ifLiving(current), remembered(current)
		}
		fresh, refreshErr := r.refresh(ctx, current)
		if changed, ok := errors.AsType[*store.ChangedError](refreshErr); ok && changed.Current != nil {
			current = changed.Current // somebody without the lock: what they stored is used
			continue
		}
		if fresh == nil {
			return r.ifLiving(current), refreshErr
		}
		return lessThan(before, fresh), refreshErr
	}
	return nil, &store.LockError{Err: errors.New("it is replaced again and again by a program that does not take the lock")}
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
// *[store.ChangedError] says that somebody else has stored another credential meanwhile.
func (r *Renewer) refresh(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
	server, err := r.Server(ctx)
	if err == nil {
		err = supportsPublicClient(server)
	}
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // somebody went away: that is nobody else's result
	}
	if err != nil {
		return nil, r.remember(ctx, old, err)
	}
	sent, err := r.prepare(ctx, old)
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
	source := clientConfig(server, old.ClientID, "").TokenSource(request.within(ctx), &oauth2.Token{RefreshToken: old.Refresh.Reveal()})
	_, err = source.Token()
	response, err := request.result(err)
	if err != nil {
		return nil, r.failed(ctx, old, sent, err)
	}
	at := momentOf(request.response, r.now())
	fresh, err := readToken(server.TokenEndpoint, response, *old, r.KindOf, at)
	if err != nil {
		return nil, r.failed(ctx, old, sent, err)
	}
	fresh.Renewal = credential.Renewal{}
	tellLeftOut(r.Note, "the token response", response)
	at.tell(r.Note, provider.HostOf(server.TokenEndpoint))
	return r.keep(ctx, old, fresh)
}

// prepare makes sure of a place for the result, and notes there that the refresh token is on
// its way: whoever dies now leaves the note.
func (r *Renewer) prepare(ctx context.Context, old *credential.Credential) (sent *credential.Credential, err error) {
	if err := r.Store.Probe(ctx, r.Key); err != nil {
		return nil, noPlace(ctx, err)
	}
	noted := *old
	noted.Renewal = credential.Renewal{LostAt: r.now().Round(0)}
	err = r.Store.Swap(ctx, r.Key, old, &noted)
	if _, changed := errors.AsType[*store.ChangedError](err); changed {
		return nil, err
	}
	if err != nil {
		return nil, noPlace(ctx, err)
	}
	return &noted, nil
}

func noPlace(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrNoPlace, err)
}

// keep stores what came, in place of old. What somebody else has stored meanwhile stays, if it
// is newer and lives: a person may have logged in anew.
func (r *Renewer) keep(ctx context.Context, old, fresh *credential.Credential) (*credential.Credential, error) {
	ctx = context.WithoutCancel(ctx) // it has to be kept now
	err := r.Store.Swap(ctx, r.Key, old, fresh)
	if changed, ok := errors.AsType[*store.ChangedError](err); ok && changed.Current != nil {
		if theirs := changed.Current; theirs.ObtainedAt.After(old.ObtainedAt) && theirs.LivesAt(r.now()) {
			return theirs, nil
		}
		err = r.Store.Save(ctx, r.Key, fresh)
	}
	if err != nil {
		return fresh, fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return fresh, nil
}

// failed remembers why there is no new token, and whether a response was lost on the way. A
// refresh token that was refused is taken out of the store, so that nobody else sends it in vain,
// unless the store holds another one by now: then the error is a *[store.ChangedError].
func (r *Renewer) failed(ctx context.Context, old, sent *credential.Credential, err error) error {
	next := *old
	if lostOnTheWay(err) && old.Renewal.LostAt.IsZero() {
		next.Renewal = sent.Renewal
	}
	refusal, ok := errors.AsType[*ResponseError](err)
	if ok {
		refusal.Renewal = true
	}
	if !ok || !refusal.Ends() {
		return r.remember(ctx, &next, err)
	}
	next.Refresh, next.Renewal.Failed = credential.Secret{}, r.failure(err)
	swapErr := r.Store.Swap(context.WithoutCancel(ctx), r.Key, old, &next)
	if _, changed := errors.AsType[*store.ChangedError](swapErr); changed {
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
func (r *Renewer) remember(ctx context.Context, c *credential.Credential, err error) error {
	next := *c
	next.Renewal.Failed = r.failure(err)
	// Where it cannot be stored, the next one finds out for itself.
	_ = r.Store.Swap(context.WithoutCancel(ctx), r.Key, c, &next)
	if refusal, ok := errors.AsType[*ResponseError](err); ok && refusal.Renewal && !refusal.Temporary() {
		return &credential.RenewalDeniedError{Code: refusal.Code, Description: refusal.Description, Err: refusal}
	}
	return err
}

const (
	// deniedFor is how long a server that refuses to renew, though not this login, is taken at
	// its word: its operator may have to set something right.
	deniedFor = 10 * time.Minute
	// busyFor is how long a server is left alone that says 429, and not for how long.
	busyFor = 10 * time.Second
)

// failure is what to remember of an error.
func (r *Renewer) failure(err error) *credential.RenewalFailure {
	f := &credential.RenewalFailure{At: r.now().Round(0)}
	if refusal, ok := errors.AsType[*ResponseError](err); ok {
		f.Host, f.Status, f.Code, f.Words, f.Until = refusal.Host, refusal.Status, refusal.Code, refusal.Description, refusal.RetryAt
		if refusal.Code == "" {
			f.Words = refusal.Problem
		}
		if f.Final = refusal.Renewal && !refusal.Temporary(); f.Final && !refusal.Ends() {
			f.Until = f.At.Add(deniedFor)
		}
		return f
	}
	f.Kind, f.Words = string(guard.KindUnreachable), err.Error()
	if trouble, ok := errors.AsType[*guard.Error](err); ok {
		f.Kind, f.Host, f.Status, f.Until, f.Words = string(trouble.Kind), trouble.Host, trouble.Status, trouble.RetryAt, ""
		if trouble.Err != nil {
			f.Words = trouble.Err.Error()
		}
		switch {
		case trouble.Kind == guard.KindRateLimited && f.Until.IsZero():
			f.Until = f.At.Add(busyFor)
		case trouble.Kind == guard.KindCanceled: // here; to everybody else it is no response
			f.Kind, f.Words = string(guard.KindUnreachable), "the process that asked was ended before a response came"
		}
	}
	return f
}

// lostOnTheWay reports whether a request went out to which no response of the server came: a
// gateway's own error is none.
func lostOnTheWay(err error) bool {
	trouble, ok := errors.AsType[*guard.Error](err)
	if !ok {
		return false
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "dial" {
		return false
	}
	switch trouble.Kind {
	case guard.KindUnreachable, guard.KindCanceled, guard.KindInvalid:
		return true
	}
	return trouble.Status == http.StatusBadGateway || trouble.Status == http.StatusGatewayTimeout
}

// Standing is what earlier attempts to renew a credential say of the next one: nil where it may
// be tried. Errors: *[credential.SessionLostError] where only another login helps;
// *[credential.RenewalDeniedError], a *[ResponseError] or a [metadata.Error] where the server
// refused, or asked to wait, and the time has not come.
func Standing(c *credential.Credential, now time.Time) error {
	f := c.Renewal.Failed
	switch {
	case c.Refresh.Empty() && (f == nil || !f.Final):
		return &credential.SessionLostError{}
	case f == nil:
		return nil
	case c.Refresh.Empty():
		lost := sessionLost(c, f.At)
		lost.Err = remembered(c)
		return lost
	case now.Before(f.Until) && f.At.Before(now.Add(clockLeeway)): // else a clock was wrong that wrote it
		return remembered(c)
	}
	return nil
}

// remembered is the failure of an earlier attempt as an error.
func remembered(c *credential.Credential) error {
	f := c.Renewal.Failed
	if f.Kind != "" {
		trouble := &guard.Error{Kind: guard.Kind(f.Kind), Host: f.Host, Status: f.Status, RetryAt: f.Until}
		if !f.Until.IsZero() {
			trouble.RetryAfter = f.Until.Sub(f.At)
		}
		if f.Words != "" {
			trouble.Err = errors.New(f.Words)
		}
		return trouble
	}
	refusal := &ResponseError{Endpoint: TokenEndpoint, Renewal: true, Host: f.Host, Status: f.Status, Code: f.Code}
	if f.Code == "" {
		refusal.Problem = f.Words
	} else {
		refusal.Description = f.Words
	}
	switch {
	case !f.Final:
		refusal.RetryAt = f.Until
	case !refusal.Ends():
		return &credential.RenewalDeniedError{Code: refusal.Code, Description: refusal.Description, Err: refusal, At: f.At, Until: f.Until}
	}
	return refusal
}

// sessionLost is the end of a session, with what this machine knows of how it came: at is when
// the server refused.
func sessionLost(c *credential.Credential, at time.Time) *credential.SessionLostError {
	e := &credential.SessionLostError{}
	idle := at.Sub(c.ObtainedAt).Round(time.Minute)
	switch {
	case !c.Renewal.LostAt.IsZero():
		e.Likely = fmt.Sprintf("the response to a renewal was lost at %s, and the server may have exchanged the refresh token then", c.Renewal.LostAt.UTC().Format(time.RFC3339))
	case c.ObtainedAt.IsZero():
	case idle > longUnused:
		e.Likely = fmt.Sprintf("it was not renewed here for %d days: it may have ended for that, or a copy of the store was used elsewhere", int(idle.Hours())/24)
	default:
		e.Likely = "it was revoked, or a copy of the store was used elsewhere"
	}
	return e
}

// longUnused is after how long without a renewal servers begin to end a session for that.
const longUnused = 24 * time.Hour

func (r *Renewer) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}
