//go:build unix

package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// A pipe in the place of the lock would hold us for ever.
func TestLockIsNoPipe(t *testing.T) {
	dir, key := t.TempDir(), store.Key{Issuer: storetest.Marked}
	if err := syscall.Mkfifo(filepath.Join(dir, key.ID()+".lock"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.File{}.Lease(t.Context(), key, store.Claim{LockDir: dir})
	if _, ok := errors.AsType[*store.LockError](err); !ok || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("err = %v", err)
	}
}
