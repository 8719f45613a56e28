package ambit

import (
	"context"
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A login is a stored credential, and where it lies.
type login struct {
	credential *credential.Credential // nil where the record is damaged
	store      store.Store
	key        store.Key
	issuer     provider.Server // the server that gave it
	server     provider.Server // the server that it is good for
}

// load reads it from its store. The program of a store may hand out the wrong record, and no server gets
// another one's token; a key that a person made names no server.
func (l *login) load(ctx context.Context) error {
	c, err := l.store.Load(ctx, l.key)
	if err == nil && c.Issuer != l.issuer.Issuer && (c.Issuer != "" || c.TokenType != "" || c.Renewable()) {
		err = &store.CorruptError{Store: l.store.Name(), Problem: "it is the record of another server"}
	}
	if err == nil {
		l.credential = c
	}
	return err
}

// bound returns an *[UnboundError] where the session names hosts that the login was not
// obtained for, that are none of the built-in providers', and that the user did not confirm: a
// manifest of the same name may not lead it elsewhere, not even to another port of this machine.
func (l *login) bound(s *Session) error {
	others, err := confirmed{s.opt, s}.unbound(s.hosts(), l.credential.Hosts)
	if err != nil {
		return err
	}
	if len(others) == 0 {
		return nil
	}
	return &UnboundError{Held: newHeld(s, l.credential, l), Manifest: s.manifest.File, Hosts: others}
}

// logins are those that are stored for a manifest, as one server looks for them.
type logins struct {
	stores
	manifest *manifest.Manifest
	server   provider.Server
	chosen   bool   // a login has to be for that server
	account  string // under which they are kept
}

// logins are those of the account that is named, or the default.
func (s *Session) logins() logins {
	return logins{stores{s.opt}, s.manifest, s.server, s.chosen, s.account()}
}

// key is the store's key of a login that one of the provider's servers gives.
func (l logins) key(at provider.Server) store.Key {
	return store.Key{Issuer: at.Issuer, ClientID: l.manifest.Provider.Client.IDFor(at.Name), Manifest: l.manifest.Name, Account: l.account}
}

// issuers are those that may have given a login, the chosen one first.
func (l logins) issuers() []provider.Server {
	list := []provider.Server{l.server}
	for _, other := range l.manifest.Provider.Servers {
		if other.Name != l.server.Name {
			list = append(list, other)
		}
	}
	return list
}

// goodFor is the server that a credential names, else the one that gave it.
func goodFor(p *provider.Provider, c *credential.Credential, from provider.Server) provider.Server {
	if named, ok := p.Lookup(c.Server); ok && c.Server != "" {
		return named
	}
	return from
}

// each shows the logins, in the order in which one is looked for, until
// see has seen enough. err is why a record cannot be read. A store that does not answer is
// asked once: silent is the error of one that may hold a login all the same, absent that of a
// keyring that cannot be reached from here.
func (l logins) each(ctx context.Context, stores []store.Store, see func(one *login, err error) (enough bool)) (silent, absent error) {
	dead := make(map[string]bool)
	for _, from := range l.issuers() {
		for _, backend := range stores {
			if dead[backend.Name()] {
				continue
			}
			one := &login{store: backend, key: l.key(from), issuer: from, server: from}
			err := l.opt.UI.during("asking "+backend.Name(), func() error { return one.load(ctx) })
			if none, ok := errors.AsType[*store.NoKeyringError](err); ok {
				dead[backend.Name()] = true
				if none.Silent || l.opt.Store != nil && l.opt.Store.Name() == backend.Name() {
					silent = err
				} else {
					absent = none.Err
				}
				continue
			}
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				one.server = goodFor(l.manifest.Provider, one.credential, from)
			}
			if see(one, err) {
				return nil, nil
			}
		}
	}
	return silent, absent
}

// serves reports whether a login is for the server that was chosen, if one was.
func (l logins) serves(one *login) bool {
	if one.credential.Own != l.manifest.Provider.Client.Own {
		return false // of a person's, or of the client's own, as the file has it now
	}
	return !l.chosen || one.server.Issuer == l.server.Issuer || one.issuer.Issuer == l.server.Issuer
}

// find looks for a login that is good for the chosen server: one that this
// server gave, or one that another gave for it. It returns [ErrNoCredential] where there is
// none, as an *[UnreachedError] where the keyring cannot be reached from here, and the keyring's
// error where that does not tell.
func (l logins) find(ctx context.Context) (*login, error) {
	var found *login
	var broken error
	silent, absent := l.each(ctx, l.reading(), func(one *login, err error) bool {
		if broken = err; err == nil && l.serves(one) {
			found = one
		}
		return broken != nil || found != nil
	})
	switch {
	case found != nil:
		return found, nil
	case broken != nil:
		return nil, broken
	case silent != nil:
		return nil, silent
	}
	if l.chosen {
		anywhere := l
		anywhere.chosen = false
		if other, err := anywhere.find(ctx); err == nil {
			return nil, &ElsewhereError{Server: l.server, Other: other.server}
		}
	}
	if absent != nil {
		return nil, &UnreachedError{Err: absent}
	}
	return nil, ErrNoCredential
}

// supersede removes the older credentials that would be used in place of the
// new one: of the same key in another store, or good for the same server. It reports whether a
// server still knows one of them.
func (l logins) supersede(ctx context.Context, key store.Key, kept store.Store, good provider.Server) (living bool) {
	if l.inMemory() {
		return false
	}
	silent, _ := l.each(ctx, l.beside(), func(one *login, err error) bool {
		switch {
		case one.key == key && one.store.Name() == kept.Name():
			return false // the new one
		case err == nil && one.server.Issuer != good.Issuer, err != nil && one.key != key:
			return false // another server's
		}
		if err := l.alone(ctx, one.store, one.key, func() error { return l.forget(ctx, one.store, one.key) }); err != nil {
			l.opt.UI.note(fmt.Sprintf("an older credential remains in %s: %s", one.store.Name(), text.Line(err.Error())))
		}
		living = living || livesOn(one.credential, l.opt.now())
		return false
	})
	if silent != nil {
		l.opt.UI.note("whether the keyring holds an older login is unknown: " + text.Line(silent.Error()))
	}
	return living
}
