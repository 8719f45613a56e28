package store

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/gofrs/flock"
)

// maxRecord bounds a record on the disk: whatever a token response of a mebibyte can hold has
// room in it, escaped.
const maxRecord = 4 << 20

// A File keeps each credential in a file of its own, readable by the user alone
// (0600) in a directory that is so too (0700), and named after a hash of its key. It
// refuses what has wider permissions, and symbolic links, with an *[files.UnsafeError].
// It is for machines without a keyring, after a yes: whoever can read the user's
// files can read it. On Windows the directory's access list is what protects it.
type File struct {
	Dir string // made where it is not there
}

// privateRecord is what a record's file has to be.
var privateRecord = files.Rule{Limit: maxRecord, Forbidden: files.OthersMode}

// Name is "the file store".
func (File) Name() string { return "the file store" }

// Load implements [Store].
func (s File) Load(ctx context.Context, key Key) (*credential.Credential, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := files.CheckDir(s.Dir); err != nil {
		return nil, notThere(err)
	}
	data, err := files.Read(s.path(key), privateRecord)
	if large, ok := errors.AsType[files.TooLargeError](err); ok {
		return nil, &CorruptError{Store: s.Name(), Problem: large.Error() + ", and ambit wrote no such thing"}
	}
	if err != nil {
		return nil, notThere(err)
	}
	return loadRecord(s.Name(), data)
}

// Save implements [Store].
func (s File) Save(ctx context.Context, key Key, c *credential.Credential) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := s.encode(c)
	if err != nil {
		return err
	}
	if err := s.ready(key); err != nil {
		return err
	}
	defer s.alone()()
	return s.write(key, data)
}

// encode is a record that the store takes.
func (s File) encode(c *credential.Credential) ([]byte, error) {
	data, err := encodeRecord(c)
	if err == nil && len(data) > maxRecord {
		err = tooLarge(s.Name(), len(data), maxRecord, "")
	}
	return data, err
}

func (s File) write(key Key, data []byte) error {
	if err := files.Write(s.path(key), key.ID()+leftover, data); err != nil {
		return err
	}
	return s.sweep(key, abandoned)
}

// ready makes the directory where it is not there, and refuses what is not private.
func (s File) ready(key Key) error {
	if err := files.MakeDir(s.Dir); err != nil {
		return err
	}
	if _, err := files.Check(s.path(key), privateRecord); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Swap implements [Store].
func (s File) Swap(ctx context.Context, key Key, lease *Lease, old, next *credential.Credential) error {
	data, err := s.encode(next)
	if err != nil {
		return err
	}
	defer s.alone()()
	if err := unchanged(ctx, s, key, lease, old); err != nil {
		return err
	}
	if err := s.ready(key); err != nil {
		return err
	}
	return s.write(key, data)
}

// alone orders those who write, for as long as one takes. Where there are no locks, the lease
// does that alone.
func (s File) alone() (done func()) {
	path, flag := s.Dir, os.O_RDONLY
	if runtime.GOOS == "windows" { // where a directory has no lock
		path, flag = filepath.Join(s.Dir, "write.lock"), os.O_CREATE|os.O_RDONLY
	}
	lock := flock.New(path, flock.SetFlag(flag), flock.SetPermissions(files.PrivateFile))
	_ = lock.Lock()
	return func() { _ = lock.Close() }
}

// Lease implements [Store] with a lock of this machine.
func (File) Lease(ctx context.Context, key Key, claim Claim) (*Lease, error) {
	return lockLease(ctx, key, claim)
}

// Probe implements [Store].
func (s File) Probe(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.ready(key); err != nil {
		return err
	}
	size := 0
	if info, err := os.Lstat(s.path(key)); err == nil {
		size = int(min(info.Size(), maxRecord))
	}
	return files.Probe(s.Dir, key.ID()+leftover, spare(size))
}

// Delete implements [Store]. It also removes what a killed process left half written.
func (s File) Delete(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.sweep(key, 0); err != nil {
		return err
	}
	if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// leftover is how the name of a file that is being written goes on after the key's.
const leftover = "-*.tmp"

// abandoned is the age at which such a file is nobody's: to write one takes less, on any disk.
const abandoned = 10 * time.Minute

// sweep removes what killed processes left half written, and is older than age: there are
// tokens in it.
func (s File) sweep(key Key, age time.Duration) error {
	halves, err := filepath.Glob(filepath.Join(s.Dir, key.ID()+leftover))
	if err != nil {
		return err
	}
	for _, path := range halves {
		if info, err := os.Lstat(path); err != nil || time.Since(info.ModTime()) < age {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// List returns the keys of all that is stored. Nothing but their IDs is known.
func (s File) List(ctx context.Context) ([]Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := namesIn(s.Dir)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, name := range names {
		id, record := strings.CutSuffix(name, ".json")
		if _, err := hex.DecodeString(id); record && err == nil && len(id) == idLength {
			keys = append(keys, Key{id: id})
		}
	}
	return keys, nil
}

func (s File) path(key Key) string { return filepath.Join(s.Dir, key.ID()+".json") }

func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
