package cli

import (
	"context"
	"errors"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A stored credential, and where it lies.
type stored struct {
	credential *credential.Credential // nil where the record is damaged
	store      store.Store
	key        store.Key
	issuer     provider.Server // the server that gave it
	server     provider.Server // the server that it is good for
}

// keyAt is the store's key of a login at one of the provider's servers.
func (p *project) keyAt(s provider.Server) store.Key {
	return store.Key{Issuer: s.Issuer, ClientID: p.provider().Client.IDFor(s.Name), Manifest: p.manifest.Name}
}

// loginServers are those that may have given a login, the chosen one first.
func (p *project) loginServers() []provider.Server {
	list := []provider.Server{p.server}
	for _, s := range p.provider().Servers {
		if s.Name != p.server.Name {
			list = append(list, s)
		}
	}
	return list
}

// goodFor is the server that a credential names, else the one that gave it.
func (p *project) goodFor(c *credential.Credential, from provider.Server) provider.Server {
	if s, ok := p.provider().Lookup(c.Server); ok && c.Server != "" {
		return s
	}
	return from
}

// eachLogin shows the logins of this manifest, in the order in which commands look for
// one, until see has seen enough. err is why a record cannot be read. A store that does
// not answer is asked once; the error is that of one that may hold a login all the same.
func (r *run) eachLogin(ctx context.Context, p *project, stores []store.Store, see func(s *stored, err error) (enough bool)) error {
	var silent error
	dead := make(map[string]bool)
	for _, from := range p.loginServers() {
		for _, backend := range stores {
			if dead[backend.Name()] {
				continue
			}
			s := &stored{store: backend, key: p.keyAt(from), issuer: from, server: from}
			err := r.voice.during("asking "+backend.Name(), func() (err error) {
				s.credential, err = backend.Load(ctx, s.key)
				return err
			})
			if none, ok := is[*store.NoKeyringError](err); ok {
				dead[backend.Name()] = true
				if none.Silent || r.settings.Store == "keyring" {
					silent = err
				}
				continue
			}
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				s.server = p.goodFor(s.credential, from)
			}
			if see(s, err) {
				return nil
			}
		}
	}
	return silent
}

// serves reports whether a login is for the server that was chosen, if one was.
func (p *project) serves(s *stored) bool {
	return !p.chosen || s.server.Issuer == p.server.Issuer || s.issuer.Issuer == p.server.Issuer
}

// find looks for a login of this manifest that is good for the chosen server: one
// that this server gave, or one that another gave for it. It returns
// [oauth.ErrNotFound] where there is none, and the keyring's error where that does not
// tell.
func (r *run) find(ctx context.Context, p *project) (*stored, error) {
	var found *stored
	var broken error
	silent := r.eachLogin(ctx, p, r.readingStores(), func(s *stored, err error) bool {
		if broken = err; err == nil && p.serves(s) {
			found = s
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
	return nil, store.ErrNotFound
}

// alone does what replaces or removes a credential while no other ambit renews it: what
// comes of a renewal would be stored over it.
func (r *run) alone(ctx context.Context, key store.Key, do func() error) error {
	if r.settings.Store == "memory" {
		return do()
	}
	unlock, err := store.Lock(ctx, r.lockDir(), key, func() { r.voice.say("another ambit is renewing this login; waiting for it to end") })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.voice.note("%s", plain(err.Error())) // better so than not at all
		return do()
	}
	defer unlock()
	return do()
}

// keep stores a new credential, and takes away what it replaces.
func (r *run) keep(ctx context.Context, p *project, h *held, store store.Store) error {
	at := *p
	at.server = h.server
	h.credential.Hosts = scopes.NewSet(append(p.hosts(), at.hosts()...)...).Slice()
	h.credential.ObtainedAt = time.Now()
	key := p.keyAt(p.server)
	var before *credential.Credential
	err := r.alone(ctx, key, func() error {
		before, _ = store.Load(ctx, key)
		return store.Save(ctx, key, h.credential)
	})
	if err != nil {
		r.takeBack(ctx, p, h)
		return err
	}
	if r.supersede(ctx, p, key, store, h.server) || livesOn(before) {
		r.voice.note("the login that this one replaces is forgotten here, and lives on at the server until it ends")
	}
	return nil
}

// livesOn reports whether a credential is a login that a server still knows.
func livesOn(c *credential.Credential) bool {
	return c != nil && c.Kind == scopes.OAuthToken && (!c.Refresh.Empty() || c.LivesAt(time.Now()))
}

// supersede removes the older credentials of this manifest that a command would use in
// place of the new one: of the same key in another store, or good for the same server.
// It reports whether a server still knows one of them.
func (r *run) supersede(ctx context.Context, p *project, key store.Key, kept store.Store, good provider.Server) (living bool) {
	if r.settings.Store == "memory" {
		return false
	}
	silent := r.eachLogin(ctx, p, []store.Store{r.fileStore(), store.Keyring{}}, func(s *stored, err error) bool {
		switch {
		case s.key == key && s.store.Name() == kept.Name():
			return false // the new one
		case err == nil && s.server.Issuer != good.Issuer, err != nil && s.key != key:
			return false // another server's
		}
		if err := r.alone(ctx, s.key, func() error { return s.store.Delete(ctx, s.key) }); err != nil {
			r.voice.note("an older credential stays in %s: %s", s.store.Name(), plain(err.Error()))
		}
		living = living || livesOn(s.credential)
		return false
	})
	if silent != nil {
		r.voice.note("whether an older login lies in the keyring is not known: %s", plain(silent.Error()))
	}
	return living
}

// revocationGrace is how long the revocation of a token that was not kept may take,
// whoever went away meanwhile.
const revocationGrace = 10 * time.Second

// takeBack revokes a token that nobody will ever find again: it could not be kept.
func (r *run) takeBack(ctx context.Context, p *project, h *held) {
	if h.credential.Kind != scopes.OAuthToken {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revocationGrace)
	defer cancel()
	if remark := r.revoke(ctx, p, &stored{credential: h.credential, issuer: p.server}); remark != "" {
		r.voice.note("the token that could not be kept lives on at the server: %s", remark)
		return
	}
	r.voice.note("the token that could not be kept was revoked")
}
