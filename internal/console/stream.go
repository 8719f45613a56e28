package console

import (
	"io"
	"os"
	"sync"
)

// InTurn makes two streams safe for many writers: a child, a browser's words and our
// own console share them. Files are, as they are; a writer of another kind gets a lock,
// and both the same one, for they may be one writer.
func InTurn(stdout, stderr io.Writer) (out, err io.Writer) {
	lock := new(sync.Mutex)
	wrap := func(w io.Writer) io.Writer {
		switch w.(type) {
		case *os.File, *turnWriter:
			return w
		}
		return &turnWriter{lock, w}
	}
	return wrap(stdout), wrap(stderr)
}

type turnWriter struct {
	lock *sync.Mutex
	to   io.Writer
}

// Write writes when nobody else does.
func (w *turnWriter) Write(p []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.to.Write(p)
}
