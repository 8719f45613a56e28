//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package typing

import "golang.org/x/sys/unix"

const getModes, setModes = unix.TIOCGETA, unix.TIOCSETA

// noKey in place of a key is none.
const noKey = 0xff
