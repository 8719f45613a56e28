package ports

import (
	"errors"

	"golang.org/x/sys/windows"
)

// Taken reports whether an error of listening is that another program has the port: the system answers "access denied" for a port in a range that it
// keeps for others.
func Taken(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

// NoSuchAddress reports whether it is that the machine has no such address: IPv6 is switched off.
func NoSuchAddress(err error) bool {
	return errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEAFNOSUPPORT)
}
