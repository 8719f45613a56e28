//go:build unix && !darwin

package store

import (
	"errors"
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

// keyringIsThere reports whether some program is the keyring of this bus, after a call to
// one came to nothing: it is locked, then, or refuses.
func keyringIsThere() bool {
	bus, err := dbus.SessionBus()
	if err != nil {
		return false
	}
	var owned bool
	err = bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned)
	return err == nil && owned
}

// reachKeyring reports whether there is a session bus to ask. The D-Bus library starts
// one with dbus-launch where there is none: it has no keyring, and stays behind.
func reachKeyring() error {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} { // where the library looks
		if _, err := os.Stat(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)); err == nil {
			return nil
		}
	}
	return errors.New("no D-Bus session is running")
}
