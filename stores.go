package ambit

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/store"
)

// stores are the places of a login, as the options have it.
type stores struct{ opt *Options }

// inMemory reports whether a login is for this process alone.
func (p stores) inMemory() bool {
	_, yes := p.opt.Store.(*store.Memory)
	return yes
}

// reading are those where a login may be, in the order of looking. The file comes first:
// looking there costs nothing, and it holds one only after a yes.
func (p stores) reading() []store.Store {
	switch {
	case !p.inMemory() && !p.opt.hasHome():
		return nil // where nothing can be kept, nothing is
	case p.opt.Store != nil:
		return []store.Store{p.opt.Store}
	}
	return p.system()
}

func (p stores) system() []store.Store {
	return []store.Store{store.File{Dir: p.opt.credentialsDir()}, store.Keyring{}}
}

// writing picks the store of a new login, before anybody logs in: the keyring where
// there is one, a plain file only after a yes.
func (p stores) writing(ctx context.Context, key store.Key) (store.Store, error) {
	if p.inMemory() {
		return p.opt.Store, nil
	}
	if !p.opt.hasHome() {
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

// alone does what replaces or removes a credential while no other process renews it: what
// that one stores later would bring the old credential back.
func (p stores) alone(ctx context.Context, key store.Key, do func() error) error {
	if p.inMemory() {
		return do()
	}
	unlock, err := store.Lock(ctx, p.opt.lockDir(), key, func() { p.opt.UI.note("another process is renewing this login; waiting for it") })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.opt.UI.note(text.Line(err.Error())) // better so than not at all
		return do()
	}
	defer unlock()
	return do()
}
