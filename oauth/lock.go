package oauth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

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
	return fmt.Sprintf("the credential cannot be locked for renewal: %v", e.Err)
}

// Unwrap returns the cause.
func (e *LockError) Unwrap() error { return e.Err }

// lock takes the one lock that this credential has among all processes of the user.
// The file is left in place: to remove it would let two processes hold two locks of
// the same name.
func (r *Renewer) lock(ctx context.Context) (unlock func(), err error) {
	if r.LockDir == "" {
		return nil, &LockError{Err: errors.New("no folder is set for the lock")}
	}
	path := filepath.Join(r.LockDir, r.Key.ID()+".lock")
	if err := os.MkdirAll(r.LockDir, privateFolder); err != nil {
		return nil, &LockError{Path: path, Err: err}
	}
	bounded, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(privateFile))
	if _, err := lock.TryLockContext(bounded, lockPoll); err != nil {
		_ = lock.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &LockError{Path: path, Err: err}
	}
	return func() { _ = lock.Close() }, nil
}
