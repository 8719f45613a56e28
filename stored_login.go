package ambit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
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

// readingStores are where a login may be, in the order of looking. The file comes first:
// looking there costs nothing, and it holds one only after a yes.
func (s *Session) readingStores() []store.Store {
	_, inMemory := s.opt.Store.(*store.Memory)
	switch {
	case !inMemory && !s.opt.hasHome():
		return nil // where nothing can be kept, nothing is
	case s.opt.Store != nil:
		return []store.Store{s.opt.Store}
	}
	return s.systemStores()
}

func (s *Session) systemStores() []store.Store {
	return []store.Store{store.File{Dir: s.opt.credentialsDir()}, store.Keyring{}}
}

// writingStore picks the store of a new login, before anybody logs in: the keyring where
// there is one, a plain file only after a yes.
func (s *Session) writingStore(ctx context.Context, key store.Key) (store.Store, error) {
	if _, inMemory := s.opt.Store.(*store.Memory); inMemory {
		return s.opt.Store, nil
	}
	if !s.opt.hasHome() {
		return nil, ErrNoHome
	}
	file := store.File{Dir: s.opt.credentialsDir()}
	if named, ok := s.opt.Store.(store.File); ok {
		return named, canKeep(ctx, named, key)
	}
	_, err := store.Keyring{}.Load(ctx, key)
	if s.opt.Store != nil {
		_, err = s.opt.Store.Load(ctx, key)
	}
	none, ok := errors.AsType[*store.NoKeyringError](err)
	switch {
	case !ok:
		return cmp.Or[store.Store](s.opt.Store, store.Keyring{}), nil // a record that is damaged is about to be replaced
	case s.opt.Store != nil:
		return nil, err
	}
	if _, err := file.Load(ctx, key); err == nil {
		return file, canKeep(ctx, file, key) // someone said yes to it before
	}
	why := "There is no keyring on this machine."
	if none.Silent {
		why = "The keyring of this machine is locked, or does not answer."
	}
	yes, gone := s.opt.UI.ask(ctx, why+" Keep the credential in a file that only you can read?")
	if yes {
		return file, canKeep(ctx, file, key)
	}
	return nil, cmp.Or(gone, err)
}

// canKeep tries the file store: to find out after the consent that it cannot be used would
// lose a token that lives on at the server.
func canKeep(ctx context.Context, file store.File, key store.Key) error {
	err := os.MkdirAll(file.Dir, files.PrivateDir)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(file.Dir, ".try-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return &StoreError{Err: err}
	}
	_, err = file.Load(ctx, key)
	if unsafe, ok := errors.AsType[*files.UnsafeError](err); ok {
		return unsafe
	}
	return nil
}

// loginServers are those that may have given a login, the chosen one first.
func (s *Session) loginServers() []provider.Server {
	list := []provider.Server{s.server}
	for _, other := range s.Provider().Servers {
		if other.Name != s.server.Name {
			list = append(list, other)
		}
	}
	return list
}

// eachLogin shows the logins of this manifest, in the order in which one is looked for, until
// see has seen enough. err is why a record cannot be read. A store that does not answer is
// asked once; the error is that of one that may hold a login all the same.
func (s *Session) eachLogin(ctx context.Context, stores []store.Store, see func(l *login, err error) (enough bool)) error {
	var silent error
	dead := make(map[string]bool)
	for _, from := range s.loginServers() {
		for _, backend := range stores {
			if dead[backend.Name()] {
				continue
			}
			l := &login{store: backend, key: s.keyAt(from), issuer: from, server: from}
			err := s.opt.UI.during("asking "+backend.Name(), func() (err error) {
				l.credential, err = backend.Load(ctx, l.key)
				return err
			})
			if none, ok := errors.AsType[*store.NoKeyringError](err); ok {
				dead[backend.Name()] = true
				if none.Silent || s.opt.Store != nil {
					silent = err
				}
				continue
			}
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err == nil {
				l.server = s.goodFor(l.credential, from)
			}
			if see(l, err) {
				return nil
			}
		}
	}
	return silent
}

// serves reports whether a login is for the server that was chosen, if one was.
func (s *Session) serves(l *login) bool {
	return !s.chosen || l.server.Issuer == s.server.Issuer || l.issuer.Issuer == s.server.Issuer
}

