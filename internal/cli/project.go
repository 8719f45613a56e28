package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ambit-auth/ambit/internal/files"
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
		if err == nil && !info.IsDir() || files.DanglingLink(path) != nil { // that one is told, not passed over
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

// readManifest decodes a manifest; every mistake in it is told.
func readManifest(path string) (*manifest.Manifest, error) {
	text, err := yamlfile.Read(path)
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "write one with: " + forManifest("ambit init", path)
		}
		return nil, fail(exitUsage, "cannot read the manifest: "+plain(err.Error()), hint)
	}
	m, err := manifest.Decode(path, text, yamlfile.Read)
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

// temporaryFolder is one that only this user can look into.
func temporaryFolder(prefix string) (string, error) {
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fail(exitUsage, "there is no folder for temporary files: "+plain(err.Error()), "set TMPDIR to a folder of yours")
	}
	return folder, nil
}
