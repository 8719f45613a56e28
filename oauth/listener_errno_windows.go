package oauth

import (
	"errors"

	"golang.org/x/sys/windows"
)

// addressTaken: the system answers "access denied" for a port in a range that it
// keeps for others.
func addressTaken(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

// noSuchAddress: IPv6 is switched off.
func noSuchAddress(err error) bool {
	return errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEAFNOSUPPORT)
}
