package ambit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A widening is a login that is to hold more than the stored one.
type widening struct {
	of   *Session // the same session without it
	add  []string
	from *login // the stored one; nil where there is none
}

// Widen is the same session for a login that asks for more than the manifest declares: for these
// scopes too, declared or not, advertised or not, and for all that the stored login holds or asked
// for, in one consent. A refresh cannot do that (RFC 6749 §6). [Session.Plan] and [Session.Login] of
// it do the rest: the stored login stays until the new one is kept, and stays altogether where
// another account consents (an *[AccountError]). Errors: a *[scopes.SyntaxError]; an
// *[APIKeyError] where an API key is in use; those of [Session.FindStored] but [ErrNoCredential].
func (s *Session) Widen(ctx context.Context, add ...string) (*Session, error) {
	for _, scope := range add {
		if err := scopes.CheckScope(scope); err != nil {
			return nil, err
		}
	}
	h, err := s.FindStored(ctx)
	_, damaged := errors.AsType[*store.CorruptError](err)
	switch {
	case damaged:
		s.opt.UI.note(text.Line(err.Error()) + ": what it holds is not asked for again")
	case errors.Is(err, ErrNoCredential):
	case err != nil:
		return nil, err
	case !h.IsLogin():
		return nil, &APIKeyError{Held: h, Add: add}
	}
	wider := *s
	if err == nil {
		wider = *s.For(h)
	}
	wider.widening, wider.needs = &widening{of: s, add: add}, slices.Clone(s.needs)
	for _, scope := range add {
		wider.add(scope, "asked for besides what the manifest declares")
	}
	if err == nil {
		wider.widening.from = h.login
		for scope := range h.Credential.Scopes.All() {
			wider.keep(scope, "held by the login that this one replaces")
		}
		for scope := range h.Credential.Asked.All() {
			wider.keep(scope, "requested by the login that this one replaces")
		}
	}
	return &wider, nil
}

// holdings are the scopes that a login holds, and those that it asked for: a consent may give now
// what it did not give then.
func holdings(c *credential.Credential) scopes.Set { return c.Scopes.Union(c.Asked) }

// needFor is the place of the need for this very scope; -1 for none.
func (s *Session) needFor(scope string) int {
	return slices.IndexFunc(s.needs, func(e scopes.Need) bool { return len(e.AnyOf) == 1 && e.AnyOf[0] == scope })
}

// add makes a scope one that is asked for in any case.
func (s *Session) add(scope, why string) {
	at := s.needFor(scope)
	if at < 0 {
		at, s.needs = len(s.needs), append(s.needs, scopes.Need{AnyOf: []string{scope}, Level: scopes.Optional, Why: why})
	}
	s.needs[at].Added = true
}

// keep makes a scope one that is asked for again, whatever stands for it in the manifest now.
func (s *Session) keep(scope, why string) {
	if s.needFor(scope) < 0 {
		s.add(scope, why)
	}
}

// widenAgain begins anew with what is stored by now: another process has logged in meanwhile.
func (c *consent) widenAgain(ctx context.Context) error {
	w := c.session.widening
	if w == nil {
		return nil
	}
	wider, err := w.of.Widen(ctx, w.add...)
	if err != nil {
		return err
	}
	again := *c.plan
	again.Session, again.negotiation.Needs = wider, wider.needs
	again.negotiate()
	c.session, c.plan = wider, &again
	return nil
}

// mayReplace looks, with the store locked, whether a new login may take the place of the one that
// was to be widened: the same person's, and none that came meanwhile and holds more.
func (w *widening) mayReplace(ctx context.Context, in store.Store, key store.Key, h *Held) error {
	var had scopes.Set
	if w.from != nil {
		in, key, had = w.from.store, w.from.key, holdings(w.from.credential)
		if h.Server.Issuer != w.from.server.Issuer {
			return &AccountError{Stored: w.from.credential, Came: h.Credential, Server: w.from.server, CameServer: h.Server}
		}
	}
	now, err := in.Load(ctx, key)
	if err != nil {
		return nil // it is gone, or cannot be read: there is nothing to lose
	}
	if !isSameAccount(now, h.Credential) {
		return &AccountError{Stored: now, Came: h.Credential, Server: h.Server, CameServer: h.Server}
	}
	if more := holdings(now).Minus(had).Minus(holdings(h.Credential)); more.Len() > 0 {
		return &OvertakenError{More: more}
	}
	return nil
}

// An AccountError says that another account consented than the one whose login was to hold more.
// The stored login stays, and what came was given back.
type AccountError struct {
	Stored, Came       *credential.Credential
	Server, CameServer provider.Server
}

// Error names both accounts, or their servers, as far as the server said so.
func (e *AccountError) Error() string {
	stored, came := e.Stored.Account, e.Came.Account
	switch {
	case stored != "" && came != "" && stored != came:
	case e.Server.Issuer != e.CameServer.Issuer:
		stored, came = "one of server "+e.Server.Name, "one of server "+e.CameServer.Name
	default:
		return "another account agreed than the one that is logged in: its login is not used, and the stored one stays"
	}
	return fmt.Sprintf("another account agreed (%s) than the one that is logged in (%s): its login is not used, and the stored one stays", text.Line(came), text.Line(stored))
}

// An OvertakenError says that another process has stored a login while the person was asked, which
// holds what the new one does not. It stays.
type OvertakenError struct{ More scopes.Set }

// Error names what it holds.
func (e *OvertakenError) Error() string {
	return "another process has logged in meanwhile, and its login holds more (" + text.Listed(e.More.Slice()) + "): it stays"
}

// An APIKeyError says that an API key is in use, to which no login adds anything.
type APIKeyError struct {
	Held *Held
	Add  []string // what was to be added
}

// Error says where the key is.
func (e *APIKeyError) Error() string {
	return fmt.Sprintf("the credential in use is an API key, from %s: a login adds nothing to it", text.Line(e.Held.Credential.Source))
}
