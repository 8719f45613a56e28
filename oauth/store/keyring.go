package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/zalando/go-keyring"
)

// keyringTimeout bounds every call: a keyring answers in milliseconds, or it waits
// for a window that nobody may be there to see.
const keyringTimeout = 3 * time.Second

// maxKeyringItem is what a keyring takes, in bytes: on Windows five times 512
// (CRED_MAX_CREDENTIAL_BLOB_SIZE); others say so themselves, before it is that much.
func maxKeyringItem() int {
	if runtime.GOOS == "windows" {
		return 2560
	}
	return 64 << 10
}

// keyringService is the name under which items stand.
const keyringService = "ambit"

// A Keyring keeps credentials in the operating system's keyring: the Secret
// Service of a desktop, the macOS keychain, the Windows credential manager. Every
// call takes at most 3 seconds. What was written is read back and compared, since a
// locked or half-installed keyring may say yes and keep nothing; of two that save under
// one key at the same moment, one may get a *[NotKeptError] for it. Where there is no
// usable keyring, every method returns a *[NoKeyringError].
type Keyring struct {
	Service string // name of the items; "" means "ambit"
}

// Name is "the system's keyring".
func (Keyring) Name() string { return "the system's keyring" }

func (s Keyring) service() string {
	if s.Service == "" {
		return keyringService
	}
	return s.Service
}

// Load implements [Store].
func (s Keyring) Load(ctx context.Context, key Key) (*credential.Credential, error) {
	item, err := s.get(ctx, key.ID())
	if err != nil {
		return nil, err
	}
	return loadRecord(s.Name(), []byte(item))
}

func (s Keyring) get(ctx context.Context, name string) (string, error) {
	return askKeyring(ctx, func() (string, error) { return keyring.Get(s.service(), name) })
}

// Save implements [Store].
func (s Keyring) Save(ctx context.Context, key Key, c *credential.Credential) error {
	data, err := encodeRecord(c)
	if err != nil {
		return err
	}
	if limit := maxKeyringItem(); len(data) > limit {
		return tooLarge(s.Name(), len(data), limit, inFile)
	}
	return s.set(ctx, key.ID(), string(data))
}

// set writes an item, and reads it back.
func (s Keyring) set(ctx context.Context, name, item string) error {
	_, err := askKeyring(ctx, func() (string, error) { return "", keyring.Set(s.service(), name, item) })
	if errors.Is(err, keyring.ErrSetDataTooBig) {
		return tooLarge(s.Name(), len(item), 0, inFile)
	}
	if err != nil {
		return err
	}
	kept, err := s.get(ctx, name)
	if errors.Is(err, ErrNotFound) || err == nil && kept != item {
		return &NotKeptError{Store: s.Name(), Problem: "did not keep what was written to it"}
	}
	return err
}

// Swap implements [Store].
func (s Keyring) Swap(ctx context.Context, key Key, lease *Lease, old, next *credential.Credential) error {
	if err := unchanged(ctx, s, key, lease, old); err != nil {
		return err
	}
	return s.Save(ctx, key, next)
}

// Lease implements [Store] with a lock of this machine.
func (Keyring) Lease(ctx context.Context, key Key, claim Claim) (*Lease, error) {
	return lockLease(ctx, key, claim)
}

// Probe implements [Store].
func (s Keyring) Probe(ctx context.Context, key Key) error {
	now, err := s.get(ctx, key.ID())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	name := key.ID() + "-try"
	if err := s.set(ctx, name, strings.Repeat("x", min(spare(len(now)), maxKeyringItem()))); err != nil {
		return err
	}
	return s.remove(context.WithoutCancel(ctx), name)
}

// Delete implements [Store].
func (s Keyring) Delete(ctx context.Context, key Key) error { return s.remove(ctx, key.ID()) }

func (s Keyring) remove(ctx context.Context, name string) error {
	_, err := askKeyring(ctx, func() (string, error) { return "", keyring.Delete(s.service(), name) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// askKeyring runs call, which knows no context, and does not wait longer than
// keyringTimeout. A call that hangs stays behind: there is no way to stop it.
func askKeyring(ctx context.Context, call func() (string, error)) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := reachKeyring(); err != nil {
		return "", &NoKeyringError{Err: err}
	}
	type outcome struct {
		item string
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		item, err := call()
		done <- outcome{item, keyringError(err)}
	}()
	timer := time.NewTimer(keyringTimeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.item, o.err
	case <-timer.C:
		return "", &NoKeyringError{Err: fmt.Errorf("it did not answer within %s; is it locked?", keyringTimeout), Silent: true}
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func keyringError(err error) error {
	switch {
	case err == nil, errors.Is(err, keyring.ErrSetDataTooBig):
		return err
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	}
	return &NoKeyringError{Err: err, Silent: keyringIsThere()}
}
