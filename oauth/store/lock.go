package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/gofrs/flock"
)

const (
	// lockTimeout bounds the wait for another process: it may be fetching metadata
	// (10 s), refreshing (20 s), and writing to a slow keyring (4 calls of 3 s).
	lockTimeout = 45 * time.Second
	// lockPoll is how often the lock is tried: often enough not to be felt.
	lockPoll = 10 * time.Millisecond
)

// A LockError says that the lock of a credential could not be had. Nothing was sent.
type LockError struct {
	Path string // of the lock file
	Err  error
}

// Error names the lock file.
func (e *LockError) Error() string {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return fmt.Sprintf("another process has been renewing this credential for %s (it holds %q)", lockTimeout, e.Path)
	}
	if e.Path == "" {
		return fmt.Sprintf("the credential cannot be locked for renewal: %v", e.Err)
	}
	return fmt.Sprintf("the credential cannot be locked for renewal: the lock file %q: %v", e.Path, files.Pathless(e.Err))
}

// Unwrap returns the cause.
func (e *LockError) Unwrap() error { return e.Err }

// Lock takes the one lock that the credential under key has among all processes of the
// user: an [oauth.Renewer] holds it while it renews, and whoever replaces or removes the
// credential takes it too, or a renewal under way would put the old one back. dir is that
// of [oauth.Renewer.LockDir]; waiting is called where another process has the lock, before the
// wait; nil: nobody is told. The file is left in place: to remove it would let two
// processes hold two locks of the same name.
//
// Errors: *[LockError] after 45 s, or where there can be no lock; ctx's cause.
func Lock(ctx context.Context, dir string, key Key, waiting func()) (unlock func(), err error) {
	return lock(ctx, dir, key.ID()+".lock", lockTimeout, waiting)
}

// LockLogin is [Lock] for as long as somebody gets a credential for key, which takes a person:
// the wait ends with ctx alone. Whoever has this lock takes the other to store what came.
func LockLogin(ctx context.Context, dir string, key Key, waiting func()) (unlock func(), err error) {
	return lock(ctx, dir, key.ID()+".login.lock", 0, waiting)
}

// lock takes the lock of a file in dir; a timeout of 0 is none.
func lock(ctx context.Context, dir, name string, timeout time.Duration, waiting func()) (unlock func(), err error) {
	if dir == "" {
		return nil, &LockError{Err: errors.New("no directory is set for the lock")}
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, files.PrivateDir); err != nil {
		return nil, &LockError{Path: path, Err: err}
	}
	if _, err := files.Check(path, files.Rule{}); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &LockError{Path: path, Err: err}
	}
	bounded, cancel := context.WithCancel(ctx)
	if timeout > 0 {
		bounded, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(files.PrivateFile))
	if got, err := lock.TryLock(); !got && err == nil && waiting != nil {
		waiting()
	}
	if _, err := lock.TryLockContext(bounded, lockPoll); err != nil { // at once where it is had
		_ = lock.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &LockError{Path: path, Err: err}
	}
	return func() { _ = lock.Close() }, nil
}
