package store_test

import (
	"crypto/rand"
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
)

// memories are those of this process, by their place.
var memories sync.Map

// kinds are all stores.
func kinds() []storetest.Kind {
	return []storetest.Kind{
		{
			Name: "memory", OneProcess: true,
			Place: func(testing.TB) string { return rand.Text() },
			Open: func(place string) store.Store {
				s, _ := memories.LoadOrStore(place, new(store.Memory))
				return s.(*store.Memory)
			},
		},
		{
			Name:  "file",
			Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "store") },
			Open:  func(place string) store.Store { return store.File{Dir: place} },
		},
		{
			Name: "keyring", SwapsUnderLease: true, Large: keyringRoom(),
			Place: func(t testing.TB) string { openKeyring(t.(*testing.T)); return "" },
			Open:  func(string) store.Store { return store.Keyring{} },
		},
		storetest.HelperKind(),
	}
}

// keyringRoom is what a keyring has room for with certainty.
func keyringRoom() int {
	if runtime.GOOS == "windows" {
		return 1000
	}
	return 20 << 10
}

// TestMain is also the main of the processes of storetest.
func TestMain(m *testing.M) {
	storetest.Main(kinds()...)
	_ = os.Unsetenv("DBUS_SESSION_BUS_ADDRESS") // the D-Bus library keeps to its first bus, and the tests have their own
	os.Exit(m.Run())
}

func TestStores(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.Name, func(t *testing.T) { storetest.Run(t, kind) })
	}
}

func TestKeyID(t *testing.T) {
	key := store.Key{Issuer: "https://auth.example.com", ClientID: "client", Manifest: "tool"}
	// A fixed value: another one would lose everybody's login.
	if got := key.ID(); got != "d450f8dbbcb553098cdfe82db1c4dff5" {
		t.Errorf("ID() = %q", got)
	}
	key.Account = "work"
	if got := key.ID(); got != "b85b4bbbb51612fc262ca5f9f94833d7" {
		t.Errorf("of an account: ID() = %q", got)
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
