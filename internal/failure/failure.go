package failure

import (
	"errors"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
)

// The exit codes of the contract.
const (
	ExitOK           = 0
	ExitFault        = 1 // a fault of ambit itself
	ExitUsage        = 2 // wrong usage, a mistake in a file, an untrusted host
	ExitMissing      = 3 // a required scope is missing or cannot be had
	ExitNoCredential = 4 // none there, wrong kind, expired, revoked, denied
	ExitFindings     = 5 // audit, drift, excess
	ExitCannotTell   = 6 // the server did not answer, or answered nonsense
)

// New is a failure in words that are fit for a terminal, with its exit code and the way out; "" for none.
func New(code int, message, hint string) *view.Failure {
	return &view.Failure{Code: code, Message: message, Hint: hint}
}

// From words an error, made fit for a terminal.
func From(code int, err error, hint string) *view.Failure {
	return New(code, text.Printable(err.Error()), hint)
}

// As gives every error its exit code: what nobody foresaw is a fault of ours.
func As(err error) *view.Failure {
	if f, ok := errors.AsType[*view.Failure](err); ok {
		return f
	}
	return &view.Failure{Code: ExitFault, Message: text.Printable(err.Error()), Hint: "this is a bug in ambit: please report it with the command that you ran", Err: err}
}

// Of gives an error of getting, keeping or asking about a credential
// its exit code and the way out. A way that is a login is that of the project: nil
// where none is open.
func Of(p *ambit.Session, err error) error {
	if _, told := errors.AsType[*view.Failure](err); err == nil || told {
		return err
	}
	for _, known := range []func(*ambit.Session, error) *view.Failure{sessionErrors, trustFailure, answerFailure, storeFailure, sessionFailure, directoryFailure} {
		if f := known(p, err); f != nil {
			f.Err = err
			return f
		}
	}
	return OfServer(err)
}

// Line words an error that ends nothing, and has no hint beside it.
func Line(err error) string {
	text := text.Printable(view.FirstLine(err.Error()))
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Kind == guard.KindTLS {
		text += "; " + certificateHint(e)
	}
	return text
}

// Missing is the failure of a grant that lacks something required.
func Missing(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	text := lines[0]
	for _, line := range lines[1:] {
		text += "\n" + line
	}
	return New(ExitMissing, text, "")
}

// OfSettings is the mistakes in the settings.
func OfSettings(err error) error {
	mistakes, ok := errors.AsType[settings.Mistakes](err)
	if !ok {
		return err
	}
	return New(ExitUsage, mistakes.Error(), CountOf(len(mistakes)))
}

// CountOf is the hint of several mistakes, which stand above it; of one there is none.
func CountOf(mistakes int) string {
	if mistakes < 2 {
		return ""
	}
	return text.Count(mistakes, "mistake") + "; nothing else was done"
}

// Nobody is a login for which a person would be needed, and why none is there.
func Nobody(why string) *view.Failure {
	return New(ExitNoCredential, "nobody is here to log in: "+why,
		"give an API key with --api-key-stdin, or run a browser of your own with --browser CMD")
}
