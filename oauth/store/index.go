package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// An Index says which logins were kept, and in which stores: most stores cannot list what they
// hold. It holds no secret, and what it says may be out of date: the store knows. Each login has a
// file of its own, so that two who write at a time do not meet. Safe for concurrent use.
type Index struct {
	Dir string // made where it is not there; "" for nowhere: then nothing is listed
}

// An Entry is one login of an [Index].
type Entry struct {
	Key   Key
	Store string    // [Store.Name]
	Since time.Time // when somebody logged in, to the second
	File  string    // of the manifest; "" where that is none of this machine
}

// An indexed is an [Entry] as its file has it, in JSON.
type indexed struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	Manifest string `json:"manifest"`
	Account  string `json:"account,omitempty"`
	Store    string `json:"store"`
	Since    int64  `json:"since"` // seconds since 1970
	File     string `json:"file,omitempty"`
}

// maxEntry bounds the file of an entry.
const maxEntry = 64 << 10

// entryFile is what the file of an entry has to be.
var entryFile = files.Rule{Limit: maxEntry, Forbidden: files.OthersWrite}

// Add notes a login, in place of an older one under the same key in the same store.
func (x Index) Add(e Entry) error {
	if x.Dir == "" {
		return nil
	}
	data, err := json.Marshal(indexed{e.Key.Issuer, e.Key.ClientID, e.Key.Manifest, e.Key.Account, e.Store, toSeconds(e.Since), e.File})
	if err != nil {
		return err
	}
	if err := files.MakeDir(x.Dir); err != nil {
		return err
	}
	return files.Write(x.path(e.Key, e.Store), e.Key.ID()+leftover, data)
}

// Remove takes a login out; one that is not there is no error.
func (x Index) Remove(key Key, store string) error {
	if x.Dir == "" {
		return nil
	}
	if err := os.Remove(x.path(key, store)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List returns the logins, by issuer, manifest and account. A file that cannot be read is passed
// over: it names nothing that could be used. One that names the login of another file is, too.
func (x Index) List() ([]Entry, error) {
	if x.Dir == "" {
		return nil, nil
	}
	names, err := namesIn(x.Dir)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, name := range names {
		path := filepath.Join(x.Dir, name)
		data, err := files.Read(path, entryFile)
		var i indexed
		if err != nil || json.Unmarshal(data, &i) != nil {
			continue
		}
		e := Entry{Key: Key{Issuer: i.Issuer, ClientID: i.ClientID, Manifest: i.Manifest, Account: i.Account}, Store: i.Store, Since: fromSeconds(i.Since), File: i.File}
		if x.path(e.Key, e.Store) == path {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return slices.Compare([]string{a.Key.Issuer, a.Key.Manifest, a.Key.Account, a.Store}, []string{b.Key.Issuer, b.Key.Manifest, b.Key.Account, b.Store})
	})
	return entries, nil
}

// namesIn are the names in a private directory, sorted; none where that is not there.
func namesIn(dir string) ([]string, error) {
	if err := files.CheckDir(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	list, err := os.ReadDir(dir)
	names := make([]string, len(list))
	for i, entry := range list {
		names[i] = entry.Name()
	}
	return names, err
}

// path is the file of a login in a store.
func (x Index) path(key Key, store string) string {
	of := sha256.Sum256([]byte(store))
	return filepath.Join(x.Dir, key.ID()+"-"+hex.EncodeToString(of[:4])+".json")
}
