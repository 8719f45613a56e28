package evidence

import (
	"io"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// ReadLimited is Read with a limit that a test reaches soon.
func (t Traffic) ReadLimited(file string, r io.Reader, limit int64) (audit.Evidence, error) {
	return t.read(file, r, limit)
}
