package cli

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ambit-auth/ambit/internal/text"
)

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// temporaryFolder is one that only this user can look into.
func temporaryFolder(prefix string) (string, error) {
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", fail(exitUsage, "there is no directory for temporary files: "+text.Printable(err.Error()), "set TMPDIR to a directory of yours")
	}
	return folder, nil
}
