package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/gofrs/flock"
)

// A LockError says that the lease of a credential could not be had. Nothing was sent.
type LockError struct {
	Path string // of the lock file; "" where the lease is not one
	Err  error
}

// Error names the lock file.
func (e *LockError) Error() string {
	if errors.Is(e.Err, context.DeadlineExceeded) && e.Path == "" {
		return fmt.Sprintf("another process has been renewing this credential for %s", leaseTimeout)
	}
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return fmt.Sprintf("another process has been renewing this credential for %s (it holds %q)", leaseTimeout, e.Path)
	}
	if e.Path == "" {
		return fmt.Sprintf("the credential cannot be locked for renewal: %v", e.Err)
	}
	return fmt.Sprintf("the credential cannot be locked for renewal: the lock file %q: %v", e.Path, files.Pathless(e.Err))
}

// Unwrap returns the cause.
func (e *LockError) Unwrap() error { return e.Err }

// lockLease is the lease of a store that has none of its own: a lock of this machine, with a
// number beside it. The lock's file is left in place: to remove it would let two processes hold
// two locks of the same name. Where somebody does remove it, the number tells the first of the
// two that it is not alone.
func lockLease(ctx context.Context, key Key, claim Claim) (*Lease, error) {
	unlock, err := lock(ctx, claim, key.ID()+".lock", leaseTimeout)
	if err != nil {
		return nil, err
	}
	fence := filepath.Join(claim.LockDir, key.ID()+".fence")
	number := after(readFence(fence), time.Now())
	// Where it cannot be written, nothing can be stored either, and the probe says that better.
	_ = files.Write(fence, key.ID()+leftover, []byte(strconv.FormatInt(number, 10)))
	lost := func() error {
		if readFence(fence) > number {
			return &FencedError{}
		}
		return nil
	}
	return NewLease(number, lost, unlock), nil
}

// after is the fencing number after another one: also where that one is not known any more.
func after(last int64, now time.Time) int64 { return max(last+1, now.UnixMicro()) }

// maxFence bounds a file with a fencing number.
const maxFence = 32

// readFence is the number of the last lease, and 0 where there is none that can be read.
func readFence(path string) int64 {
	data, _ := files.Read(path, files.Rule{Limit: maxFence})
	number, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || number == math.MaxInt64 {
		return 0
	}
	return number
}

// LockLogin takes the one lock of this machine for getting a credential of key's server, client and
// account, for whatever manifest. That takes a person: the wait ends with ctx alone. Whoever has it takes
// the store's lease to store what came.
// dir and waiting are as in a [Claim]. Errors: *[LockError] where there can be no lock; ctx's cause.
func LockLogin(ctx context.Context, dir string, key Key, waiting func()) (unlock func(), err error) {
	key.Manifest = ""
	return lock(ctx, Claim{LockDir: dir, Waiting: waiting}, key.ID()+".login.lock", 0)
}

// lock takes the lock of a file in the claim's directory; a timeout of 0 is none.
func lock(ctx context.Context, claim Claim, name string, timeout time.Duration) (unlock func(), err error) {
	if claim.LockDir == "" {
		return nil, &LockError{Err: errors.New("no directory is set for the lock")}
	}
	path := filepath.Join(claim.LockDir, name)
	if err := os.MkdirAll(claim.LockDir, files.PrivateDir); err != nil {
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
	got, err := lock.TryLock()
	if !got && err == nil {
		patient, done := context.WithTimeout(bounded, claim.Patience)
		got, err = lock.TryLockContext(patient, lockPoll)
		done()
	}
	if !got && bounded.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		claim.wait()
		_, err = lock.TryLockContext(bounded, lockPoll)
	}
	if err != nil {
		_ = lock.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &LockError{Path: path, Err: err}
	}
	return func() { _ = lock.Close() }, nil
}
