package store

import (
	"context"
	"sync"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// A Memory keeps credentials for the life of the process: for one run. It keeps
// the [Store] contract, other processes excepted. The zero value is empty and ready.
type Memory struct {
	mu      sync.Mutex
	records map[Key][]byte
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
func (s *Memory) Swap(ctx context.Context, key Key, old, next *credential.Credential) error {
	if err := unchanged(ctx, s, key, old); err != nil {
		return err
	}
	return s.Save(ctx, key, next)
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
