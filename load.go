package ambit

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
		return m, withoutForeignWords(mistakes, projectOf(path))
	}
	return m, err
}

// projectOf is the directory with all that belongs to a manifest: the repository in which it
// stands, else its own.
func projectOf(path string) string {
	own, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return ""
	}
	for dir := own; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			own = dir
			break
		}
	}
	if real, err := filepath.EvalSymlinks(own); err == nil {
		own = real
	}
	return own
}

var mistakesInWords = map[yamlfile.MistakeKind]string{
	yamlfile.BadYAML: "not YAML", yamlfile.BadSize: "empty, or too large", yamlfile.BadVersion: "a version that ambit does not read",
	yamlfile.UnknownKey: "unknown key", yamlfile.MissingKey: "a key is missing", yamlfile.DuplicateKey: "a name appears twice",
}

// withoutForeignWords takes what a file says out of the mistakes in it, where the file stands
// outside the project: a path or a link in a repository may lead to any file of this machine, and
// what a pipeline says of it may be public.
func withoutForeignWords(mistakes yamlfile.Mistakes, project string) yamlfile.Mistakes {
	for i, mistake := range mistakes {
		real, err := filepath.EvalSymlinks(mistake.File)
		if err == nil {
			real, err = filepath.Abs(real)
		}
		within, relErr := filepath.Rel(project, real)
		if err != nil || relErr != nil || !filepath.IsLocal(within) {
			mistakes[i].Message = cmp.Or(mistakesInWords[mistake.Kind], "not what belongs here") + " (the file stands outside the project: what is in it is not shown)"
		}
	}
	return mistakes
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
		if err == nil && !info.IsDir() || files.DanglingLink(path) != nil { // that one is told, not passed over
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
