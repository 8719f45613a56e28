package typing

import "golang.org/x/sys/unix"

const getModes, setModes = unix.TCGETS, unix.TCSETS

// noKey in place of a key is none.
const noKey = 0
