package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// keepOutput keeps what the program writes at Ctrl-C: the terminal sends the signal first and
// drops its output then, and a fast program has written its last words by that time.
func keepOutput(terminal *os.File) error {
	attributes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	attributes.Lflag |= unix.NOFLSH
	return unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, attributes)
}
