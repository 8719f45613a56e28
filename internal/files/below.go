package files

import (
	"io/fs"
	"path/filepath"
	"strings"
)

// Below are the files of a name in a directory and below it, in the order of their paths. Links are not
// followed; directories whose name begins with a dot, and those of other people's packages, are left out.
// It returns what the system says of a directory that cannot be read.
func Below(directory, name string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != directory && foreign(entry.Name()):
			return filepath.SkipDir
		case entry.Name() == name && entry.Type().IsRegular():
			found = append(found, path)
		}
		return nil
	})
	return found, err
}

func foreign(directory string) bool {
	return strings.HasPrefix(directory, ".") || directory == "node_modules" || directory == "vendor"
}
