package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit"
)

// ownDisk gives the home a disk of its own for its state.
func (h *keepingHome) ownDisk(options string) string {
	h.t.Helper()
	dir := filepath.Join(h.dir, ".local/state")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		testkit.Lacks(h.t, "no disk can be mounted for the test: "+err.Error())
	}
	h.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestNoPlaceForARenewal: where what comes of a renewal could not be kept, the token is used
// while it lives, and that is said; the refresh token is not spent, and serves as soon as there
// is a place again.
func TestNoPlaceForARenewal(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(dir string) error
		why         string
	}{
		"a read-only disk": {
			func(dir string) error { return syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "") },
			func(dir string) error { return syscall.Mount("", dir, "", syscall.MS_REMOUNT, "") },
			"read-only file system",
		},
		"a full disk": {
			func(dir string) error {
				f, err := os.Create(filepath.Join(dir, "fill"))
				for err == nil {
					_, err = f.Write(make([]byte, 4096))
				}
				return f.Close()
			},
			func(dir string) error { return os.Remove(filepath.Join(dir, "fill")) },
			"no space left on device",
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			h := k.home("tool")
			dir := h.ownDisk("size=128k")
			h.login()
			h.edit(map[string]any{"exp": time.Now().Add(5 * time.Minute).Unix()})
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				out, err := h.ambit("token", "--min-ttl", "1h").CombinedOutput()
				if err != nil || !strings.Contains(string(out), "acc_") || !strings.Contains(string(out), "and is not renewed: what comes of that could not be kept") || !strings.Contains(string(out), c.why) {
					t.Errorf("%v\n%s", err, out)
				}
			}
			if n := k.count("renewal"); n != 0 {
				t.Errorf("%d requests", n)
			}
			if err := c.mend(dir); err != nil {
				t.Fatal(err)
			}
			if out, err := h.ambit("token", "--min-ttl", "30m").CombinedOutput(); err != nil || strings.Contains(string(out), "note") {
				t.Errorf("%v\n%s", err, out)
			}
			if k.count("renewal") != 1 || k.reused != 0 {
				t.Errorf("%d requests, %d reused", k.count("renewal"), k.reused)
			}
			h.edit(map[string]any{"exp": 1577836800})
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			out, err := h.ambit("token").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "error: the login is not renewed, and stays as it is, since what comes of that could not be kept: ") || !strings.Contains(string(out), "XDG_STATE_HOME") {
				t.Errorf("%v\n%s", err, out)
			}
			if err := c.mend(dir); err != nil {
				t.Fatal(err)
			}
			if out, err := h.ambit("token").CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
