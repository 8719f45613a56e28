package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
// link stays one, and its target gets the data; a stream is written to as it is, see
// [OpenStream].
func Update(path string, data []byte) error {
	if stream, err := OpenStream(path); err != nil {
		return err
	} else if stream != nil {
		_, err := stream.Write(data)
		return errors.Join(err, stream.Close())
	}
	mode := fs.FileMode(0o644)
	info, err := os.Stat(path)
	switch {
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

// OpenStream opens what cannot be replaced by another file, for writing at its end: a device, a
// pipe, and what a process has open (/proc/self/fd/1, /dev/stdout, and links to them). Behind one
// of those can be a file into which others write: to rename another over it would take theirs
// away. nil where path is that of a file, or where there is nothing yet.
func OpenStream(path string) (*os.File, error) {
	if err := DanglingLink(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && !isDescriptor(path) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	stream, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(nil); err != nil { // /dev/full says so at once
		return nil, errors.Join(err, stream.Close())
	}
	return stream, nil
}

// maxLinks is how many links to links are followed: as many as Linux follows.
const maxLinks = 40

// isDescriptor reports whether a path leads through a name that means what a process has open.
func isDescriptor(path string) bool {
	for range maxLinks {
		directory, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return false
		}
		if slash := filepath.ToSlash(directory); strings.HasPrefix(slash, "/proc/") || slash == "/dev/fd" {
			return true
		}
		target, err := os.Readlink(path)
		if err != nil {
			return false
		}
		if path = target; !filepath.IsAbs(path) {
			path = filepath.Join(directory, path)
		}
	}
	return false
}

func replace(path, pattern string, data []byte, mode fs.FileMode) error {
	if err := putInPlace(path, pattern, data, mode); err != nil {
		return naming(path, err)
	}
	return syncDir(filepath.Dir(path))
}

// naming is an error of the file beside path in which that one is named: nobody knows the other.
func naming(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: e.Err}
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: "replace", Path: path, Err: e.Err}
	}
	return err
}

func putInPlace(path, pattern string, data []byte, mode fs.FileMode) error {
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
	}
	return err
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
