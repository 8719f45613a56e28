package evidence

import (
	"bytes"
	"io"
	"io/fs"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// read is all of a source, up to a limit, without a byte order mark. What is in a
// *bytes.Buffer already is not copied. A source that knows its size is read into just
// that: growing on the way takes twice the memory.
func read(file string, r io.Reader, limit int64) ([]byte, error) {
	if b, ok := r.(*bytes.Buffer); ok && int64(b.Len()) <= limit {
		return bytes.TrimPrefix(b.Next(b.Len()), []byte("\ufeff")), nil
	}
	limited := &limitedReader{r: r, left: limit}
	text := bytes.NewBuffer(make([]byte, 0, min(sizeOf(r), limit)+bytes.MinRead))
	_, err := text.ReadFrom(limited)
	switch {
	case limited.left < 0:
		return nil, tooLarge(file, limit)
	case err != nil:
		return nil, &Error{Where: audit.Where{File: file}, Kind: Syntax, Reason: "cannot be read: " + err.Error(), Err: err}
	}
	return bytes.TrimPrefix(text.Bytes(), []byte("\ufeff")), nil
}

// sizeOf is what a file or a text says of its own size; 0 where it says nothing.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case fs.File:
		if info, err := r.Stat(); err == nil {
			return max(info.Size(), 0)
		}
	}
	return 0
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
