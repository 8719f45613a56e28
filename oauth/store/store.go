package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit/oauth/credential"
)

// ErrNotFound says that the store holds nothing under a key.
var ErrNotFound = errors.New("no credential is stored")

// A Store keeps credentials. Every backend keeps this contract:
//
//   - Save is atomic: whoever loads at the same moment, in this process or another,
//     gets the old credential or the new one, never a mixture; a process that dies
//     in the middle leaves the old one. When Save returns nil, a Load in any process
//     finds the new one.
//   - Load returns [ErrNotFound] (by errors.Is) where there is nothing, and a
//     *[CorruptError] where there is something that cannot be read.
//   - Swap is a Save that replaces nothing but old: where something else is stored by now, or
//     nothing, it changes nothing, and returns a *[ChangedError]. Where lease is not nil, and a
//     later one was granted, it changes nothing, and returns a *[FencedError]. Of many that swap
//     the same old, under leases, one succeeds; the keyring alone cannot tell apart two that
//     have none, in the moment between the look and the write.
//   - Lease waits until nobody else has the lease of key, and takes it: the right to renew,
//     replace or remove what is there. Its number is greater than that of any earlier one. That
//     of a process that dies is free, at once or after a time. Memory has leases among those that
//     share it, file and keyring have those of this machine. Where it has to wait, Claim.Waiting
//     is called once, and ctx ends the wait. A *[LockError] says that it could not be had; any
//     other error, that whether it can be had is not known.
//   - Probe writes as much as a Save of a successor would, with room to spare, makes that last
//     as a Save does, and takes it away. After it a Save fails only where something changed.
//   - Delete of what is not there is no error.
//   - What is stored is what was saved: Source and Lost are not, and times are kept
//     to the second, those of Renewal to the microsecond, in UTC.
//   - All methods are safe for concurrent use. They do not order a read and a later
//     write: for that take the lease.
//   - ctx ends the wait, though what was begun may still happen.
//
// No error of a store holds anything of a credential.
type Store interface {
	// Load returns the credential under key.
	Load(ctx context.Context, key Key) (*credential.Credential, error)
	// Save puts c under key, in place of whatever was there.
	Save(ctx context.Context, key Key, c *credential.Credential) error
	// Swap puts next under key, in place of old: of a record with the same secrets. lease is nil
	// for whoever has none.
	Swap(ctx context.Context, key Key, lease *Lease, old, next *credential.Credential) error
	// Lease takes the lease of what is under key.
	Lease(ctx context.Context, key Key, claim Claim) (*Lease, error)
	// Probe is nil where a credential can be kept under key.
	Probe(ctx context.Context, key Key) error
	// Delete removes what is under key.
	Delete(ctx context.Context, key Key) error
	// Name is what people call it: "the system's keyring", "the file store".
	Name() string
}

// A Key says whose credential it is. All parts count.
type Key struct {
	Issuer   string // as configured, byte by byte (RFC 8414 §2)
	ClientID string // as configured; "" where the client registers itself
	Manifest string // the manifest's name
	Account  string // by which the user tells several logins apart; "" for the one without a name

	id string // where nothing else is known of it: see [File.List]
}

// idLength is that of an ID, in hexadecimal digits.
const idLength = 32

// ID names the key where a name is wanted: 32 hexadecimal digits, the same in every
// process.
func (k Key) ID() string {
	if k.id != "" {
		return k.id
	}
	h := sha256.New()
	parts := []string{k.Issuer, k.ClientID, k.Manifest}
	if k.Account != "" {
		parts = append(parts, k.Account)
	}
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:idLength/2])
}

// A ChangedError says that under a key there is another credential than the one that was to be
// replaced: somebody else has logged in, or renewed it. Nothing was written.
type ChangedError struct {
	Current *credential.Credential // nil where there is none any more
}

// Error says so.
func (*ChangedError) Error() string {
	return "the stored credential was replaced meanwhile, and is left alone"
}

// unchanged is nil where s holds old under key, and lease was not lost.
func unchanged(ctx context.Context, s Store, key Key, lease *Lease, old *credential.Credential) error {
	if err := lease.Lost(); err != nil {
		return err
	}
	current, err := s.Load(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return &ChangedError{}
	case err == nil && !current.SameSecrets(old):
		return &ChangedError{Current: current}
	}
	return err
}

// A CorruptError is a stored record that cannot be read. Logging in again replaces it.
type CorruptError struct {
	Store   string // [Store.Name]
	Problem string // what is wrong with it; nothing of its content
	// Newer says that a newer version of this program wrote it, which can read it.
	Newer bool
}

// Error says what to do.
func (e *CorruptError) Error() string {
	way := "log in again to replace it"
	if e.Newer {
		way = "update ambit to use it"
	}
	return fmt.Sprintf("the credential in %s cannot be read (%s); %s", e.Store, e.Problem, way)
}

// A NoKeyringError says that this machine has no usable keyring: none installed,
// none running, locked with nobody to open it, or one that does not answer in time.
// A caller may offer the file store.
type NoKeyringError struct {
	Err error
	// Silent says that there is a keyring, and that it does not give anything out now:
	// something may well be in it.
	Silent bool
}

// Error holds the system's words.
func (e *NoKeyringError) Error() string {
	if e.Silent {
		return fmt.Sprintf("the keyring cannot be read: %v", e.Err)
	}
	return fmt.Sprintf("there is no usable keyring: %v", e.Err)
}

// Unwrap returns the cause.
func (e *NoKeyringError) Unwrap() error { return e.Err }

// A NotKeptError says that a store cannot keep a credential: it has no room for it, or it
// reported a write as done, and reading it back gave something else. The file store may.
type NotKeptError struct {
	Store   string // [Store.Name]
	Problem string
}

// Error names the store.
func (e *NotKeptError) Error() string { return e.Store + " " + e.Problem }

// tooLarge names both sizes in bytes, and the way out, where way is one; limit is 0 where the
// system did not say.
func tooLarge(store string, size, limit int, way string) error {
	most := ""
	if limit > 0 {
		most = fmt.Sprintf(" (at most %d)", limit)
	}
	return &NotKeptError{Store: store, Problem: fmt.Sprintf("has no room for the credential of %d bytes%s%s", size, most, way)}
}

// inFile is the way out of a store that is too small.
const inFile = "; the file store has room for it"

// spare is how many bytes a successor of a record of that size is given room for: it may hold
// more scopes and longer tokens.
func spare(size int) int { return max(16<<10, 2*size) }
