package ambit

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

// ManifestName is the file that is looked for, here and above.
const ManifestName = "scopes.yaml"

// Load reads a manifest, and the provider file that it may name; "" is the nearest scopes.yaml,
// here or above. Errors: [ErrNoManifest]; those of reading the file; [manifest.Mistakes] with
// everything that is wrong in it.
func Load(path string) (*manifest.Manifest, error) {
	if path == "" {
		var err error
		if path, err = nearest(); err != nil {
			return nil, err
		}
	}
	source, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest: %w", err)
	}
	return manifest.Decode(path, source, readFile)
}

// nearest is the path of the nearest manifest, relative to the directory in which people stand
// where that is shorter.
func nearest() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ManifestName)
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() || danglingLink(path) != nil { // that one is told, not passed over
			if dir == here {
				return ManifestName, nil
			}
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", ErrNoManifest
		}
	}
}

// readFile reads a manifest or provider file, one byte more than the largest that the decoder
// takes, so that it can say that there is too much.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if link := danglingLink(path); link != nil {
			return nil, link
		}
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, yamlfile.MaxFileSize+1))
}

// danglingLink tells of a link that leads nowhere. Of one, "no such file" would be said of a
// name that people see in the directory.
func danglingLink(path string) error {
	target, err := os.Readlink(path)
	if err != nil {
		return nil // not a link
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s is a link to %s, and nothing is there", path, target)
}
