package ambit

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
)

// stores are the places of a login, as the options have it.
type stores struct{ opt *Options }

// inMemory reports whether a login is for this process alone.
func (p stores) inMemory() bool {
	_, yes := p.opt.Store.(*store.Memory)
	return yes
}

// prepareProgram gives the program of a store its environment, and somebody to tell; of is as in
// [confirmed].
func (o *Options) prepareProgram(of *Session) {
	if program, ok := o.Store.(*store.Exec); ok {
		o.Store = program.With(func() []string { return confirmed{o, of}.withoutKeys() }, o.UI.note)
	}
}

// elsewhere reports whether a login is kept by a program, which needs no directory of ours.
func (p stores) elsewhere() bool {
	_, yes := p.opt.Store.(*store.Exec)
	return yes
}

// reading are those where a login may be, in the order of looking. The file comes first:
// looking there costs nothing, and it holds one only after a yes.
func (p stores) reading() []store.Store {
	switch {
	case !p.inMemory() && !p.elsewhere() && !p.opt.hasHome():
		return nil // where nothing can be kept, nothing is
	case p.opt.Store != nil:
		return []store.Store{p.opt.Store}
	}
	return p.system()
}

func (p stores) system() []store.Store {
	return []store.Store{store.File{Dir: p.opt.credentialsDir()}, store.Keyring{}}
}

// beside are those in which an older login would be used in place of a new one: what a program
// keeps for others, and what this machine keeps for itself, have nothing to do with each other.
func (p stores) beside() []store.Store {
	if p.elsewhere() {
		return p.reading()
	}
	return p.system()
}

// writing picks the store of a new login, before anybody logs in: the keyring where
// there is one, a plain file only after a yes.
func (p stores) writing(ctx context.Context, key store.Key) (store.Store, error) {
	if p.inMemory() {
		return p.opt.Store, nil
	}
	if !p.elsewhere() && !p.opt.hasHome() {
		return nil, ErrNoHome
	}
	if named := p.opt.Store; named != nil {
		return named, canKeep(ctx, named, key)
	}
	err := canKeep(ctx, store.Keyring{}, key)
	none, ok := errors.AsType[*store.NoKeyringError](err)
	if !ok {
		return store.Keyring{}, err
	}
	file := store.File{Dir: p.opt.credentialsDir()}
	if _, err := file.Load(ctx, key); err == nil {
		return file, canKeep(ctx, file, key) // someone said yes to it before
	}
	why := "There is no keyring on this machine."
	if none.Silent {
		why = "The keyring of this machine is locked, or does not answer."
	}
	yes, gone := p.opt.UI.ask(ctx, why+" Keep the credential in a file that only you can read?")
	if yes {
		return file, canKeep(ctx, file, key)
	}
	return nil, cmp.Or(gone, err)
}

// canKeep tries a store: to find out after the consent that it cannot be used would lose a token
// that lives on at the server.
func canKeep(ctx context.Context, in store.Store, key store.Key) error {
	err := in.Probe(ctx, key)
	if _, ours := errors.AsType[*fs.PathError](err); ours {
		return &StoreError{Err: err}
	}
	return err
}

// forget removes a login from its store, and from the list of them.
func (p stores) forget(ctx context.Context, in store.Store, key store.Key) error {
	if err := in.Delete(ctx, key); err != nil || p.inMemory() {
		return err
	}
	return p.index().Remove(key, in.Name())
}

// alone does what replaces or removes a credential while no other process renews it: what
// that one stores later would bring the old credential back.
func (p stores) alone(ctx context.Context, in store.Store, key store.Key, do func() error) error {
	return p.inTurn(ctx, in, key, "another process is renewing this login; waiting for it", do)
}

// inTurn does what one process at a time does about a key; whoever waits is told.
func (p stores) inTurn(ctx context.Context, in store.Store, key store.Key, waiting string, do func() error) error {
	p.opt.UI.begin()
	lease, err := in.Lease(ctx, key, store.Claim{LockDir: p.opt.lockDir(), Waiting: func() { p.opt.UI.note(waiting) }})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.opt.UI.note(text.Line(err.Error())) // better so than not at all
		return do()
	}
	defer lease.Release()
	return do()
}

// keepKey asks what an API key holds, and keeps it under the key of the server that was asked
// for, where it is looked for first.
func (h *Held) keepKey(ctx context.Context) error {
	if err := h.Inspect(ctx); err != nil {
		return err
	}
	h.Identify(ctx)
	all := h.session.logins()
	in, err := all.writing(ctx, all.key(all.server))
	if err != nil {
		return err
	}
	h.Credential.Server = h.Server.Name
	return h.keep(ctx, in)
}

// keep stores a new credential, and takes away what it replaces. Of whoever goes away before it
// is stored, and of one that may not replace the login that it was to widen, the token is taken back;
// what is stored stays.
func (h *Held) keep(ctx context.Context, in store.Store) error {
	s, all := h.session, h.session.logins()
	h.Credential.Hosts = scopes.NewSet(append(s.hosts(), s.At(h.Server).hosts()...)...).Slice()
	h.Credential.ObtainedAt = s.opt.now().Round(0)
	key := all.key(s.server)
	var before *credential.Credential
	lasting, cancel := signals.OutliveFirst(ctx)
	defer cancel()
	err := all.alone(ctx, in, key, func() error {
		before, _ = in.Load(lasting, key)
		if s.widening != nil {
			if err := s.widening.mayReplace(lasting, in, key, h); err != nil {
				return err
			}
		}
		err := in.Save(lasting, key, h.Credential)
		if err == nil {
			return nil
		}
		if stored, _ := in.Load(lasting, key); stored != nil && stored.SameSecrets(h.Credential) {
			return nil // it was stored, and that was not said
		}
		return err
	})
	if err != nil {
		h.takeBack(ctx, in)
		return err
	}
	s.noteLogin(key, in)
	s.noteOther(before, h.Credential)
	if all.supersede(lasting, key, in, h.Server) || livesOn(before, s.opt.now()) {
		s.opt.UI.note("the login that this one replaces is forgotten here, and remains valid at the server until it expires")
	}
	h.Credential.Source = in.Name()
	h.login = &login{credential: h.Credential, store: in, key: key, issuer: s.server, server: h.Server}
	return nil
}

// livesOn reports whether a credential is a login that a server still knows.
func livesOn(c *credential.Credential, now time.Time) bool {
	return c != nil && c.Issued() && (!c.Refresh.Empty() || c.LivesAt(now))
}

// takeBack revokes a token that nobody will ever find again: it could not be kept.
func (h *Held) takeBack(ctx context.Context, in store.Store) {
	if !h.Credential.Issued() {
		return
	}
	s := h.session
	ctx, cancel := signals.Outlive(ctx)
	defer cancel()
	unkept := &login{credential: h.Credential, issuer: s.server, store: in, key: s.logins().key(s.server)}
	if why := s.revoke(ctx, unkept); why != nil {
		s.opt.UI.note("the token that came is not kept, and remains valid at the server: " + text.Line(why.Error()))
		return
	}
	unkept.bury(ctx, s.opt.now())
	s.opt.UI.note("the token that came is not kept, and was revoked")
}

// bury marks a login that its server does not know any more, if it stands in the store: nobody is to use it.
func (l *login) bury(ctx context.Context, now time.Time) *credential.Credential {
	dead := *l.credential
	dead.Refresh, dead.Renewal.RejectedAt = credential.Secret{}, now.Round(0)
	_ = l.store.Swap(ctx, l.key, nil, l.credential, &dead) // else the next one finds out for itself
	return &dead
}
