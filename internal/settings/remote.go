package settings

import (
	"os"
	"runtime"
)

// Remote is why no page can be shown to the person on this machine, as the end of a sentence; ""
// where one can be.
func (e Environment) Remote() string {
	return e.remote(runtime.GOOS, func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// remote is Remote on a system, with a look for files. A display that was handed to a container is
// one; over SSH it would show a browser of the far machine, very slowly.
func (e Environment) remote(system string, exists func(path string) bool) string {
	isAny := func(names ...string) bool {
		for _, name := range names {
			if e.Get(name) != "" {
				return true
			}
		}
		return false
	}
	switch {
	case isAny("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"):
		return "this is an SSH session"
	case system == "windows" || system == "darwin" || isAny("DISPLAY", "WAYLAND_DISPLAY"):
		return ""
	case isAny("CODESPACES", "REMOTE_CONTAINERS", "KUBERNETES_SERVICE_HOST", "container"),
		exists("/.dockerenv"), exists("/run/.containerenv"):
		return "this is a container"
	case isAny("WSL_DISTRO_NAME", "WSL_INTEROP"):
		return "" // it opens the browser of Windows
	}
	return "this machine has no display"
}
