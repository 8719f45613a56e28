package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// smallDisk is a disk of so many bytes, of this test's own.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		testkit.Lacks(t, "no disk can be mounted for the test: "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillDisk leaves no room in a directory.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "fill"))
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	f.Close()
}

// A probe finds out what a write would, and leaves what is stored as it was.
func TestProbeFindsNoRoom(t *testing.T) {
	key := store.Key{Manifest: "tool"}
	for name, c := range map[string]struct {
		options string
		spoil   func(t *testing.T, dir string)
		want    error
	}{
		"a full disk":          {"size=64k", fillDisk, syscall.ENOSPC},
		"room for half of one": {"size=16k", func(*testing.T, string) {}, syscall.ENOSPC},
		"no more files":        {"size=64k,nr_inodes=3", func(t *testing.T, dir string) { _ = os.WriteFile(filepath.Join(dir, "one"), nil, 0o600) }, syscall.ENOSPC},
		"read-only": {"size=64k", func(t *testing.T, dir string) {
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
		}, syscall.EROFS},
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t, c.options)
			backend := store.File{Dir: dir}
			if err := backend.Save(t.Context(), key, storetest.FullCredential()); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, dir)
			if err := backend.Probe(t.Context(), key); !errors.Is(err, c.want) {
				t.Errorf("err = %v", err)
			}
			storetest.Load(t, backend, key)
			if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// What another user could have written is refused by name, by root too, and stays as it is; it can be removed.
func TestOwner(t *testing.T) {
	testkit.AsRoot(t)
	for name, c := range map[string]struct {
		reader, record, dir uintptr
		wants               string
	}{
		"root, another's":           {0, 65534, 0, "belongs to another user (user id 65534; this is 0)"},
		"root, another's directory": {0, 0, 65534, "belongs to another user (user id 65534; this is 0)"},
		"a user, root's":            {65534, 0, 65534, "belongs to another user (user id 0; this is 65534)"},
		"a user, another's":         {65534, 1234, 65534, "belongs to another user (user id 1234; this is 65534)"},
	} {
		t.Run(name, func(t *testing.T) {
			backend, key, path := fileStore(t)
			before, err := os.ReadFile(path)
			if err = errors.Join(err, os.Chown(path, int(c.record), -1), os.Chown(backend.Dir, int(c.dir), -1)); err != nil {
				t.Fatal(err)
			}
			for dir := filepath.Dir(backend.Dir); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			full := storetest.FullCredential()
			for operation, do := range map[string]func() error{
				"load":  func() error { _, err := backend.Load(t.Context(), key); return err },
				"probe": func() error { return backend.Probe(t.Context(), key) },
				"save":  func() error { return backend.Save(t.Context(), key, full) },
				"swap":  func() error { return backend.Swap(t.Context(), key, nil, full, full) },
			} {
				err := asUser(t, c.reader, do)
				if _, unsafe := errors.AsType[*files.UnsafeError](err); !unsafe || !strings.Contains(err.Error(), c.wants) {
					t.Errorf("%s: %v", operation, err)
				}
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("it was changed: %v", err)
			}
			if err := asUser(t, c.reader, func() error { return backend.Delete(t.Context(), key) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// asUser calls do as another user may.
func asUser(t *testing.T, uid uintptr, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		const same = ^uintptr(0)
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, uid, same); errno != 0 {
			done <- errno
			return
		}
		done <- do()
	}()
	return <-done
}
