package ambit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// ManifestName is the file that is looked for, here and above.
const ManifestName = "scopes.yaml"

// Load reads a manifest, and the provider file that it may name; "" is the nearest scopes.yaml,
// here or above. Errors: [ErrNoManifest]; those of reading the file; [yamlfile.Mistakes] with
// everything that is wrong in it.
func Load(path string) (*manifest.Manifest, error) {
	if path == "" {
		var err error
		if path, err = nearest(); err != nil {
			return nil, err
		}
	}
	source, err := yamlfile.Read(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest: %w", err)
	}
	m, err := manifest.Decode(path, source, yamlfile.Read)
	if mistakes, ok := errors.AsType[yamlfile.Mistakes](err); ok {
		return m, mistakes.WithoutForeignWords(path)
	}
	return m, err
}

// A MisnamedError is [ErrNoManifest] where a file has nearly the name of a manifest.
type MisnamedError struct{ Path string }

// Error names the file.
func (e *MisnamedError) Error() string { return ErrNoManifest.Error() + "; found " + e.Path }

// Unwrap is [ErrNoManifest].
func (e *MisnamedError) Unwrap() error { return ErrNoManifest }

// nearest is the path of the nearest manifest, relative to the directory in which people stand
// where that is shorter.
func nearest() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	misnamed := ""
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ManifestName)
		short := strings.TrimSuffix(path, filepath.Ext(path)) + ".yml"
		if info, err := os.Stat(short); err == nil && !info.IsDir() && misnamed == "" {
			if misnamed = short; dir == here {
				misnamed = filepath.Base(short)
			}
		}
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() || files.DanglingLink(path) != nil { // that one is told, not passed over
			if dir == here {
				return ManifestName, nil
			}
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			if misnamed != "" {
				return "", &MisnamedError{misnamed}
			}
			return "", ErrNoManifest
		}
	}
}
