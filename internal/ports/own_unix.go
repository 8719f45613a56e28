//go:build !windows

package ports

import (
	"os"
	"syscall"
)

func everyonesDir() string { return "/tmp" }

// isOwn reports whether nobody but this user can change what is in a directory. Whose it is counts for
// root too: what another user made is no word of root's.
func isOwn(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
