package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

func (r *run) fileStore() oauth.Store { return oauth.FileStore{Dir: r.credentialsDir()} }

func (r *run) credentialsDir() string { return filepath.Join(r.env.stateDir(), "credentials") }

// homeless is the failure of a command that has to keep something, on a machine that
// names no folder for it.
func (r *run) homeless() error {
	if r.env.stateDir() != "" && r.env.configDir() != "" {
		return nil
	}
	return fail(exitUsage, "there is no home folder to keep anything in", "set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")
}

// lockDir is where the locks of renewals are.
func (r *run) lockDir() string { return filepath.Join(r.env.stateDir(), "locks") }

// readingStores are where a credential may be, in the order of looking. The file
// comes first: looking there costs nothing, and it holds one only after a yes.
func (r *run) readingStores() []oauth.Store {
	switch {
	case r.settings.Store == "memory":
		return []oauth.Store{&r.memory}
	case r.homeless() != nil:
		return nil // where nothing can be kept, nothing is
	}
	switch r.settings.Store {
	case "file":
		return []oauth.Store{r.fileStore()}
	case "keyring":
		return []oauth.Store{oauth.KeyringStore{}}
	}
	return []oauth.Store{r.fileStore(), oauth.KeyringStore{}}
}

// writingStore picks the store of a new credential, before anybody logs in: the
// keyring where there is one, a plain file only after a yes.
func (r *run) writingStore(ctx context.Context, key oauth.Key) (oauth.Store, error) {
	if r.settings.Store == "memory" {
		return &r.memory, nil
	}
	if err := r.homeless(); err != nil {
		return nil, err
	}
	if r.settings.Store == "file" {
		return r.fileStore(), r.canKeep()
	}
	_, err := oauth.KeyringStore{}.Load(ctx, key)
	var none *oauth.NoKeyringError
	if !errors.As(err, &none) {
		return oauth.KeyringStore{}, nil // a record that is damaged is about to be replaced
	}
	if r.settings.Store != "" {
		return nil, credentialFailure(nil, err)
	}
	if _, err := r.fileStore().Load(ctx, key); err == nil {
		return r.fileStore(), r.canKeep() // someone said yes to it before
	}
	yes, interrupted := r.ask(ctx, "There is no keyring on this machine. Keep the credential in a file that only you can read?")
	if yes {
		return r.fileStore(), r.canKeep()
	}
	return nil, cmp.Or(interrupted, credentialFailure(nil, err))
}

// canKeep tries the file store's folder: to find out after the consent would lose a token
// that lives on at the server.
func (r *run) canKeep() error {
	dir := r.credentialsDir()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".try-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fail(exitUsage, "no credential can be kept there: "+plain(err.Error()), "set XDG_STATE_HOME to a folder of yours, or keep it for one run alone: --store memory")
	}
	return nil
}

// A stored credential, and where it lies.
type stored struct {
	credential *oauth.Credential
	store      oauth.Store
	key        oauth.Key
	issuer     scopes.Server // the server that gave it
	server     scopes.Server // the server that it is good for
}

// keyAt is the store's key of a login at one of the provider's servers.
func (p *project) keyAt(s scopes.Server) oauth.Key {
	return oauth.Key{Issuer: s.Issuer, ClientID: p.provider().Client.IDFor(s.Name), Manifest: p.manifest.Name}
}

// find looks for a login of this manifest that is good for the chosen server: one
// that this server gave, or one that another gave for it. It returns
// [oauth.ErrNotFound] where there is none, and the keyring's error where that does not
// tell.
func (r *run) find(ctx context.Context, p *project) (*stored, error) {
	nothing := oauth.ErrNotFound
	for _, s := range p.loginServers() {
		for _, store := range r.readingStores() {
			c, err := store.Load(ctx, p.keyAt(s))
			none, ok := is[*oauth.NoKeyringError](err)
			switch {
			case errors.Is(err, oauth.ErrNotFound):
				continue
			case ok && none.Silent:
				nothing = err // it may hold one
				continue
			case ok && r.settings.Store == "":
				continue // nothing can be kept there, so nothing is
			case err != nil:
				return nil, err
			}
			if good := p.goodFor(c, s); !p.chosen || good.Issuer == p.server.Issuer || s.Issuer == p.server.Issuer {
				return &stored{c, store, p.keyAt(s), s, good}, nil
			}
		}
	}
	return nil, nothing
}

// alone does what replaces or removes a credential while no other ambit renews it: what
// comes of a renewal would be stored over it.
func (r *run) alone(ctx context.Context, key oauth.Key, do func() error) error {
	if r.settings.Store == "memory" {
		return do()
	}
	unlock, err := oauth.Lock(ctx, r.lockDir(), key, func() { r.voice.say("another ambit is renewing this login; waiting for it to end") })
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

// supersede removes the older credentials of this manifest that a command would use in
// place of the new one: of the same key in another store, or good for the same server.
func (r *run) supersede(ctx context.Context, p *project, key oauth.Key, kept oauth.Store, good scopes.Server) {
	if r.settings.Store == "memory" {
		return
	}
	for _, store := range []oauth.Store{r.fileStore(), oauth.KeyringStore{}} {
		for _, s := range p.loginServers() {
			at := p.keyAt(s)
			if at == key && store.Name() == kept.Name() {
				continue
			}
			c, err := store.Load(ctx, at)
			if _, none := is[*oauth.NoKeyringError](err); none {
				break
			}
			if err != nil && at != key || err == nil && p.goodFor(c, s).Issuer != good.Issuer {
				continue
			}
			if err := store.Delete(ctx, at); err != nil {
				r.voice.note("an older credential stays in %s: %s", store.Name(), plain(err.Error()))
			}
		}
	}
}

// loginServers are those that may have given a login, the chosen one first.
func (p *project) loginServers() []scopes.Server {
	list := []scopes.Server{p.server}
	for _, s := range p.provider().Servers {
		if s.Name != p.server.Name {
			list = append(list, s)
		}
	}
	return list
}

// goodFor is the server that a credential names, else the one that gave it.
func (p *project) goodFor(c *oauth.Credential, from scopes.Server) scopes.Server {
	if s, ok := p.provider().Lookup(c.Server); ok && c.Server != "" {
		return s
	}
	return from
}
