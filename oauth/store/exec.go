package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// An Exec keeps credentials by a program of the user's: one process for each request, which gets
// the operation as its last argument, a JSON object on standard input, and writes one to standard
// output. docs/stores.md has the protocol; [storetest.Run] tests a program by it. Where a request
// does not end well, the error is a *[HelperError].
//
// Command is run with the user's rights. It may come from a flag, a variable or the user's own
// file of settings, and never from a repository.
type Exec struct {
	// Command is split as shell words, without a shell. Its first word is a name that is looked
	// up on PATH, or an absolute path.
	Command string
	// Env is the environment of the program; nil is that of this process, without [credential.KeyVariable].
	Env func() []string
	// Note is told what the program writes to standard error, each line once. nil: nobody.
	Note func(sentence string)
	// Timeout bounds a request, and LeaseTime is how long a lease lives that is not renewed; 0 means
	// 10 and 30 seconds.
	Timeout, LeaseTime time.Duration

	unleased atomic.Bool // the program has said that it has no leases
	sizes    sync.Map    // of the records that were read, by the id of their key
	told     sync.Map    // lines of standard error
}

// With returns the same store with an environment and somebody to tell, where it has none.
func (s *Exec) With(env func() []string, note func(sentence string)) *Exec {
	with := &Exec{Command: s.Command, Env: s.Env, Note: s.Note, Timeout: s.Timeout, LeaseTime: s.LeaseTime}
	if with.Env == nil {
		with.Env = env
	}
	if with.Note == nil {
		with.Note = note
	}
	return with
}

// Name is "the store exec:NAME".
func (s *Exec) Name() string { return "the store exec:" + text.Cut(s.program(), text.MaxWord) }

// Load implements [Store].
func (s *Exec) Load(ctx context.Context, key Key) (*credential.Credential, error) {
	c, _, err := s.get(ctx, key)
	return c, err
}

// get also returns the version of the record, by which a swap names it.
func (s *Exec) get(ctx context.Context, key Key) (*credential.Credential, string, error) {
	reply, err := s.ask(ctx, opGet, &helperRequest{Key: keyOf(key)})
	if isCode(err, codeNotFound) {
		return nil, "", ErrNotFound
	}
	if err != nil {
		return nil, "", err
	}
	if len(reply.Record) == 0 || reply.Version == "" {
		return nil, "", s.invalid(opGet, "its answer has no record, or no version of it")
	}
	s.sizes.Store(key.ID(), len(reply.Record))
	c, err := loadRecord(s.Name(), reply.Record)
	return c, reply.Version, err
}

// Save implements [Store].
func (s *Exec) Save(ctx context.Context, key Key, c *credential.Credential) error {
	data, err := encodeRecord(c)
	if err != nil {
		return err
	}
	_, err = s.ask(ctx, opPut, &helperRequest{Key: keyOf(key), Record: data})
	return s.orTooLarge(err, len(data))
}

// Swap implements [Store]. What has the secrets of old is decided here, and that it is still the
// same record when the next one takes its place, by the program.
func (s *Exec) Swap(ctx context.Context, key Key, lease *Lease, old, next *credential.Credential) error {
	data, err := encodeRecord(next)
	if err != nil {
		return err
	}
	request := &helperRequest{Key: keyOf(key), Record: data}
	if !s.unleased.Load() {
		request.Fence = lease.Number()
	}
	for range maxSwaps {
		if err := lease.Lost(); err != nil {
			return err
		}
		current, version, err := s.get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			return &ChangedError{}
		}
		if err != nil {
			return err
		}
		if !current.SameSecrets(old) {
			return &ChangedError{Current: current}
		}
		request.Version = version
		_, err = s.ask(ctx, opSwap, request)
		if isCode(err, codeFenced) {
			return &FencedError{}
		}
		if !isCode(err, codeChanged) && !isCode(err, codeNotFound) {
			return s.orTooLarge(err, len(data))
		}
	}
	return s.invalid(opSwap, "it says again and again that the record has changed, and it has not")
}

// maxSwaps is how often a swap is tried whose record was replaced by one with the same secrets.
const maxSwaps = 20

// Probe implements [Store].
func (s *Exec) Probe(ctx context.Context, key Key) error {
	size, _ := s.sizes.Load(key.ID())
	known, _ := size.(int)
	_, err := s.ask(ctx, opProbe, &helperRequest{Key: keyOf(key), Size: spare(known)})
	return s.orTooLarge(err, spare(known))
}

// Delete implements [Store].
func (s *Exec) Delete(ctx context.Context, key Key) error {
	_, err := s.ask(ctx, opDelete, &helperRequest{Key: keyOf(key)})
	if isCode(err, codeNotFound) {
		return nil
	}
	return err
}

