package files

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// File modes for what only the user may read.
const (
	PrivateFile fs.FileMode = 0o600
	PrivateDir  fs.FileMode = 0o700
)

// MakeDir makes path where it is not there, and refuses one that others can enter.
func MakeDir(path string) error {
	if err := os.MkdirAll(path, PrivateDir); err != nil {
		return err
	}
	return CheckDir(path)
}

// MakeTemporaryDir makes a directory that only this user can look into, for the caller to
// remove.
func MakeTemporaryDir(prefix string) (string, error) {
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fmt.Errorf("there is no directory for temporary files: %w", err)
	}
	return path, nil
}

// CheckDir refuses what is no directory, and one that others can enter.
func CheckDir(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &UnsafeError{Path: path, Problem: "is not a directory", Fix: "remove it"}
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

// checkMode looks at the owner and the permission bits where there are any: Windows has access
// lists, and a user's own directories are the user's own there. Whose it is matters where
// something is forbidden: an owner can change the bits.
func checkMode(path string, info fs.FileInfo, forbidden, want fs.FileMode) error {
	if forbidden != 0 {
		if err := checkOwner(path, info, forbidden); err != nil {
			return err
		}
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&forbidden != 0 {
		return &UnsafeError{
			Path:    path,
			Problem: fmt.Sprintf("is open to other users (mode %04o)", mode),
			Fix:     fmt.Sprintf("chmod %04o it, if you know that nobody used that", want),
		}
	}
	return nil
}

// An UnsafeError says that a file or directory is open to others, or is not what it
// should be, and was not touched.
type UnsafeError struct {
	Path    string
	Problem string // "can be read by others (mode 0644)"
	Fix     string // a command or an act that fixes it
}

// Error names the path, the problem and the remedy.
func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%q %s; %s", e.Path, e.Problem, e.Fix)
}
