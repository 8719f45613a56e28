package ambit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Logout is what became of a logout.
type Logout struct {
	Removed bool              // there was a login
	Revoked bool              // the server was told of each, and agreed
	Stores  []string          // from which it was removed
	Why     error             // why it was not revoked; nil where it was
	Others  []provider.Server // for which logins stay
	Stay    []Account         // that stay logged in
}

// Logout revokes the login of this session's server at that server (RFC 7009), where it offers
// that, and removes it from this machine in any case. An API key is forgotten, not revoked.
// Errors: the store's; *[AccountsError]; *[NoAccountError] for an account that the options name.
func (s *Session) Logout(ctx context.Context) (Logout, error) {
	var out Logout
	all, _, err := s.choose(ctx)
	_, several := errors.AsType[*AccountsError](err)
	if _, none := errors.AsType[*NoAccountError](err); several || none && s.opt.Account != "" {
		return out, err
	}
	var mine, damaged []*login
	var broken error
	silent, absent := all.each(ctx, all.reading(), func(l *login, err error) bool {
		_, unreadable := errors.AsType[*store.CorruptError](err)
		switch {
		case unreadable: // whichever server it was for: nobody can use it
			damaged = append(damaged, l)
		case err != nil:
			broken = err
		case len(mine) == 0 && all.serves(l), len(mine) > 0 && l.server.Issuer == mine[0].server.Issuer:
			mine = append(mine, l) // the one that is used, and what would be used in its place
		case !s.chosen:
			out.Others = append(out.Others, l.server)
		}
		return broken != nil
	})
	if broken != nil || silent != nil && len(mine)+len(damaged) == 0 {
		return out, cmp.Or(broken, silent)
	}
	for _, l := range append(mine, damaged...) {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		if err := out.remove(ctx, s, l); err != nil {
			return out, err
		}
	}
	s.leaveFolders(all)
	if silent != nil {
		s.opt.UI.note("whether the keyring holds another login is unknown: " + text.Line(silent.Error()))
		return out, nil
	}
	if absent != nil && !out.Removed {
		s.opt.UI.note("the keyring cannot be reached from here, and a login that it holds stays: " + text.Line(absent.Error()))
	}
	out.Stay = accountsOf(all.others(ctx))
	return out, nil
}

// leaveFolders clears the defaults that name an account of which no login is left.
func (s *Session) leaveFolders(all logins) {
	if all.account == "" || all.inMemory() || slices.Contains(all.accounts(), all.account) {
		return
	}
	err := s.folders().forget(func(f FolderAccount) bool { return f.Manifest == s.manifest.Name && f.Account == all.account })
	if err != nil {
		s.opt.UI.note("the account remains the default of a directory: " + text.Line(err.Error()))
	}
}

// unread is why a record that cannot be read is not revoked.
func unread(err error) error {
	if e, ok := errors.AsType[*store.CorruptError](err); ok {
		return errors.New("its record cannot be read: " + e.Problem)
	}
	return err
}

// remove revokes a login and takes it out of its store. Whatever the server says: a
// credential that is not wanted is not kept. Once the server was told, it is taken out here too,
// though whoever waited went away: what is revoked is good for nothing.
func (out *Logout) remove(ctx context.Context, s *Session, l *login) error {
	return s.logins().alone(ctx, l.store, l.key, func() error {
		person := ctx
		ctx, cancel := signals.OutliveFirst(person)
		defer cancel()
		here, done := signals.Outlive(person)
		defer done()
		why := l.load(ctx) // another process may have renewed it meanwhile
		if l.credential != nil {
			why = s.revoke(ctx, l)
		} else {
			why = unread(why)
		}
		if err := s.logins().forget(here, l.store, l.key); err != nil {
			if why == nil {
				l.bury(here, s.opt.now())
				s.opt.UI.note("the login was revoked at the server, and cannot be removed here: what is stored is good for nothing any more")
			}
			return err
		}
		s.dropRegistration(here, l)
		out.Revoked = why == nil && (!out.Removed || out.Revoked)
		out.Removed = true
		out.Why = cmp.Or(why, out.Why)
		if person.Err() != nil && why != nil {
			s.opt.UI.note("the login was removed here; not revoked: " + text.Line(why.Error()))
		}
		if name := l.store.Name(); !slices.Contains(out.Stores, name) {
			out.Stores = append(out.Stores, name)
		}
		return nil
	})
}

// errKeyMade is why an API key is not revoked by a logout.
var errKeyMade = errors.New("an API key is revoked where it was made")

// revoke tells the server that a login is over; the error says why it could not.
func (s *Session) revoke(ctx context.Context, l *login) error {
	if !l.credential.Issued() && l.credential.Refresh.Empty() {
		return errKeyMade
	}
	client, err := s.guarded(ctx)
	if err == nil {
		err = l.bound(s)
	}
	if err != nil {
		return err
	}
	return s.opt.UI.during("revoking the credential", func() error {
		as, err := s.metadataOf(ctx, l.issuer)
		if err != nil {
			return err
		}
		who, err := s.clientOf(ctx, l.issuer, l.credential.ClientID, l.store)
		if err != nil {
			return err
		}
		revocation := oauth.Revocation{HTTP: client, Server: as, Client: who, Provider: s.Provider(), At: l.server}
		return revocation.Revoke(ctx, l.credential)
	})
}
