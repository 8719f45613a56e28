//go:build unix

package files

import (
	"io/fs"
	"os"
	"syscall"
)

// foreignOwner reports whose a file is, and whether that is another user than this one: root may
// own anything, and use what anybody owns.
func foreignOwner(info fs.FileInfo) (uid uint32, foreign bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	self := os.Geteuid()
	return stat.Uid, self != 0 && stat.Uid != 0 && int(stat.Uid) != self
}
