package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/ambit-auth/ambit/internal/testkit"
	"golang.org/x/sys/unix"
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

// overQuota is the variable that makes the program's every flush fail as one beyond a quota does.
const overQuota = "AMBIT_TEST_OVER_QUOTA"

func init() {
	if os.Getenv(overQuota) != "" {
		if err := failFlushes(); err != nil {
			panic(err)
		}
	}
}

// failFlushes has the system answer fsync with "disk quota exceeded" from now on: a file system on
// another machine finds out in a flush.
func failFlushes() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const number = 0 // where a filter finds the system call
	rules := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FSYNC, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EDQUOT)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(rules)), Filter: &rules[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// A noPlace is a state of the disk in which nothing more can be kept.
type noPlace struct {
	spoil, mend func(h *keepingHome, dir string) error
	why         string
	hint        string // after a renewal
	login       string // that after a login
	late        bool   // it can come while a program is at work
}

var noPlaces = map[string]noPlace{
	"a read-only disk": {
		spoil: func(_ *keepingHome, dir string) error {
			return syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
		},
		mend: func(_ *keepingHome, dir string) error { return syscall.Mount("", dir, "", syscall.MS_REMOUNT, "") },
		why:  "read-only file system", hint: "make it a directory that you can write to", login: "set XDG_STATE_HOME to a directory of yours", late: true,
	},
	"a full disk": {
		spoil: func(_ *keepingHome, dir string) error { return fill(dir, 0) },
		mend:  func(_ *keepingHome, dir string) error { return os.Remove(filepath.Join(dir, "fill")) },
		why:   "no space left on device", hint: "make room on that disk", login: "make room on that disk", late: true,
	},
	"a disk on which what may come is too large": {
		spoil: func(_ *keepingHome, dir string) error { return fill(dir, 8<<10) },
		mend:  func(_ *keepingHome, dir string) error { return os.Remove(filepath.Join(dir, "fill")) },
		why:   "no space left on device", hint: "make room on that disk", login: "make room on that disk", late: true,
	},
	"a quota that is used up": {
		spoil: func(h *keepingHome, _ string) error { h.env = append(h.env, overQuota+"=yes"); return nil },
		mend:  func(h *keepingHome, _ string) error { h.env = h.env[:len(h.env)-1]; return nil },
		why:   "disk quota exceeded", hint: "make room on that disk", login: "make room on that disk",
	},
}

// fill leaves so much room on a disk.
func fill(dir string, room int) error {
	f, err := os.Create(filepath.Join(dir, "fill"))
	size := 0
	for err == nil {
		var n int
		n, err = f.Write(make([]byte, 4096))
		size += n
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return errors.Join(f.Truncate(int64(size-room)), f.Close())
}

// TestNoPlaceForARenewal: where what comes of a renewal could not be kept, the token is used
// while it lives, and that is said; the refresh token is not spent, and serves as soon as there
// is a place again.
func TestNoPlaceForARenewal(t *testing.T) {
	for name, c := range noPlaces {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			h := k.home("tool")
			dir := h.ownDisk("size=128k")
			h.login()
			h.edit(map[string]any{"exp": time.Now().Add(5 * time.Minute).Unix()})
			if err := c.spoil(h, dir); err != nil {
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
			if err := c.mend(h, dir); err != nil {
				t.Fatal(err)
			}
			if out, err := h.ambit("token", "--min-ttl", "30m").CombinedOutput(); err != nil || strings.Contains(string(out), "note") {
				t.Errorf("%v\n%s", err, out)
			}
			if k.count("renewal") != 1 || k.reused != 0 {
				t.Errorf("%d requests, %d reused", k.count("renewal"), k.reused)
			}
			h.edit(map[string]any{"exp": 1577836800})
			if err := c.spoil(h, dir); err != nil {
				t.Fatal(err)
			}
			out, err := h.ambit("token").CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.hint) || !strings.Contains(string(out), "error: the login is not renewed, and stays as it is, since what comes of that could not be kept: ") || !strings.Contains(string(out), "XDG_STATE_HOME") {
				t.Errorf("%v\n%s", err, out)
			}
			if err := c.mend(h, dir); err != nil {
				t.Fatal(err)
			}
			if out, err := h.ambit("token").CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestNoPlaceForACode: where what comes of a login could not be kept, no page is opened; where that
// comes while the person consents, the code is not sent. Both are told, with the way out, and the
// next login is as the first would have been.
func TestNoPlaceForACode(t *testing.T) {
	for name, c := range noPlaces {
		for _, late := range []bool{false, true} {
			if late && !c.late {
				continue
			}
			t.Run(fmt.Sprintf("%s, late %t", name, late), func(t *testing.T) {
				k := newKeeper(t)
				h := k.home("tool")
				dir := h.ownDisk("size=128k")
				pages := 0
				page := k.wait("consent")
				if late {
					pages = 1
					go func() {
						<-page.came
						if err := c.spoil(h, dir); err != nil {
							t.Error(err)
						}
						close(page.open)
					}()
				} else if err := c.spoil(h, dir); err != nil {
					t.Fatal(err)
				}
				out, err := h.ambit("login", "--browser", visitCommand(t)).CombinedOutput()
				if err == nil || !strings.Contains(string(out), "error: no credential can be kept there: ") || !strings.Contains(string(out), c.why) || !strings.Contains(string(out), "hint: "+c.login) || !strings.Contains(string(out), "--store memory") {
					t.Errorf("%v\n%s", err, out)
				}
				if k.count("consent") != pages || k.count("exchange") != 0 {
					t.Errorf("%d pages, %d exchanges", k.count("consent"), k.count("exchange"))
				}
				if err := c.mend(h, dir); err != nil {
					t.Fatal(err)
				}
				if kept := h.kept(); len(kept) != 0 {
					t.Errorf("kept %v", kept)
				}
				if !late {
					close(page.open)
				}
				h.login()
				if !slices.Equal(h.kept(), k.alive()) {
					t.Errorf("kept %v, alive %v", h.kept(), k.alive())
				}
			})
		}
	}
}
