package ports

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Announce says to the other processes of this user that this one serves hosts (host:port) of this
// machine, until stop is called or the process ends. The word is a locked file in a directory that only
// this user can change; the environment has no part in where that is.
func Announce(hosts []string) (stop func(), err error) {
	dir := announcements()
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if !isOwn(dir) {
		return nil, errors.New(dir + " is not a directory that only this user can change")
	}
	clear(dir)
	var held []*flock.Flock
	stop = func() {
		for _, lock := range held {
			_ = os.Remove(lock.Path())
			_ = lock.Close()
		}
	}
	for _, host := range hosts {
		lock, err := hold(announcement(host))
		if err != nil {
			stop()
			return nil, err
		}
		held = append(held, lock)
	}
	return stop, nil
}

// holdTimeout bounds the wait for whoever clears the directory; nobody else has the lock, since the port
// is ours.
const holdTimeout, holdPoll = 2 * time.Second, 5 * time.Millisecond

// hold locks a file, and the one that has the name then.
func hold(path string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeout(context.Background(), holdTimeout)
	defer cancel()
	for {
		lock := flock.New(path, flock.SetPermissions(0o600))
		if _, err := lock.TryLockContext(ctx, holdPoll); err != nil {
			return nil, err
		}
		mine, err := lock.Stat()
		if named, namedErr := os.Lstat(path); err == nil && namedErr == nil && os.SameFile(mine, named) {
			return lock, nil
		}
		_ = lock.Close()
	}
}

// Announced reports whether a process of this user that is alive has said that it serves a host.
func Announced(host string) bool {
	path := announcement(host)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || !isOwn(announcements()) {
		return false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	got, err := lock.TryRLock()
	_ = lock.Close()
	return err == nil && !got
}

// clear removes what processes left behind that could not call stop. Its lock is one that does not look
// like an announcement.
func clear(dir string) {
	files, _ := os.ReadDir(dir)
	for _, file := range files {
		lock := flock.New(filepath.Join(dir, file.Name()), flock.SetFlag(os.O_RDONLY))
		if got, err := lock.TryRLock(); got && err == nil {
			_ = os.Remove(lock.Path())
		}
		_ = lock.Close()
	}
}

func announcements() string {
	return filepath.Join(everyonesDir(), "ambit-serves-"+strconv.Itoa(os.Geteuid()))
}

// announcement is the file of a host: the name of one has no / in it.
func announcement(host string) string {
	return filepath.Join(announcements(), strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, strings.ToLower(host))+".lock")
}
