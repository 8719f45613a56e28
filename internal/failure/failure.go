package failure

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
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

// A Code is an exit code, and what it means.
type Code struct {
	Code    int
	Meaning string
}

// Codes are those of the contract, as the help and the front page have them.
func Codes() []Code {
	return []Code{
		{ExitOK, "everything required is granted"},
		{ExitFault, "internal error"},
		{ExitUsage, "wrong usage, a mistake in the manifest or the settings, or an untrusted host"},
		{ExitMissing, "a required scope is missing, or this server cannot grant it"},
		{ExitNoCredential, "no usable credential: not found, wrong kind, expired, revoked, or consent denied"},
		{ExitFindings, "findings: of audit, doctor, or check with --strict, --locked or --matches"},
		{ExitCannotTell, "undetermined: no answer from the server, or one that could not be used"},
	}
}

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

// Graver is the exit code that stands for two: what hides more comes first.
func Graver(a, b int) int {
	order := []int{ExitFault, ExitUsage, ExitNoCredential, ExitMissing, ExitCannotTell, ExitFindings}
	for _, code := range order {
		if a == code || b == code {
			return code
		}
	}
	return max(a, b)
}

// Missing is the failure of a grant that lacks something at level or above; nil where it does not.
// further are lines about the same scopes that no view shows.
func Missing(gap scopes.Gap, level scopes.Level, further ...string) error {
	lines := append(missingLines(gap, level), further...)
	if len(lines) == 0 {
		return nil
	}
	f := New(ExitMissing, strings.Join(lines, "\n"), "")
	f.Rest = strings.Join(slices.DeleteFunc(append([]string{inShort(gap, level)}, further...), func(line string) bool { return line == "" }), "\n")
	return f
}

// inShort says what is missing, and nothing that a view has shown beside that; "" for nothing.
func inShort(gap scopes.Gap, level scopes.Level) string {
	var names []string
	least := scopes.Required
	for _, e := range gap.Lost {
		if e.Level >= level {
			names, least = append(names, e.Name()), min(least, e.Level)
		}
	}
	of := least.String() + " "
	if least < scopes.Required && len(names) > 1 {
		of = ""
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return of + "scope " + names[0] + " is missing"
	}
	return fmt.Sprintf("%d %sscopes are missing: %s", len(names), of, text.Listed(names))
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
