package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/yamlfile"
)

// readLimited reads a file of the user's, one byte more than the largest that a decoder
// takes, so that it can say that there is too much.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, yamlfile.MaxFileSize+1))
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// writeFile puts text into a file of the user's at once: whoever reads meanwhile sees
// the old text or the new one, and a failure leaves the old. A link stays one, and its
// target gets the text; what is no file, a device or a pipe, is written to as it is.
func writeFile(path string, text []byte) error {
	if err := danglingLink(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, text, 0)
	}
	if _, err := os.Readlink(path); err == nil {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info != nil {
		mode = info.Mode().Perm()
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// temporaryFolder is one that only this user can look into.
func temporaryFolder(prefix string) (string, error) {
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fail(exitUsage, "there is no folder for temporary files: "+plain(err.Error()), "set TMPDIR to a folder of yours")
	}
	return folder, nil
}

// danglingLink tells of a link that leads nowhere. Of one, "no such file" would be said
// of a name that people see in the folder.
func danglingLink(path string) error {
	target, err := os.Readlink(path)
	if err != nil {
		return nil // no link
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s is a link to %s, and nothing is there", path, target)
}
