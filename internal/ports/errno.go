//go:build !windows

package ports

import (
	"errors"
	"syscall"
)

// Taken reports whether an error of listening is that another program has the port.
func Taken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// NoSuchAddress reports whether it is that the machine has no such address: IPv6 is not built in, or switched off.
func NoSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
