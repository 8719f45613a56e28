package cli

import (
	"errors"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/text"
)

// The exit codes of the contract.
const (
	exitOK           = 0
	exitFault        = 1 // a fault of ambit itself
	exitUsage        = 2 // wrong usage, a mistake in a file, an untrusted host
	exitMissing      = 3 // a required scope is missing or cannot be had
	exitNoCredential = 4 // none there, wrong kind, expired, revoked, denied
	exitFindings     = 5 // audit, drift, excess
	exitCannotTell   = 6 // the server did not answer, or answered nonsense
)

// A failure is an error that knows its exit code and the way out. What is shown of
// it is Message and Hint; Err is for code that asks.
type failure struct {
	Code    int
	Message string // one line or, for mistakes in files, one line each
	Hint    string // what to do; "" where the message says it all
	Err     error
	Verdict *verdict // why, where that was found out

	diagnosis *diagnosis.Verdict // the same with its evidence, where servers were asked
}

// A verdict is why a credential does not do, in the words of ambit.verdict/v1.
type verdict struct {
	Cause      diagnosis.Cause      `json:"cause"`
	Confidence diagnosis.Confidence `json:"confidence"`
}

func (f *failure) Error() string { return f.Message }

func (f *failure) Unwrap() error { return f.Err }

func fail(code int, message, hint string) *failure {
	return &failure{Code: code, Message: message, Hint: hint}
}

// asFailure gives every error its exit code: what nobody foresaw is a fault of ours.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{Code: exitFault, Message: text.Printable(err.Error()), Hint: "this is a fault of ambit: please report it with the command that you ran", Err: err}
}
