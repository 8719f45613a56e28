package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts data into path such that every reader finds the old content or the
// new, also after the power failed: a file beside it (0600), flushed, then renamed, and the
// directory flushed. pattern is for the name of that file, as [os.CreateTemp] takes it. A link in
// that place is replaced. Where it replaces another user's file, as root can, the new one is
// that user's too.
func Write(path, pattern string, data []byte) error {
	return replace(path, pattern, data, PrivateFile)
}

// Probe shows that so many bytes can be written into a directory: it does so, flushed, and
// removes them. pattern is as for [Write].
func Probe(directory, pattern string, size int) error {
	temp, err := fill(directory, pattern, bytes.Repeat([]byte("x"), size), PrivateFile)
	if err != nil {
		return err
	}
	return os.Remove(temp)
}

// Update is [Write] for a file of the person's own: its mode stays, 0644 for a new one; a
// link stays one, and its target gets the data; what is no file, a device or a pipe, is
// written to as it is.
func Update(path string, data []byte) error {
	if err := DanglingLink(path); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return os.WriteFile(path, data, 0)
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return replace(path, "."+filepath.Base(path)+"-*", data, mode)
}

func replace(path, pattern string, data []byte, mode fs.FileMode) error {
	temp, err := fill(filepath.Dir(path), pattern, data, mode)
	if err != nil {
		return err
	}
	err = keepOwner(temp, path)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// fill makes a file with data in it, flushed to the disk, and returns its name.
func fill(directory, pattern string, data []byte, mode fs.FileMode) (name string, err error) {
	temp, err := os.CreateTemp(directory, pattern) // made with mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(data); err == nil && mode != PrivateFile {
		err = temp.Chmod(mode)
	}
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	return temp.Name(), err
}

// DanglingLink tells of a link that leads nowhere; nil for everything else. Of one, "no such
// file" would be said of a name that people see in the directory.
func DanglingLink(path string) error {
	target, err := os.Readlink(path)
	if err != nil {
		return nil // not a link
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s is a link to %s, and nothing is there", path, target)
}