// find looks for a login of this manifest that is good for the chosen server: one that this
// server gave, or one that another gave for it. It returns [ErrNoCredential] where there is
// none, and the keyring's error where that does not tell.
func (s *Session) find(ctx context.Context) (*login, error) {
	var found *login
	var broken error
	silent := s.eachLogin(ctx, s.readingStores(), func(l *login, err error) bool {
		if broken = err; err == nil && s.serves(l) {
			found = l
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
	case !s.chosen:
		return nil, ErrNoCredential
	}
	anywhere := *s
	anywhere.chosen = false
	if other, err := anywhere.find(ctx); err == nil {
		return nil, &ElsewhereError{Server: s.server, Other: other.server}
	}
	return nil, ErrNoCredential
}

// bound holds a stored login to the hosts that it was obtained for, those of the built-in
// providers and those that the user confirmed: a manifest of the same name may not lead it
// elsewhere, not even to another port of this machine.
func (s *Session) bound(l *login) error {
	confirmed, err := s.confirmedHosts()
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(s.hosts(), func(host string) bool {
		return slices.Contains(l.credential.Hosts, host) || slices.Contains(confirmed, host) || isBuiltinHost(host)
	})
	if len(others) == 0 {
		return nil
	}
	return &UnboundError{Manifest: s.manifest.File, Hosts: others}
}

// alone does what replaces or removes a credential while no other process renews it: what
// that one stores later would bring the old credential back.
func (s *Session) alone(ctx context.Context, key store.Key, do func() error) error {
	if _, inMemory := s.opt.Store.(*store.Memory); inMemory {
		return do()
	}
	unlock, err := store.Lock(ctx, s.opt.lockDir(), key, func() { s.opt.UI.note("another process is renewing this login; waiting for it") })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.opt.UI.note(text.Line(err.Error())) // better so than not at all
		return do()
	}
	defer unlock()
	return do()
}

// keep stores a new credential, and takes away what it replaces.
func (s *Session) keep(ctx context.Context, h *Held, in store.Store) error {
	h.Credential.Hosts = scopes.NewSet(append(s.hosts(), s.At(h.Server).hosts()...)...).Slice()
	h.Credential.ObtainedAt = s.opt.now()
	key := s.keyAt(s.server)
	var before *credential.Credential
	err := s.alone(ctx, key, func() error {
		before, _ = in.Load(ctx, key)
		return in.Save(ctx, key, h.Credential)
	})
	if err != nil {
		s.takeBack(ctx, h)
		return err
	}
	if s.supersede(ctx, key, in, h.Server) || livesOn(before, s.opt.now()) {
		s.opt.UI.note("the login that this one replaces is forgotten here, and remains valid at the server until it expires")
	}
	return nil
}

// livesOn reports whether a credential is a login that a server still knows.
func livesOn(c *credential.Credential, now time.Time) bool {
	return c != nil && c.Issued() && (!c.Refresh.Empty() || c.LivesAt(now))
}

// supersede removes the older credentials of this manifest that would be used in place of the
// new one: of the same key in another store, or good for the same server. It reports whether a
// server still knows one of them.
func (s *Session) supersede(ctx context.Context, key store.Key, kept store.Store, good provider.Server) (living bool) {
	if _, inMemory := s.opt.Store.(*store.Memory); inMemory {
		return false
	}
	silent := s.eachLogin(ctx, s.systemStores(), func(l *login, err error) bool {
		switch {
		case l.key == key && l.store.Name() == kept.Name():
			return false // the new one
		case err == nil && l.server.Issuer != good.Issuer, err != nil && l.key != key:
			return false // another server's
		}
		if err := s.alone(ctx, l.key, func() error { return l.store.Delete(ctx, l.key) }); err != nil {
			s.opt.UI.note(fmt.Sprintf("an older credential remains in %s: %s", l.store.Name(), text.Line(err.Error())))
		}
		living = living || livesOn(l.credential, s.opt.now())
		return false
	})
	if silent != nil {
		s.opt.UI.note("whether the keyring holds an older login is unknown: " + text.Line(silent.Error()))
	}
	return living
}

// revocationGrace is how long the revocation of a token that was not kept may take, whoever
// went away meanwhile.
const revocationGrace = 10 * time.Second

// takeBack revokes a token that nobody will ever find again: it could not be kept.
func (s *Session) takeBack(ctx context.Context, h *Held) {
	if !h.Credential.Issued() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revocationGrace)
	defer cancel()
	if why := s.revoke(ctx, &login{credential: h.Credential, issuer: s.server}); why != nil {
		s.opt.UI.note("the token that could not be kept remains valid at the server: " + text.Line(why.Error()))
		return
	}
	s.opt.UI.note("the token that could not be kept was revoked")
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
		err = s.bound(l)
	}
	if err != nil {
		return err
	}
	documents, err := s.documents()
	if err != nil {
		return err
	}
	return s.opt.UI.during("revoking the credential", func() error {
		as, err := documents.AuthorizationServer(ctx, l.issuer.Issuer)
		if err != nil {
			return err
		}
		revocation := oauth.Revocation{HTTP: client, Server: as}
		return revocation.Revoke(ctx, l.credential)
	})
}
