package profile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ambit-auth/ambit/internal/files"
)

// Disk is the [Files] of this machine. The zero value is ready to use, and safe for
// concurrent use.
type Disk struct{}

// Command is [NewCommand], and follows links: a program is one also by the name of what it is a link to.
func (Disk) Command(words ...string) Command {
	c := NewCommand(words...)
	for i := range c.programs {
		c.programs[i].targets = targets(c.programs[i].word)
	}
	return c
}

// maxLinks bounds how many links from one to the next are followed, as systems do.
const maxLinks = 40

// targets are the paths to which a program is a link, one after the other.
func targets(program string) (list []string) {
	at, err := exec.LookPath(program)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return nil
	}
	for len(list) < maxLinks {
		target, err := os.Readlink(at)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		list, at = append(list, target), target
	}
	if len(list) == 0 {
		return nil
	}
	if end, err := filepath.EvalSymlinks(at); err == nil { // a directory may be a link as well
		list = append(list, end)
	}
	return list
}

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
