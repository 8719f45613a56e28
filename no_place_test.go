package ambit_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/store"
)

// A fading store takes so many more probes, and says then why it keeps nothing.
type fading struct {
	store.Store
	probes int
	why    error
}

func (f *fading) Probe(ctx context.Context, key store.Key) error {
	if f.probes--; f.probes < 0 {
		return f.why
	}
	return f.Store.Probe(ctx, key)
}

// Where no place is sure for what comes, nobody is asked; where that turns out while the person
// consents, the code is not sent.
func TestNoPlaceForACode(t *testing.T) {
	on := func(errno syscall.Errno) error { return &fs.PathError{Op: "write", Path: "/state/x", Err: errno} }
	for name, why := range map[string]error{
		"a read-only disk":  on(syscall.EROFS),
		"a full disk":       on(syscall.ENOSPC),
		"a quota":           on(syscall.EDQUOT),
		"a store too small": &store.NotKeptError{Store: "it", Problem: "has no room"},
		"a locked keyring":  &store.NoKeyringError{Err: errors.New("locked"), Silent: true},
	} {
		for probes, pages := range []int32{0, 1} {
			var asked, exchanged atomic.Int32
			w := newWorld(t, sandbox.Options{Grant: "all", Log: func(r sandbox.Request) {
				if strings.HasSuffix(r.Path, "/oauth/authorize/") {
					asked.Add(1)
				}
				if strings.HasSuffix(r.Path, "/oauth/token/") {
					exchanged.Add(1)
				}
			}})
			kept := store.File{Dir: filepath.Join(t.TempDir(), "kept")}
			s := w.open(t, func(o *ambit.Options) { o.Store = &fading{Store: kept, probes: probes, why: why} })
			if _, err := s.Login(t.Context(), nil); !errors.Is(err, why) {
				t.Errorf("%s, after %d probes: %v", name, probes, err)
			}
			if asked.Load() != pages || exchanged.Load() != 0 {
				t.Errorf("%s, after %d probes: %d pages, %d exchanges", name, probes, asked.Load(), exchanged.Load())
			}
			if keys, err := kept.List(t.Context()); len(keys) != 0 || err != nil {
				t.Errorf("%s, after %d probes: kept %v, %v", name, probes, keys, err)
			}
		}
	}
}
