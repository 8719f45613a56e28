//go:build unix

package signals

import (
	"os"
	"syscall"
)

var (
	// always end a program.
	always = []os.Signal{os.Interrupt, syscall.SIGTERM}
	// unlessChild end it where no child has a use of its own for them.
	unlessChild = []os.Signal{syscall.SIGHUP, syscall.SIGQUIT}
	// forChild do not end it.
	forChild = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT}
	// goesOn comes after a stop.
	goesOn = []os.Signal{syscall.SIGCONT}
)

// stopGroup is what the terminal does at Ctrl-Z.
func stopGroup() { _ = syscall.Kill(0, syscall.SIGTSTP) }
