//go:build !windows

package oauth

import (
	"errors"
	"syscall"
)

func addressTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// noSuchAddress: IPv6 is not built in, or switched off.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
