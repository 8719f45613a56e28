package cli

import (
	"errors"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
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

func fail(code int, message, hint string) *view.Failure {
	return &view.Failure{Code: code, Message: message, Hint: hint}
}

// asFailure gives every error its exit code: what nobody foresaw is a fault of ours.
func asFailure(err error) *view.Failure {
	var f *view.Failure
	if errors.As(err, &f) {
		return f
	}
	return &view.Failure{Code: exitFault, Message: text.Printable(err.Error()), Hint: "this is a fault of ambit: please report it with the command that you ran", Err: err}
}
