package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestStores(t *testing.T) {
	for _, backend := range []struct {
		name string
		open func(t *testing.T) store.Store
	}{
		{"memory", func(*testing.T) store.Store { return &store.Memory{} }},
		{"file", func(t *testing.T) store.Store { return store.File{Dir: filepath.Join(t.TempDir(), "store")} }},
		{"keyring", openKeyring},
	} {
		t.Run(backend.name, func(t *testing.T) { testStore(t, backend.open(t)) })
	}
}

// testStore is the behavior that the comment of [store.Store] promises.
func testStore(t *testing.T, backend store.Store) {
	ctx := t.Context()
	key := store.Key{Issuer: "https://auth.example.com", ClientID: "client", Manifest: "tool"}
	if _, err := backend.Load(ctx, key); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Load from an empty store: %v", err)
	}
	if err := backend.Delete(ctx, key); err != nil {
		t.Errorf("Delete from an empty store: %v", err)
	}

	saved := storetest.FullCredential()
	if err := backend.Save(ctx, key, saved); err != nil {
		t.Fatal(err)
	}
	want := *saved
	want.Source, want.Lost = "", scopes.Set{} // not stored
	if diff := cmp.Diff(&want, storetest.Load(t, backend, key)); diff != "" {
		t.Error(diff)
	}

	t.Run("what is kept is a copy", func(t *testing.T) {
		saved.Reach[0].IDs[0] = "changed"
		storetest.Load(t, backend, key).Reach[0].IDs[1] = "changed"
		if diff := cmp.Diff([]string{"1", "2"}, storetest.Load(t, backend, key).ReachOf("project")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("every part of the key counts", func(t *testing.T) { testKeys(t, backend, key) })
	t.Run("the least credential", func(t *testing.T) {
		least := &credential.Credential{Access: credential.NewSecret("a")}
		if err := backend.Save(ctx, key, least); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(least, storetest.Load(t, backend, key)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("one with many scopes", func(t *testing.T) { // as a key for everything has
		if runtime.GOOS == "windows" {
			t.Skip("the keyring of this system has room for 2.5 KB")
		}
		many := storetest.FullCredential()
		many.Access = credential.NewSecret(strings.Repeat("a", 10<<10))
		if err := backend.Save(ctx, key, many); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(many.Access.Reveal(), storetest.Load(t, backend, key).Access.Reveal()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("swap", func(t *testing.T) { testSwap(t, backend, key) })
	t.Run("probe", func(t *testing.T) {
		before := storetest.Load(t, backend, key)
		if err := backend.Probe(ctx, key); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(before, storetest.Load(t, backend, key)); diff != "" {
			t.Error(diff)
		}
		if err := backend.Probe(ctx, store.Key{Manifest: "nothing is there"}); err != nil {
			t.Error(err)
		}
		if _, err := backend.Load(ctx, store.Key{Manifest: "nothing is there"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it left something: %v", err)
		}
	})
	t.Run("concurrent use", func(t *testing.T) { testConcurrent(t, backend, key) })
	t.Run("an ended context", func(t *testing.T) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := backend.Load(ended, key); !errors.Is(err, context.Canceled) {
			t.Errorf("Load: %v", err)
		}
		if err := backend.Save(ended, key, saved); !errors.Is(err, context.Canceled) {
			t.Errorf("Save: %v", err)
		}
		if err := backend.Swap(ended, key, saved, saved); !errors.Is(err, context.Canceled) {
			t.Errorf("Swap: %v", err)
		}
		if err := backend.Probe(ended, key); !errors.Is(err, context.Canceled) {
			t.Errorf("Probe: %v", err)
		}
		if err := backend.Delete(ended, key); !errors.Is(err, context.Canceled) {
			t.Errorf("Delete: %v", err)
		}
	})
	if err := backend.Delete(ctx, key); err != nil {
		t.Fatal(err)
	}
	if _, err := backend.Load(ctx, key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Load after Delete: %v", err)
	}
	if backend.Name() == "" {
		t.Error("a store without a name")
	}
}

// testSwap replaces what it knows, and nothing else.
func testSwap(t *testing.T, backend store.Store, key store.Key) {
	state := func(access, refresh string) *credential.Credential {
		return &credential.Credential{Access: credential.NewSecret(access), Refresh: credential.NewSecret(refresh)}
	}
	first, second, theirs := state("a1", "r1"), state("a2", "r2"), state("a1", "r3")
	if err := backend.Save(t.Context(), key, first); err != nil {
		t.Fatal(err)
	}
	known := *first
	known.Server = "what is known of it counts for nothing"
	if err := backend.Swap(t.Context(), key, &known, second); err != nil {
		t.Fatal(err)
	}
	if err := backend.Save(t.Context(), key, theirs); err != nil { // somebody who holds no lock
		t.Fatal(err)
	}
	for _, old := range []*credential.Credential{first, second} {
		err := backend.Swap(t.Context(), key, old, state("a4", "r4"))
		changed, ok := errors.AsType[*store.ChangedError](err)
		if !ok || changed.Current == nil || !changed.Current.SameSecrets(theirs) {
			t.Errorf("err = %v", err)
		}
	}
	if !storetest.Load(t, backend, key).SameSecrets(theirs) {
		t.Error("it was written over")
	}
	if err := backend.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	err := backend.Swap(t.Context(), key, theirs, second)
	if changed, ok := errors.AsType[*store.ChangedError](err); !ok || changed.Current != nil {
		t.Errorf("err = %v", err)
	}
	if _, err := backend.Load(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was removed is back: %v", err)
	}
	if err := backend.Save(t.Context(), key, first); err != nil {
		t.Fatal(err)
	}
}

func testKeys(t *testing.T, backend store.Store, key store.Key) {
	others := []store.Key{
		{Issuer: key.Issuer + "/", ClientID: key.ClientID, Manifest: key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID + "2", Manifest: key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID, Manifest: "../" + key.Manifest},
		{Issuer: key.Issuer, ClientID: key.ClientID + key.Manifest}, // the same letters
	}
	for i, other := range others {
		if _, err := backend.Load(t.Context(), other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%+v finds the credential of %+v: %v", other, key, err)
		}
		c := &credential.Credential{Access: credential.NewSecret(fmt.Sprint("other", i))}
		if err := backend.Save(t.Context(), other, c); err != nil {
			t.Fatal(err)
		}
	}
	for i, other := range others {
		if got := storetest.Load(t, backend, other).Access.Reveal(); got != fmt.Sprint("other", i) {
			t.Errorf("%+v holds %q", other, got)
		}
		if err := backend.Delete(t.Context(), other); err != nil {
			t.Error(err)
		}
	}
	storetest.Load(t, backend, key)
}

// testConcurrent writes whole credentials and reads them: a mixture of two shows.
func testConcurrent(t *testing.T, backend store.Store, key store.Key) {
	const writers, rounds = 4, 5
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			text := strings.Repeat(fmt.Sprint(w), 200)
			for range rounds {
				err := backend.Save(t.Context(), key, &credential.Credential{Access: credential.NewSecret(text), Refresh: credential.NewSecret(text)})
				// The keyring reads back, and may see another writer's.
				if _, other := errors.AsType[*store.NotKeptError](err); err != nil && !other {
					t.Error(err)
				}
				c, err := backend.Load(t.Context(), key)
				if err != nil {
					t.Error(err)
				} else if !c.Access.Equal(c.Refresh) {
					t.Errorf("a mixture: %q and %q", c.Access.Reveal(), c.Refresh.Reveal())
				}
			}
		})
	}
	wait.Wait()
}

func TestKeyID(t *testing.T) {
	key := store.Key{Issuer: "https://auth.example.com", ClientID: "client", Manifest: "tool"}
	// A fixed value: another one would lose everybody's login.
	if got := key.ID(); got != "d450f8dbbcb553098cdfe82db1c4dff5" {
		t.Errorf("ID() = %q", got)
	}
}

func fileStore(t *testing.T) (store.File, store.Key, string) {
	t.Helper()
	backend := store.File{Dir: filepath.Join(t.TempDir(), "store")}
	key := store.Key{Issuer: "https://auth.example.com", Manifest: "tool"}
	if err := backend.Save(t.Context(), key, storetest.FullCredential()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(backend.Dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the directory holds %v, %v", files, err)
	}
	return backend, key, files[0]
}

func TestFileStoreIsPrivate(t *testing.T) {
	store, key, path := fileStore(t)
	if name := filepath.Base(path); strings.Contains(name, "example") || strings.Contains(name, "tool") {
		t.Errorf("the file's name %q tells whose it is", name)
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits: the directory's access list protects it")
	}
	for path, want := range map[string]os.FileMode{path: 0o600, store.Dir: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	for _, c := range []struct {
		what    string
		prepare func() error
		undo    func() error
	}{
		{"a file that the group can read", chmod(path, 0o640), chmod(path, 0o600)},
		{"a file that others can read", chmod(path, 0o604), chmod(path, 0o600)},
		{"a directory that others can enter", chmod(store.Dir, 0o701), chmod(store.Dir, 0o700)},
	} {
		if err := c.prepare(); err != nil {
			t.Fatal(err)
		}
		_, loadErr := store.Load(t.Context(), key)
		saveErr := store.Save(t.Context(), key, storetest.FullCredential())
		for _, err := range []error{loadErr, saveErr} {
			unsafe, ok := errors.AsType[*files.UnsafeError](err)
			if !ok || !strings.Contains(err.Error(), "chmod") || !strings.Contains(err.Error(), filepath.Base(unsafe.Path)) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if err := c.undo(); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Load(t, store, key)
}

func chmod(path string, mode os.FileMode) func() error {
	return func() error { return os.Chmod(path, mode) }
}

func TestFileStoreRefusesALink(t *testing.T) {
	store, key, path := fileStore(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		testkit.Lacks(t, "no symbolic links here: "+err.Error())
	}
	before := readFile(t, elsewhere)
	_, loadErr := store.Load(t.Context(), key)
	saveErr := store.Save(t.Context(), key, &credential.Credential{Access: credential.NewSecret("new")})
	for _, err := range []error{loadErr, saveErr} {
		if unsafe, ok := errors.AsType[*files.UnsafeError](err); !ok || !strings.Contains(unsafe.Problem, "symbolic link") {
			t.Errorf("err = %v", err)
		}
	}
	if readFile(t, elsewhere) != before {
		t.Error("the link was followed")
	}
	if err := store.Delete(t.Context(), key); err != nil { // the link, not what it leads to
		t.Error(err)
	}
	if readFile(t, elsewhere) != before {
		t.Error("Delete followed the link")
	}
}

func TestFileStoreDeleteSweeps(t *testing.T) {
	store, key, path := fileStore(t)
	half := strings.TrimSuffix(path, ".json") + "-123.tmp" // of a process that was killed
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(store.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCorruptRecord(t *testing.T) {
	backend, key, path := fileStore(t)
	good := readFile(t, path)
	const again = "; log in again to replace it"
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "it is empty, as a full disk or a crash leaves it)" + again},
		"blank":             {"\n", "it is empty"},
		"cut":               {good[:len(good)/2], "it is cut short, as a full disk or a crash leaves it)" + again},
		"not JSON":          {storetest.Marked, "it is not the JSON that ambit writes)" + again},
		"another shape":     {`["` + storetest.Marked + `"]`, "it is not the JSON that ambit writes"},
		"a newer version":   {strings.Replace(good, `"v":1`, `"v":2`, 1), "a newer ambit wrote it: it has version 2, and this one reads version 1); update ambit to use it"},
		"no version":        {strings.Replace(good, `"v":1`, `"v":0`, 1), "it has version 0, and this ambit reads version 1)" + again},
		"no token":          {`{"v":1,"refresh":"` + storetest.Marked + `"}`, "the token in it is not valid)" + again},
		"a line in a token": {`{"v":1,"access":"` + storetest.Marked + `\r\nX: y"}`, "the token in it is not valid"},
		"no scopes":         {`{"v":1,"access":"` + storetest.Marked + `","scope":"a\"b"}`, "the scopes in it are not valid)" + again},
		"a wrong type":      {`{"v":1,"access":"` + storetest.Marked + `","exp":"` + storetest.Marked + `"}`, "it is not the JSON that ambit writes"},
		"too large":         {good + strings.Repeat(" ", 4<<20), "it is larger than 4194304 bytes, and ambit wrote no such thing)" + again},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := backend.Load(t.Context(), key)
		corrupt, ok := errors.AsType[*store.CorruptError](err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || storetest.Leaks(err.Error()+corrupt.Problem) {
			t.Errorf("%s: %v", name, err)
		}
		if err := backend.Save(t.Context(), key, storetest.FullCredential()); err != nil {
			t.Errorf("%s: cannot be replaced: %v", name, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	huge := &credential.Credential{Access: credential.NewSecret(strings.Repeat("a", 70<<10))}
	err := store.Keyring{}.Save(t.Context(), store.Key{}, huge)
	if _, ok := errors.AsType[*store.NotKeptError](err); !ok || !strings.Contains(err.Error(), "the file store has room for it") {
		t.Errorf("err = %v", err)
	}
	backend := store.File{Dir: filepath.Join(t.TempDir(), "store")}
	if err := backend.Save(t.Context(), store.Key{}, huge); err != nil { // as was said
		t.Error(err)
	}
	huge.Access = credential.NewSecret(strings.Repeat("a", 5<<20))
	err = backend.Save(t.Context(), store.Key{}, huge)
	if _, ok := errors.AsType[*store.NotKeptError](err); !ok || strings.Contains(err.Error(), "has room for it") {
		t.Errorf("err = %v", err)
	}
}

// What killed processes left behind goes at the next write; what another process may be
// writing just now stays.
func TestFileStoreSaveSweeps(t *testing.T) {
	backend, key, path := fileStore(t)
	half := func(name string, age time.Duration) string {
		file := strings.TrimSuffix(path, ".json") + name
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(file, then, then); err != nil {
			t.Fatal(err)
		}
		return file
	}
	old, young := half("-1.tmp", time.Hour), half("-2.tmp", 0)
	if err := backend.Save(t.Context(), key, storetest.FullCredential()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what was left an hour ago is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error(err)
	}
}

// A usual credential must fit into the narrowest keyring.
func TestRecordIsCompact(t *testing.T) {
	c := storetest.FullCredential()
	c.Access, c.Refresh = credential.NewSecret(strings.Repeat("a", 64)), credential.NewSecret(strings.Repeat("r", 64))
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("some_resource_%02d:write", i))
	}
	c.Scopes = scopes.NewSet(many...)
	backend := store.File{Dir: filepath.Join(t.TempDir(), "store")}
	if err := backend.Save(t.Context(), store.Key{}, c); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(backend.Dir, "*.json"))
	if info, err := os.Stat(files[0]); err != nil || info.Size() > 2560 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
