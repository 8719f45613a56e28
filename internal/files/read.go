package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A Rule says what a file has to be to be read. The zero value reads nothing.
type Rule struct {
	Limit     int64       // in bytes; more is a [TooLargeError]
	Forbidden fs.FileMode // permission bits that it may not have
	Links     bool        // a symbolic link is followed
	// Obeyed says that the file tells this program what to do: nobody but this user and root may be able
	// to write or replace it, and that holds for root too.
	Obeyed bool
	// Streams says that what is no regular file is read as well, to its end: for what a
	// person hands over, as a shell does with <(command).
	Streams bool
}

// Read reads a file that keeps the rule.
func Read(path string, rule Rule) ([]byte, error) {
	file, err := Open(path, rule)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := ReadAll(file, rule.Limit)
	if large, ok := errors.AsType[TooLargeError](err); ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: large}
	}
	return data, err
}

// While reads as long as somebody waits for it, and returns the cause of ctx's end otherwise: what a person
// hands over may be a pipe into which nobody writes, and no signal ends the wait for its other end.
func While[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		read T
		err  error
	}
	done := make(chan result, 1)
	go func() {
		got, err := read()
		done <- result{got, err}
	}()
	select {
	case r := <-done:
		return r.read, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// exchangeTries bounds how often a file is opened again because another process put a
// new one in its place between the check and the opening. Once is rare already.
const exchangeTries = 100

// Open opens a file that keeps the rule, and nothing that took its place after it was
// looked at. What is no regular file is refused without opening it.
func Open(path string, rule Rule) (*os.File, error) {
	for range exchangeTries {
		before, err := Check(path, rule)
		if err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		after, err := file.Stat()
		if err == nil && os.SameFile(before, after) {
			return file, nil
		}
		_ = file.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, &UnsafeError{Path: path, Problem: "is replaced again and again", Fix: "see which program writes it"}
}

// errNotFile says of what does not end, or holds no text, that it is not read.
var errNotFile = errors.New("it is not a regular file")

// Check looks at a file without opening it. The error is an *[UnsafeError] where what only
// the user may change or read is a link, not a file, or open to others.
func Check(path string, rule Rule) (fs.FileInfo, error) {
	look := os.Lstat
	if rule.Links {
		look = os.Stat
	}
	info, err := look(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &UnsafeError{Path: path, Problem: "is a symbolic link", Fix: "remove it"}
	case info.Mode().IsRegular(), rule.Streams && !info.IsDir():
		if err := checkMode(path, info, rule.Forbidden, PrivateFile); err != nil || !rule.Obeyed {
			return info, err
		}
		return info, checkObeyed(path)
	case rule.Forbidden != 0:
		return nil, &UnsafeError{Path: path, Problem: "is not a regular file", Fix: "remove it"}
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: errNotFile}
}

// A TooLargeError carries a limit in bytes that was exceeded.
type TooLargeError int64

// Error names the limit.
func (limit TooLargeError) Error() string {
	return fmt.Sprintf("it is larger than %d bytes", int64(limit))
}

// ReadAll reads to the end, and refuses rather than cuts what is over limit: half a document
// could mean something else. What came before an error is returned beside it. A source that
// knows its size is read into just that: growing on the way takes twice the memory.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data := bytes.NewBuffer(make([]byte, 0, min(sizeOf(r), limit)+bytes.MinRead))
	_, err := data.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && int64(data.Len()) > limit {
		return nil, TooLargeError(limit)
	}
	return data.Bytes(), err
}

// Limit ends r after as many bytes.
func Limit(r io.Reader, limit int64) io.Reader { return io.LimitReader(r, limit) }

// Copy copies to the end, and ends with a [TooLargeError] at what is over limit.
func Copy(w io.Writer, r io.Reader, limit int64) error {
	n, err := io.Copy(w, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		return TooLargeError(limit)
	}
	return err
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

// Head reads what comes within limit, and before an error: for what is looked at and not
// decoded.
func Head(r io.Reader, limit int64) []byte {
	data, _ := io.ReadAll(io.LimitReader(r, limit))
	return data
}

// Pathless drops the path from an error that will stand beside the path.
func Pathless(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}
