package store

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// A Memory keeps credentials for the life of the process: for one run. It keeps
// the [Store] contract, other processes excepted. The zero value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	records map[Key][]byte
	leases  map[Key]*memoryLease
}

// A memoryLease is that of one key.
type memoryLease struct {
	held   chan struct{} // full while somebody has it
	number atomic.Int64  // of the last one
}

// Name is "memory".
func (*Memory) Name() string { return "memory" }

// Load implements [Store].
func (s *Memory) Load(ctx context.Context, key Key) (*credential.Credential, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	data, ok := s.records[key]
	s.mu.Unlock()
	if !ok {
		return nil, ErrNotFound
	}
	return loadRecord(s.Name(), data)
}

// Save implements [Store].
func (s *Memory) Save(ctx context.Context, key Key, c *credential.Credential) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := encodeRecord(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		s.records = make(map[Key][]byte)
	}
	s.records[key] = data
	return nil
}

// Swap implements [Store].
func (s *Memory) Swap(ctx context.Context, key Key, lease *Lease, old, next *credential.Credential) error {
	data, err := encodeRecord(next)
	if err != nil {
		return err
	}
	for {
		s.mu.Lock()
		before := s.records[key]
		s.mu.Unlock()
		if err := unchanged(ctx, s, key, lease, old); err != nil {
			return err
		}
		s.mu.Lock()
		same := bytes.Equal(before, s.records[key])
		if same {
			s.records[key] = data
		}
		s.mu.Unlock()
		if same {
			return nil
		}
	}
}

// Lease implements [Store], among all that share this one. It needs no directory.
func (s *Memory) Lease(ctx context.Context, key Key, claim Claim) (*Lease, error) {
	of := s.lease(key)
	had, err := of.take(ctx, claim.Patience)
	if !had && err == nil {
		claim.wait()
		had, err = of.take(ctx, leaseTimeout)
	}
	if err != nil {
		return nil, err
	}
	if !had {
		return nil, &LockError{Err: context.DeadlineExceeded}
	}
	number := of.number.Add(1)
	lost := func() error {
		if of.number.Load() > number {
			return &FencedError{}
		}
		return nil
	}
	return NewLease(number, lost, sync.OnceFunc(func() { <-of.held })), nil
}

// take waits for the lease for so long.
func (l *memoryLease) take(ctx context.Context, wait time.Duration) (had bool, err error) {
	select {
	case l.held <- struct{}{}:
		return true, nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case l.held <- struct{}{}:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (s *Memory) lease(key Key) *memoryLease {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases == nil {
		s.leases = make(map[Key]*memoryLease)
	}
	if s.leases[key] == nil {
		s.leases[key] = &memoryLease{held: make(chan struct{}, 1)}
	}
	return s.leases[key]
}

// Probe implements [Store].
func (*Memory) Probe(ctx context.Context, _ Key) error { return ctx.Err() }

// Delete implements [Store].
func (s *Memory) Delete(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, key)
	return nil
}
