package ports

import "os"

// everyonesDir is the user's own there.
func everyonesDir() string { return os.TempDir() }

func isOwn(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir()
}
