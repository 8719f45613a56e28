package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A list of logins has what was added, and neither what was removed nor what a file says that no
// login of ours has; who else reads it learns nothing.
func TestIndex(t *testing.T) {
	index := store.Index{Dir: filepath.Join(t.TempDir(), "logins")}
	list := func() []store.Entry {
		t.Helper()
		entries, err := index.List()
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	if got := list(); got != nil {
		t.Errorf("without a directory: %+v", got)
	}
	entry := func(account, in string, since int64) store.Entry {
		return store.Entry{Key: store.Key{Issuer: "https://id.example", ClientID: "c", Manifest: "tool", Account: account}, Store: in, Since: time.Unix(since, 0).UTC(), File: "/p/scopes.yaml"}
	}
	want := []store.Entry{entry("", "a", 1), entry("", "b", 2), entry("work", "a", 4)}
	for _, e := range []store.Entry{entry("work", "a", 3), want[1], want[0], want[2], entry("gone", "a", 5)} {
		if err := index.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := index.Remove(entry("gone", "a", 5).Key, "a"); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(index.Dir, "*.json"))
	text := readFile(t, files[0])
	for name, content := range map[string]string{"half.json": text[:9], "other.json": text, "empty.json": ""} {
		if err := os.WriteFile(filepath.Join(index.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, list(), cmpopts.IgnoreUnexported(store.Key{})); diff != "" {
		t.Error(diff)
	}
	for _, path := range append(files, index.Dir) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := os.Chmod(index.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := index.List(); err == nil {
		t.Error("a list that others can write to is read")
	}
}

// Without a place for it nothing is listed, and nothing fails.
func TestIndexNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	var index store.Index
	if err := index.Add(store.Entry{Store: "a"}); err != nil {
		t.Error(err)
	}
	if err := index.Remove(store.Key{}, "a"); err != nil {
		t.Error(err)
	}
	if list, err := index.List(); list != nil || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if left, _ := os.ReadDir("."); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The file store lists what it holds, by keys that load and delete it.
func TestFileStoreLists(t *testing.T) {
	backend, key, _ := fileStore(t)
	if err := os.WriteFile(filepath.Join(backend.Dir, key.ID()+"-1.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := backend.List(t.Context())
	if err != nil || len(keys) != 1 || keys[0].ID() != key.ID() {
		t.Fatalf("%v, %v", keys, err)
	}
	if !storetest.Load(t, backend, keys[0]).SameSecrets(storetest.FullCredential()) {
		t.Error("another credential")
	}
	if err := backend.Delete(t.Context(), keys[0]); err != nil {
		t.Fatal(err)
	}
	if keys, err := backend.List(t.Context()); len(keys) != 0 || err != nil {
		t.Errorf("%v, %v", keys, err)
	}
}
