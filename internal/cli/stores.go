package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/oauth/store"
)

func (r *run) fileStore() store.Store { return store.File{Dir: r.credentialsDir()} }

func (r *run) credentialsDir() string { return filepath.Join(r.env.StateDir(), "credentials") }

// homeless is the failure of a command that has to keep something, on a machine that
// names no folder for it.
func (r *run) homeless() error {
	if r.env.StateDir() != "" && r.env.ConfigDir() != "" {
		return nil
	}
	return fail(exitUsage, "there is no home folder to keep anything in", "set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")
}

// lockDir is where the locks of renewals are.
func (r *run) lockDir() string { return filepath.Join(r.env.StateDir(), "locks") }

// readingStores are where a credential may be, in the order of looking. The file
// comes first: looking there costs nothing, and it holds one only after a yes.
func (r *run) readingStores() []store.Store {
	switch {
	case r.settings.Store == "memory":
		return []store.Store{&r.memory}
	case r.homeless() != nil:
		return nil // where nothing can be kept, nothing is
	}
	switch r.settings.Store {
	case "file":
		return []store.Store{r.fileStore()}
	case "keyring":
		return []store.Store{store.Keyring{}}
	}
	return []store.Store{r.fileStore(), store.Keyring{}}
}

// writingStore picks the store of a new credential, before anybody logs in: the
// keyring where there is one, a plain file only after a yes.
func (r *run) writingStore(ctx context.Context, key store.Key) (store.Store, error) {
	if r.settings.Store == "memory" {
		return &r.memory, nil
	}
	if err := r.homeless(); err != nil {
		return nil, err
	}
	if r.settings.Store == "file" {
		return r.fileStore(), r.canKeep(ctx, key)
	}
	_, err := store.Keyring{}.Load(ctx, key)
	var none *store.NoKeyringError
	if !errors.As(err, &none) {
		return store.Keyring{}, nil // a record that is damaged is about to be replaced
	}
	if r.settings.Store != "" {
		return nil, credentialFailure(nil, err)
	}
	if _, err := r.fileStore().Load(ctx, key); err == nil {
		return r.fileStore(), r.canKeep(ctx, key) // someone said yes to it before
	}
	why := "There is no keyring on this machine."
	if none.Silent {
		why = "The keyring of this machine is locked, or does not answer."
	}
	yes, interrupted := r.ask(ctx, why+" Keep the credential in a file that only you can read?")
	if yes {
		return r.fileStore(), r.canKeep(ctx, key)
	}
	return nil, cmp.Or(interrupted, credentialFailure(nil, err))
}

// canKeep tries the file store: to find out after the consent that it cannot be used
// would lose a token that lives on at the server.
func (r *run) canKeep(ctx context.Context, key store.Key) error {
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
	if _, err := r.fileStore().Load(ctx, key); errors.As(err, new(*files.UnsafeError)) {
		return credentialFailure(nil, err)
	}
	return nil
}
