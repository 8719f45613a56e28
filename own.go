package ambit

import (
	"context"
	"errors"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// own is the credential of a client that gets tokens for itself (RFC 6749 §4.4): the one that is
// stored, or one that is got now. What was requested for it may lack what the manifest has come to
// declare: another one is requested then. Errors: those of [Session.Plan]; a *[MissingError] where
// something required cannot be had; a *[RenewalError].
func (s *Session) own(ctx context.Context) (*Held, error) {
	began := s.opt.now()
	l, err := s.ownLogin(ctx)
	if err != nil {
		return nil, err
	}
	if l != nil {
		h := newHeld(s, l.credential, l)
		plan := h.LastPlan()
		if plan == nil || plan.Request.Minus(l.credential.Asked).Len() == 0 {
			return h, h.first(ctx, began)
		}
	}
	return s.anew(ctx, nil, began, began)
}

// storedOwn is the one that is stored, whatever was requested for it. It returns [ErrNoCredential]
// where no token ever came.
func (s *Session) storedOwn(ctx context.Context) (*Held, error) {
	l, err := s.ownLogin(ctx)
	if err != nil {
		return nil, err
	}
	if l == nil || l.credential.Access.Empty() {
		return nil, ErrNoCredential
	}
	return newHeld(s, l.credential, l), nil
}

// ownLogins are those of a client itself: it has no account.
func (s *Session) ownLogins() logins { return s.logins().of("") }

// ownLogin is the record of such a token; nil where there is none.
func (s *Session) ownLogin(ctx context.Context) (*login, error) {
	all := s.ownLogins()
	l, err := all.find(ctx)
	if errors.Is(err, ErrNoCredential) || isNoKeyring(err) {
		one := &login{store: s.memory, key: all.key(s.server), issuer: s.server, server: s.server}
		if one.credential, err = s.memory.Load(ctx, one.key); errors.Is(err, ErrNoCredential) {
			return nil, nil
		}
		return one, err
	}
	if err != nil {
		return nil, err
	}
	return l, l.bound(s)
}

// anew writes down what is requested, in a record that has no token yet, and gets the token: from
// then on it is a renewal as any other, one at a time over all processes, whose failure everybody
// remembers: also whoever has waited for it since began. A token that another process got for the same
// scopes since good is as good; the zero time stands for none.
func (s *Session) anew(ctx context.Context, plan *Plan, began, good time.Time) (*Held, error) {
	if plan == nil {
		var err error
		if plan, err = s.Plan(ctx); err != nil {
			return nil, err
		}
	}
	if err := plan.checkRequest(false); err != nil {
		return nil, err
	}
	all, now := s.ownLogins(), s.opt.now().Round(0)
	l := &login{store: s.ownStore(ctx), key: all.key(s.server), issuer: s.server, server: s.server}
	blank := &credential.Credential{
		Own: true, Issuer: s.server.Issuer, ClientID: l.key.ClientID, TokenType: "Bearer", Hosts: scopes.NewSet(s.hosts()...).Slice(),
		Asked: plan.Request, Resources: plan.indicators(), ObtainedAt: now,
		Grant: scopes.Grant{Kind: scopes.AccessToken, KnownBy: scopes.Assumed, ExpiresAt: now, Server: s.server.Name},
	}
	err := all.alone(ctx, l.store, l.key, func() (err error) {
		before, err := l.store.Load(ctx, l.key)
		isNew := err == nil && (before.Access.Empty() || !good.IsZero() && before.LivesAt(now) && !before.ObtainedAt.Before(good.Truncate(time.Second)))
		if isNew && before.Own && plan.Request.Equal(before.Asked) {
			l.credential = before // also with what it says of an attempt that failed just now
			return nil
		}
		if err == nil {
			blank.Renewal.Failed = before.Renewal.Failed // the server may have asked to wait
		}
		l.credential = blank
		return l.store.Save(ctx, l.key, blank)
	})
	if err != nil {
		return nil, err
	}
	h := newHeld(s, l.credential, l)
	h.Plan = plan
	return h, h.first(ctx, began)
}

// first gets the token of a record that has none, or what another process has got since began.
func (h *Held) first(ctx context.Context, began time.Time) error {
	if !h.Credential.Access.Empty() {
		return nil
	}
	err := h.refreshSince(ctx, began, 0)
	h.isNew = err == nil
	refused, ok := errors.AsType[*oauth.ResponseError](err)
	if plan := h.LastPlan(); ok && refused.Code == "invalid_scope" && plan != nil {
		cause := authorizationErrorOf(refused)
		needs := plan.refusedNeeds(cause)
		return &MissingError{Needs: needs, Plan: plan, Level: highest(needs), Cause: cause}
	}
	return err
}

// authorizationErrorOf is a refusal of the scopes at the token endpoint as one of the same at the
// authorization endpoint: what is done about it is the same.
func authorizationErrorOf(e *oauth.ResponseError) *oauth.AuthorizationError {
	return &oauth.AuthorizationError{Code: e.Code, Description: e.Description, URI: e.URI}
}

// narrowOwn requests fewer scopes for a client's own token, as a login does; nil where nothing is
// known of what was requested.
func (s *Session) narrowOwn(plan *Plan) func(*oauth.AuthorizationError) (scopes.Set, bool) {
	if plan == nil {
		return nil
	}
	return func(e *oauth.AuthorizationError) (scopes.Set, bool) {
		fewer, told, ok := plan.narrow(e)
		if !ok {
			return scopes.Set{}, false
		}
		s.opt.UI.note(told)
		plan = fewer
		return fewer.Request, true
	}
}

// ownStore is where a client's own token is kept: in the store that was named, else in the keyring,
// and in memory where there is none. Nobody is asked for a file: another token costs one request.
func (s *Session) ownStore(ctx context.Context) store.Store {
	key := s.ownLogins().key(s.server)
	switch {
	case s.opt.Store != nil && (s.ownLogins().inMemory() || s.opt.hasHome()):
		return s.opt.Store
	case s.opt.hasHome() && canKeep(ctx, store.Keyring{}, key) == nil:
		return store.Keyring{}
	}
	return s.memory
}

func isNoKeyring(err error) bool {
	_, none := errors.AsType[*store.NoKeyringError](err)
	return none
}
