package evidence

import (
	"errors"
	"fmt"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes/audit"
)

// A Kind sorts errors for those who branch on them.
type Kind string

// What can be wrong with a source.
const (
	TooLarge Kind = "too_large" // over one of this package's limits
	Syntax   Kind = "syntax"    // not of the form that it should have
	Version  Kind = "version"   // a form that is not read here: Swagger 2.0, say
)

// An Error tells why a source cannot be read. Nothing of it was used.
type Error struct {
	audit.Where // Line 0: the source as a whole
	Kind        Kind
	Reason      string // one line
	Err         error  // what a library or the caller's own function said; may be nil
}

// Error is file:line: reason.
func (e *Error) Error() string { return e.Where.String() + ": " + text.Line(e.Reason) }

// Unwrap is the cause, where there is one.
func (e *Error) Unwrap() error { return e.Err }

// The limits of sources, in bytes. The largest public OpenAPI document in daily use has 34 MiB.
// Reading one takes about three times its size as JSON, for what nobody asks for is passed over.
const (
	MaxOpenAPI = 128 << 20
	MaxTools   = 16 << 20  // a thousand tools with their descriptions have 2 MiB
	MaxCalls   = 4 << 20   // fifty thousand calls
	MaxTraffic = 256 << 20 // a browser's recording with its images; it is read as a stream
)

func tooLarge(file string, limit int64) *Error {
	return &Error{Where: audit.Where{File: file}, Kind: TooLarge, Reason: fmt.Sprintf("it is larger than %d MiB", limit>>20)}
}

// syntax is an error about one line of a source.
func syntax(file string, line int, format string, args ...any) *Error {
	return &Error{Where: audit.Where{File: file, Line: line}, Kind: Syntax, Reason: fmt.Sprintf(format, args...)}
}

// Errors takes apart what readers of evidence joined.
func Errors(err error) []*Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*Error
		for _, one := range joined.Unwrap() {
			list = append(list, Errors(one)...)
		}
		return list
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return []*Error{e}
	}
	return nil
}
