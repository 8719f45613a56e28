package evidence

import (
	"bytes"
	"errors"
	"io"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// read is all of a source, up to a limit, without a byte order mark.
func read(file string, r io.Reader, limit int64) ([]byte, error) {
	text, err := files.ReadAll(r, limit)
	switch _, large := errors.AsType[files.TooLargeError](err); {
	case large:
		return nil, tooLarge(file, limit)
	case err != nil:
		return nil, &Error{Where: audit.Where{File: file}, Kind: Syntax, Reason: "cannot be read: " + err.Error(), Err: err}
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}

// A limitedReader ends with an error, where io.LimitReader ends as if that were all.
type limitedReader struct {
	r    io.Reader
	left int64
}

// Read counts down, and fails beyond the limit.
func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
