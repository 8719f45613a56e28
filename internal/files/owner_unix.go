//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkOwner refuses what belongs to another user, who could read and change it: it was not meant for
// this one, root included. What others may read can be root's.
func checkOwner(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	return checkUser(path, info, forbidden&OthersRead == 0, ", or name another directory with XDG_STATE_HOME")
}

// checkUser refuses what belongs neither to this user nor, where that is allowed, to root.
func checkUser(path string, info fs.FileInfo, rootToo bool, orElse string) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	user := os.Geteuid()
	if !ok || stat.Uid == uint32(user) || stat.Uid == 0 && rootToo {
		return nil
	}
	return &UnsafeError{
		Path:    path,
		Problem: fmt.Sprintf("belongs to another user (user id %d; this is %d)", stat.Uid, user),
		Fix:     "chown it, if it is meant to be yours" + orElse,
	}
}

// checkObeyed refuses a file that another user could write or replace: by the owner of the file, of the
// folder where its name stands, and of the one where a link leads. In a folder with the sticky bit nobody
// can replace what is another's.
func checkObeyed(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, at := range []string{target, filepath.Dir(target), filepath.Dir(path)} {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if err := checkUser(at, info, true, ""); err != nil {
			return err
		}
		if mode := info.Mode(); info.IsDir() && mode.Perm()&OthersWrite != 0 && mode&fs.ModeSticky == 0 {
			return &UnsafeError{Path: at, Problem: fmt.Sprintf("is open to other users (mode %04o), who could replace %q", mode.Perm(), filepath.Base(path)), Fix: "chmod go-w it, if you know that nobody used that"}
		}
	}
	return nil
}

// keepOwner gives temp to the owner of path, which it replaces: what root changes for somebody
// stays theirs.
func keepOwner(temp, path string) error {
	info, err := os.Lstat(path)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
		return os.Lchown(temp, int(stat.Uid), int(stat.Gid))
	}
	return nil
}

// syncDir makes a new name in a directory last. Some file systems have no such thing, and need
// none.
func syncDir(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return nil // one that may be written to and not read: the file itself is flushed
	}
	defer directory.Close()
	if err := directory.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
