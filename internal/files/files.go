package files

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// File modes for what only the user may read.
const (
	PrivateFile fs.FileMode = 0o600
	PrivateDir  fs.FileMode = 0o700
)

// Write puts data into path such that every reader finds the old content or the
// new: a file beside it, flushed, then renamed. pattern is for the name of that file,
// as [os.CreateTemp] takes it.
func Write(path, pattern string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), pattern) // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(data); err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// exchangeTries bounds how often a file is opened again because another process put a
// new one in its place between the check and the opening. Once is rare already.
const exchangeTries = 100

// Read reads a file of at most limit bytes that [Check] finds fit.
func Read(path string, forbidden fs.FileMode, limit int64) ([]byte, error) {
	file, err := openChecked(path, forbidden)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%q is larger than %d bytes", path, limit)
	}
	return data, err
}

// openChecked opens what was checked, and nothing that took its place.
func openChecked(path string, forbidden fs.FileMode) (*os.File, error) {
	for range exchangeTries {
		before, err := Check(path, forbidden)
		if err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		after, err := file.Stat()
		if err == nil && os.SameFile(before, after) {
			return file, nil
		}
		_ = file.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, &UnsafeError{Path: path, Problem: "is exchanged all the time", Mend: "see who writes it"}
}

// Check refuses what is no regular file, and modes that have a bit of forbidden.
func Check(path string, forbidden fs.FileMode) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &UnsafeError{Path: path, Problem: "is a symbolic link", Mend: "remove it"}
	case !info.Mode().IsRegular():
		return nil, &UnsafeError{Path: path, Problem: "is no ordinary file", Mend: "remove it"}
	}
	return info, checkMode(path, info, forbidden, PrivateFile)
}

// MakeDir makes path where it is not there, and refuses one that others can enter.
func MakeDir(path string) error {
	if err := os.MkdirAll(path, PrivateDir); err != nil {
		return err
	}
	return CheckDir(path)
}

// CheckDir refuses what is no directory, and one that others can enter.
func CheckDir(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &UnsafeError{Path: path, Problem: "is no folder", Mend: "remove it"}
	}
	return checkMode(path, info, OthersMode, PrivateDir)
}

// OthersMode are the rights of everyone but the owner; OthersRead and OthersWrite, those
// to read and to write.
const (
	OthersMode  fs.FileMode = 0o077
	OthersRead  fs.FileMode = 0o044
	OthersWrite fs.FileMode = 0o022
)

// checkMode looks at the permission bits where there are any: Windows has access
// lists, and a user's own folders are the user's own there.
func checkMode(path string, info fs.FileInfo, forbidden, want fs.FileMode) error {
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&forbidden != 0 {
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("is open to other users (mode %04o)", mode),
			Mend:    fmt.Sprintf("chmod %04o it, if you know that nobody used that", want),
		}
	}
	return nil
}

// An UnsafeError says that a file or folder is open to others, or is not what it
// should be, and was not touched.
type UnsafeError struct {
	Path    string
	Problem string // "can be read by others (mode 0644)"
	Mend    string // a command or an act that mends it
}

// Error names the path, the problem and the remedy.
func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%q %s; %s", e.Path, e.Problem, e.Mend)
}
