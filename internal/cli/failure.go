package cli

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"syscall"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// failureOf gives an error of getting, keeping or asking about a credential
// its exit code and the way out. A way that is a login is that of the project: nil
// where none is open.
func failureOf(p *ambit.Session, err error) error {
	if _, told := errors.AsType[*view.Failure](err); err == nil || told {
		return err
	}
	for _, known := range []func(*ambit.Session, error) *view.Failure{sessionErrors, trustFailure, answerFailure, storeFailure, sessionFailure, directoryFailure} {
		if f := known(p, err); f != nil {
			f.Err = err
			return f
		}
	}
	return metadataFailure(err)
}

// failWith words an error, made fit for a terminal.
func failWith(code int, err error, hint string) *view.Failure {
	return fail(code, text.Printable(err.Error()), hint)
}

func trustFailure(_ *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
		var flags []string
		for _, host := range e.Hosts {
			flags = append(flags, "--trust-host "+advice.ShellWord(host))
		}
		return failWith(exitUsage, e, "if you trust them with your account, at exactly this port: "+strings.Join(flags, " ")+
			" (remembered), or AMBIT_TRUST_HOST="+advice.ShellWord(strings.Join(e.Hosts, ",")))
	}
	if e, ok := errors.AsType[*ambit.ConsentElsewhereError](err); ok {
		return failWith(exitUsage, e, "log in only if both belong to the same service: on a terminal, ambit asks")
	}
	return nil
}

// answerFailure is what servers say.
func answerFailure(p *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*oauth.AuthorizationError](err); ok {
		return authorizationFailure(p, e)
	}
	if e, ok := errors.AsType[*oauth.ResponseError](err); ok {
		return responseFailure(p, e)
	}
	if e, ok := errors.AsType[*oauth.RejectedError](err); ok {
		return failWith(exitNoCredential, e, "log in again: "+loginAgain(p))
	}
	if e, ok := errors.AsType[*oauth.UnansweredError](err); ok {
		if t, ok := errors.AsType[*guard.Error](err); ok && t.Kind == guard.KindTLS {
			return failWith(exitCannotTell, e, certificateHint(t))
		}
		return failWith(exitCannotTell, e, unansweredHint(e))
	}
	if e, ok := errors.AsType[*oauth.NoInspectionError](err); ok {
		return failWith(exitCannotTell, e, "")
	}
	return protocolFailure(err)
}

func unansweredHint(e *oauth.UnansweredError) string {
	if e.Status == http.StatusProxyAuthRequired {
		return "a proxy between here and the server wants a login of its own (407): name it with its user in HTTPS_PROXY, or leave the host out with NO_PROXY"
	}
	if e.Refused() {
		return "inspect in the provider file says how the server is asked; one that introspects for the token itself wants caller: bearer"
	}
	return "what the credential holds is not known; try again when the server answers"
}

// responseFailure is an error response of an endpoint, or one with which nothing can be done.
func responseFailure(p *ambit.Session, e *oauth.ResponseError) *view.Failure {
	d := deniedAt(p, provider.PlaceToken, e.Code, e.Description)
	d.Renewal, d.Temporary = e.Renewal, e.Temporary()
	switch {
	case e.Endpoint == oauth.RegistrationEndpoint:
		d.Place = provider.PlaceRegistration
		return denied(exitNoCredential, e, d)
	case e.Problem != "":
		return failWith(exitCannotTell, e, "the server's answer cannot be used; try again, or ask its operator")
	case e.Temporary():
		return denied(exitCannotTell, e, d)
	}
	return denied(exitNoCredential, e, d)
}

// deniedAt is what an authorization server denied, and what is known of that.
func deniedAt(p *ambit.Session, place provider.Place, code, description string) advice.Denied {
	d := advice.Denied{Place: place, Code: code, Description: description, Login: loginAgain(p)}
	if p != nil {
		d.Provider, d.Server = p.Provider(), p.Server()
	}
	return d
}

// denied is such a failure; the provider's file may say that its code means another one here.
func denied(code int, err error, d advice.Denied) *view.Failure {
	if rule, ok := d.Rule(); ok {
		switch rule.Means {
		case provider.MeaningMissingScope:
			code = exitMissing
		case provider.MeaningRejected, provider.MeaningNotAScopeProblem:
			code = exitNoCredential
		case provider.MeaningSilent:
			code = exitCannotTell
		}
	}
	return failWith(code, err, text.Line(d.Hint()))
}

// protocolFailure is a server with which no login can be made. Where its keys could not be
// had, the way out is that of the request for them.
func protocolFailure(err error) *view.Failure {
	e, ok := errors.AsType[*oauth.ProtocolError](err)
	if _, onTheWay := errors.AsType[*guard.Error](err); !ok || onTheWay {
		return nil
	}
	return failWith(exitCannotTell, e, "nothing was kept; the server's operator can fix this")
}

