package ambit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
)

// A FolderAccount is the account that is the default in a directory and below it, for the program
// of one manifest. It stands in the state directory of the user: no repository can choose an account.
type FolderAccount struct {
	Folder   string `json:"folder"`   // "" for none
	Manifest string `json:"manifest"` // the manifest's name
	Account  string `json:"account"`  // the name under which its login is kept
}

// folders are all such defaults, each a file; none without a directory for them.
type folders struct{ dir string }

func (s *Session) folders() folders { return folders{s.opt.foldersDir()} }

// folder is the default of the nearest directory that has one.
func (s *Session) folder() FolderAccount { return s.inFolder() }

// Folder is the default account of the directory in which the session is, or of one above that,
// where nobody named an account. The zero value: there is none.
func (s *Session) Folder() FolderAccount {
	if s.opt.Account != "" {
		return FolderAccount{}
	}
	return s.folder()
}

// nearest looks from a directory upwards.
func (f folders) nearest(from, manifest string) FolderAccount {
	if _, err := os.Stat(f.dir); err != nil || f.dir == "" || from == "" {
		return FolderAccount{}
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		if found, ok := f.read(f.path(dir, manifest)); ok && found.Folder == dir && found.Manifest == manifest {
			return found
		}
		if dir == filepath.Dir(dir) {
			return FolderAccount{}
		}
	}
}

// maxFolder bounds the file of a default.
const maxFolder = 64 << 10

func (f folders) read(path string) (FolderAccount, bool) {
	data, err := files.Read(path, files.Rule{Limit: maxFolder, Forbidden: files.OthersWrite})
	var found FolderAccount
	ok := err == nil && json.Unmarshal(data, &found) == nil && text.IsName(found.Account)
	return found, ok
}

func (f folders) set(a FolderAccount) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := files.MakeDir(f.dir); err != nil {
		return err
	}
	return files.Write(f.path(a.Folder, a.Manifest), "folder-*.tmp", data)
}

// forget removes the defaults that are meant.
func (f folders) forget(meant func(FolderAccount) bool) error {
	if f.dir == "" {
		return nil
	}
	list, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range list {
		path := filepath.Join(f.dir, entry.Name())
		if found, ok := f.read(path); ok && meant(found) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

func (f folders) path(folder, manifest string) string {
	of := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(folder), folder, manifest))
	return filepath.Join(f.dir, hex.EncodeToString(of[:16])+".json")
}
