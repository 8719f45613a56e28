package profile

import (
	"os"
	"os/exec"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// Disk is the [Files] of this machine. The zero value is ready to use, and safe for
// concurrent use.
type Disk struct{}

// keychainTimeout bounds the question whether a keychain has an item: it may wait for
// a person to unlock it.
const keychainTimeout = 2 * time.Second

// ReadFile reads a regular file; a pipe or a device in its place would never end.
func (Disk) ReadFile(path string, limit int64) ([]byte, error) {
	return files.Read(path, files.Rule{Limit: limit, Links: true})
}

// ReadDir returns the names in a directory; none where it cannot be read.
func (Disk) ReadDir(path string) []string {
	entries, _ := os.ReadDir(path) // a directory that is not there holds no settings
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Exists reports whether there is a file.
func (Disk) Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Keychain asks macOS whether there is an item of that name, without its content.
func (Disk) Keychain(item string) bool {
	ask := exec.Command("/usr/bin/security", "find-generic-password", "-s", item)
	if ask.Start() != nil {
		return false
	}
	patience := time.AfterFunc(keychainTimeout, func() { _ = ask.Process.Kill() }) // it may have ended by itself
	defer patience.Stop()
	return ask.Wait() == nil
}