// List returns the keys of what is stored: of all, also what other programs of the user keep
// there. A program may not know; then the error is [errors.ErrUnsupported].
func (s *Exec) List(ctx context.Context) ([]Key, error) {
	reply, err := s.ask(ctx, opList, &helperRequest{})
	if isCode(err, codeUnsupported) {
		return nil, fmt.Errorf("%s does not list what it keeps: %w", s.Name(), errors.ErrUnsupported)
	}
	var keys []Key
	for _, k := range reply.Keys {
		key := Key{Issuer: k.Issuer, ClientID: k.ClientID, Manifest: k.Manifest, Account: k.Account}
		if key.ID() == k.ID { // else another version of this program wrote it, or nobody did
			keys = append(keys, key)
		}
	}
	return keys, err
}

// orTooLarge is an error of a write.
func (s *Exec) orTooLarge(err error, size int) error {
	if isCode(err, codeTooLarge) {
		return tooLarge(s.Name(), size, 0, inFile)
	}
	return err
}

// Lease implements [Store], with a lease of the program's, or a lock of this machine where it has
// none. Who waits has the program run once between two pauses: in turn to look at what is stored, and
// to ask for the lease, which one that died leaves free without storing anything.
func (s *Exec) Lease(ctx context.Context, key Key, claim Claim) (*Lease, error) {
	request := &helperRequest{Key: keyOf(key), Owner: rand.Text(), TTL: s.leaseTime().Milliseconds()}
	began, pause, told, look := time.Now(), leasePoll, false, false
	for !s.unleased.Load() {
		if look {
			if claim.Over() {
				return nil, ErrUnwanted
			}
		} else {
			reply, err := s.ask(ctx, opLease, request)
			switch {
			case err == nil && reply.Fence > 0:
				return s.granted(ctx, request, reply.Fence), nil
			case err == nil:
				return nil, s.invalid(opLease, "its answer has no fencing number")
			case isCode(err, codeUnsupported):
				s.unleased.Store(true)
				continue
			case !isCode(err, codeHeld):
				return nil, err // whether somebody has it cannot be told
			}
		}
		look = !look && claim.Over != nil
		waited := time.Since(began)
		if waited > leaseTimeout {
			return nil, &LockError{Err: context.DeadlineExceeded}
		}
		if !told && waited >= claim.Patience {
			told = true
			claim.wait()
		}
		select {
		case <-time.After(pause - mathrand.N(pause/2)):
			pause = min(2*pause, maxLeasePoll)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return lockLease(ctx, key, claim)
}

const (
	// leasePoll and maxLeasePoll are how often one who waits has the program run: at first as soon
	// as a renewal can be over, and then so rarely that a crowd leaves the machine to the one that
	// renews. Chance keeps the crowd from asking all at once.
	leasePoll    = 50 * time.Millisecond
	maxLeasePoll = 2 * time.Second
)

func (s *Exec) leaseTime() time.Duration {
	if s.LeaseTime == 0 {
		return 30 * time.Second
	}
	return s.LeaseTime
}

// granted renews a lease until it is released, or lost. Once ctx has ended, that lasts for the grace of
// a signal at most.
func (s *Exec) granted(ctx context.Context, request *helperRequest, fence int64) *Lease {
	held := *request
	held.Fence = fence
	var lost atomic.Bool
	over, ended := make(chan struct{}), make(chan struct{})
	lasting, cancel := signals.Outlive(ctx)
	go func() {
		defer close(ended)
		tick := time.NewTicker(s.leaseTime() / 3)
		defer tick.Stop()
		for !lost.Load() {
			select {
			case <-tick.C:
				_, err := s.ask(lasting, opRenewLease, &held)
				lost.Store(isCode(err, codeFenced) || isCode(err, codeHeld))
			case <-over:
				return
			}
		}
	}()
	return NewLease(fence, func() error {
		if lost.Load() {
			return &FencedError{}
		}
		return nil
	}, sync.OnceFunc(func() {
		defer cancel()
		close(over)
		<-ended
		_, _ = s.ask(lasting, opRelease, &held) // else it runs out
	}))
}

// keyOf is a key as a program gets it.
func keyOf(key Key) *helperKey {
	return &helperKey{ID: key.ID(), Issuer: key.Issuer, ClientID: key.ClientID, Manifest: key.Manifest, Account: key.Account}
}

// secretsOf are what of a record may stand in no message.
func secretsOf(record json.RawMessage) []string {
	var r struct{ Access, Refresh string }
	_ = json.Unmarshal(record, &r)
	var secrets []string
	for _, secret := range []string{r.Access, r.Refresh} {
		if secret != "" {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// holdsRecord reports whether a text has members of a record in it, quoted or not.
func holdsRecord(text []byte) bool {
	return bytes.Contains(text, []byte(`"access`)) || bytes.Contains(text, []byte(`"refresh`))
}
