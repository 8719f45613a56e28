package store

import (
	"errors"
	"time"
)

const (
	// leaseTimeout bounds the wait for another process: it may be fetching metadata
	// (10 s), refreshing (20 s), and writing to a slow keyring (4 calls of 3 s).
	leaseTimeout = 45 * time.Second
	// lockPoll is how often the lock is tried: often enough not to be felt.
	lockPoll = 10 * time.Millisecond
)

// A Claim is how a lease is asked for. The zero value asks for that of a store that has leases of
// its own, and tells nobody of the wait.
type Claim struct {
	// LockDir is where this machine keeps locks, for a store that has none of its own: all who
	// use the store name the same one. It is made where it is not there, and its files stay.
	LockDir string
	// Waiting is called once, where somebody else has the lease, before what is left of the wait
	// after Patience.
	Waiting  func()
	Patience time.Duration
	// Over reports whether what somebody else did meanwhile will do, so that the lease is not wanted
	// any more: then the error is [ErrUnwanted]. A store that many machines share asks it in turn
	// with its tries, or all who wait would have to take the lease in turn to see that. nil: it is wanted.
	Over func() bool
}

// ErrUnwanted says that nobody has the lease that was waited for, as [Claim.Over] wanted it.
var ErrUnwanted = errors.New("the lease is not wanted any more")

// wait tells that somebody else has the lease.
func (c Claim) wait() {
	if c.Waiting != nil {
		c.Waiting()
	}
}

// A Lease is the right to renew, replace or remove one credential, which one process has at a
// time. A store whose leases run out renews it for as long as it is not released; a process that
// was stopped for too long may have lost it all the same. Safe for concurrent use. A nil *Lease is
// that of a caller who has none.
type Lease struct {
	number  int64
	lost    func() error
	release func()
}

// NewLease is for those who write a [Store]: number is greater than that of every earlier lease
// of the credential, lost is a *[FencedError] once it is known that a later one was granted, and
// release gives it up.
func NewLease(number int64, lost func() error, release func()) *Lease {
	return &Lease{number, lost, release}
}

// Number is the fencing number: it grows with each lease of a credential. It is 0 for nil.
func (l *Lease) Number() int64 {
	if l == nil {
		return 0
	}
	return l.number
}

// Lost is nil for as long as nothing is known of a later lease, else a *[FencedError].
func (l *Lease) Lost() error {
	if l == nil {
		return nil
	}
	return l.lost()
}

// Release gives the lease up.
func (l *Lease) Release() {
	if l != nil {
		l.release()
	}
}

// A FencedError says that the lease under which something was to be written has passed to
// another process. Nothing was written.
type FencedError struct{}

// Error says so.
func (*FencedError) Error() string {
	return "another process has taken over the renewal of this credential, which is left alone"
}