func authorizationFailure(p *ambit.Session, e *oauth.AuthorizationError) *view.Failure {
	d := deniedAt(p, provider.PlaceAuthorize, e.Code, e.Description)
	switch {
	case e.InvalidScope():
		return denied(exitMissing, e, d)
	case e.Code == "server_error" || e.Code == "temporarily_unavailable":
		return denied(exitCannotTell, e, d)
	}
	return denied(exitNoCredential, e, d)
}

func storeFailure(p *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*store.NoKeyringError](err); ok && e.Silent {
		return failWith(exitUsage, e, "unlock it, and try again; --store file keeps credentials in a file that only you can read")
	}
	if e, ok := errors.AsType[*store.NoKeyringError](err); ok {
		return failWith(exitUsage, e, "--store file keeps credentials in a file that only you can read; --store memory keeps them for one run")
	}
	if e, ok := errors.AsType[*store.CorruptError](err); ok && e.Newer {
		return failWith(exitNoCredential, e, "to replace it instead: "+loginAgain(p))
	} else if ok {
		return failWith(exitNoCredential, e, loginAgain(p))
	}
	if e, ok := errors.AsType[*files.UnsafeError](err); ok {
		return failWith(exitUsage, e, "")
	}
	if e, ok := errors.AsType[*store.NotKeptError](err); ok {
		if e.Store == (store.File{}).Name() {
			return failWith(exitUsage, e, "ask for fewer scopes, or keep it for one run alone: --store memory")
		}
		return failWith(exitUsage, e, "--store file")
	}
	return nil
}

func sessionFailure(p *ambit.Session, err error) *view.Failure {
	if errors.Is(err, store.ErrNotFound) {
		return failWith(exitNoCredential, err, "log in with: "+loginAgain(p)+"; or give an API key, see: ambit status --help")
	}
	if errors.Is(err, oauth.ErrLoginTimeout) {
		return failWith(exitNoCredential, err, "nothing was kept; to begin again: "+loginAgain(p))
	}
	if errors.Is(err, oauth.ErrPasteEnded) {
		return nobodyHere("standard input ended")
	}
	if e, ok := errors.AsType[*apikey.BadKeyError](err); ok {
		return failWith(exitNoCredential, e, "")
	}
	if e, ok := errors.AsType[*credential.SessionLostError](err); ok {
		return failWith(exitNoCredential, e, "log in again: "+loginAgain(p))
	}
	if e, ok := errors.AsType[*store.LockError](err); ok {
		if f := directoryFailure(p, err); f != nil {
			return f
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return failWith(exitNoCredential, e, "another ambit process is renewing the same login and does not finish")
		}
		return failWith(exitUsage, e, "locks do not work in that directory, as on some network disks: name one on another disk with XDG_STATE_HOME")
	}
	if e, ok := errors.AsType[*oauth.IssuerError](err); ok {
		return failWith(exitNoCredential, e, "the response was discarded: it did not come from the server that was asked")
	}
	if errors.Is(err, oauth.ErrPortsTaken) {
		return failWith(exitNoCredential, err, "stop one of these programs: only these ports are registered for the response")
	}
	return nil
}

// directoryFailure is a file or directory of ours that the system does not let us use.
func directoryFailure(_ *ambit.Session, err error) *view.Failure {
	e, ok := errors.AsType[*fs.PathError](err)
	if _, elsewhere := errors.AsType[*guard.Error](err); !ok || elsewhere {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		return failWith(exitUsage, e, "make room on that disk, or name a directory on another with XDG_STATE_HOME")
	}
	return failWith(exitUsage, e, "ambit keeps its files there: make it a directory that you can write to, or name others with XDG_STATE_HOME and XDG_CONFIG_HOME")
}

// inOneLine words an error that ends nothing, and has no hint beside it.
func inOneLine(err error) string {
	text := text.Printable(view.FirstLine(err.Error()))
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Kind == guard.KindTLS {
		text += "; " + certificateHint(e)
	}
	return text
}

// missingFailure is the failure of a grant that lacks something required.
func missingFailure(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	text := lines[0]
	for _, line := range lines[1:] {
		text += "\n" + line
	}
	return fail(exitMissing, text, "")
}

// settingsFailure is the mistakes in the settings.
func settingsFailure(err error) error {
	mistakes, ok := errors.AsType[settings.Mistakes](err)
	if !ok {
		return err
	}
	return fail(exitUsage, mistakes.Error(), countOf(len(mistakes)))
}

// countOf is the hint of several mistakes, which stand above it; of one there is none.
func countOf(mistakes int) string {
	if mistakes < 2 {
		return ""
	}
	return text.Count(mistakes, "mistake") + "; nothing else was done"
}

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
	if f, ok := errors.AsType[*view.Failure](err); ok {
		return f
	}
	return &view.Failure{Code: exitFault, Message: text.Printable(err.Error()), Hint: "this is a bug in ambit: please report it with the command that you ran", Err: err}
}
