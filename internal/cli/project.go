package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// manifestName is the file that is looked for, here and above.
const manifestName = "scopes.yaml"

// findManifest is the path of the manifest: the one that was named, else the
// nearest, shown relative to the folder in which people stand where that is shorter.
func findManifest(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, manifestName)
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() || danglingLink(path) != nil { // that one is told, not passed over
			if dir == here {
				return manifestName, nil
			}
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fail(exitUsage, "no "+manifestName+" here or in a folder above", "write one with: ambit init; or name it with --manifest")
		}
	}
}

// readLimited reads a manifest or provider file, one byte more than the largest
// that the decoder takes, so that it can say that there is too much.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, yamlfile.MaxFileSize+1))
}

// readManifest decodes a manifest; every mistake in it is told.
func readManifest(path string) (*manifest.Manifest, error) {
	text, err := readLimited(path)
	if err != nil {
		hint := ""
		if link := danglingLink(path); link != nil {
			err = link
		} else if errors.Is(err, fs.ErrNotExist) {
			hint = "write one with: " + forManifest("ambit init", path)
		}
		return nil, fail(exitUsage, "cannot read the manifest: "+plain(err.Error()), hint)
	}
	m, err := manifest.Decode(path, text, readLimited)
	if err != nil {
		f := fail(exitUsage, plainLines(err.Error()), "")
		var mistakes yamlfile.Mistakes
		if errors.As(err, &mistakes) && len(mistakes) > 1 {
			f.Hint = fmt.Sprintf("%d mistakes; nothing else was done", len(mistakes))
		}
		f.Err = err
		return nil, f
	}
	return m, nil
}

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
