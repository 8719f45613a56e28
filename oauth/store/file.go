package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// maxRecord bounds a record on the disk: two tokens of maxToken and as much again.
const maxRecord = 64 << 10

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
	data, err := encodeRecord(c)
	if err != nil {
		return err
	}
	if len(data) > maxRecord {
		return tooLarge(s.Name(), len(data), maxRecord)
	}
	if err := files.MakeDir(s.Dir); err != nil {
		return err
	}
	if _, err := files.Check(s.path(key), privateRecord); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return files.Write(s.path(key), key.ID()+leftover, data)
}

// Delete implements [Store]. It also removes what a killed process left half written.
func (s File) Delete(ctx context.Context, key Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	halves, err := filepath.Glob(filepath.Join(s.Dir, key.ID()+leftover))
	if err != nil {
		return err
	}
	for _, path := range append(halves, s.path(key)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// leftover is how the name of a file that is being written goes on after the key's.
const leftover = "-*.tmp"

func (s File) path(key Key) string { return filepath.Join(s.Dir, key.ID()+".json") }

func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
