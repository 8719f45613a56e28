package failure

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
)

func trustFailure(_ *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
		var flags []string
		for _, host := range e.Hosts {
			flags = append(flags, "--trust-host "+advice.ShellWord(host))
		}
		exactly := ""
		if slices.ContainsFunc(e.Hosts, func(host string) bool { return strings.Contains(host, ":") }) {
			exactly = ", at exactly this port"
		}
		return From(ExitUsage, e, "if you trust the "+text.Plural(len(e.Hosts), "host")+" with your account"+exactly+": "+strings.Join(flags, " ")+
			" (remembered), or AMBIT_TRUST_HOST="+advice.ShellWord(strings.Join(e.Hosts, ",")))
	}
	if e, ok := errors.AsType[*ambit.ConsentElsewhereError](err); ok {
		return From(ExitUsage, e, "log in only if both belong to the same service: on a terminal, ambit asks; where there is none, say so with --trust-host "+
			advice.ShellWord(e.Consent+"="+e.Other()))
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
		return From(ExitNoCredential, e, "log in again: "+LoginAgain(p))
	}
	if e, ok := errors.AsType[*oauth.UnansweredError](err); ok {
		if t, ok := errors.AsType[*guard.Error](err); ok && t.Kind == guard.KindTLS {
			return From(ExitCannotTell, e, certificateHint(t))
		}
		return From(ExitCannotTell, e, unansweredHint(e))
	}
	if e, ok := errors.AsType[*oauth.NoInspectionError](err); ok {
		return From(ExitCannotTell, e, "")
	}
	return protocolFailure(err)
}

func unansweredHint(e *oauth.UnansweredError) string {
	if e.Advice != "" || e.Link != "" {
		return advice.Step{Text: text.Line(e.Advice), URL: e.Link}.String()
	}
	if e.Status == http.StatusProxyAuthRequired {
		return "a proxy between here and the server wants a login of its own (407): name it with its user in HTTPS_PROXY, or leave the host out with NO_PROXY"
	}
	if e.Refused() {
		return "inspect in the provider file says how the server is asked, and denied in it what is said of a credential that is good and may not look at itself; one that introspects for the token itself wants caller: bearer"
	}
	return "what the credential holds is not known; try again when the server answers"
}

// responseFailure is an error response of an endpoint, or one with which nothing can be done.
func responseFailure(p *ambit.Session, e *oauth.ResponseError) *view.Failure {
	d := deniedAt(p, provider.StageToken, e.Code, e.Description)
	d.Renewal, d.Own, d.Device, d.Temporary = e.Renewal, e.Own, e.Device, e.Temporary()
	if e.Endpoint == oauth.RegistrationEndpoint {
		d.Stage = provider.StageRegistration
	}
	switch {
	case e.Endpoint == oauth.RegistrationEndpoint && e.Status >= 400 && !guard.IsTemporary(e.Status): // also without a word on why
		return denied(ExitNoCredential, e, d)
	case e.Problem != "":
		return From(ExitCannotTell, e, "the server's answer cannot be used; try again, or ask its operator")
	case e.Temporary():
		return denied(ExitCannotTell, e, d)
	}
	return denied(ExitNoCredential, e, d)
}

// deniedAt is what an authorization server denied, and what is known of that.
func deniedAt(p *ambit.Session, place provider.Stage, code, description string) advice.Denied {
	d := advice.Denied{Stage: place, Code: code, Description: description, Login: LoginAgain(p)}
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
			code = ExitMissing
		case provider.MeaningRejected, provider.MeaningNotAScopeProblem:
			code = ExitNoCredential
		case provider.MeaningSilent:
			code = ExitCannotTell
		}
	}
	return From(code, err, text.Line(d.Hint()))
}

// protocolFailure is a server with which no login can be made. Where its keys could not be
// had, the way out is that of the request for them.
func protocolFailure(err error) *view.Failure {
	e, ok := errors.AsType[*oauth.ProtocolError](err)
	if _, onTheWay := errors.AsType[*guard.Error](err); !ok || onTheWay {
		return nil
	}
	return From(ExitCannotTell, e, "nothing was kept; the server's operator can fix this")
}

func authorizationFailure(p *ambit.Session, e *oauth.AuthorizationError) *view.Failure {
	d := deniedAt(p, provider.StageAuthorize, e.Code, e.Description)
	d.Device = e.Device
	switch {
	case e.InvalidScope():
		return denied(ExitMissing, e, d)
	case e.Code == "server_error" || e.Code == "temporarily_unavailable":
		return denied(ExitCannotTell, e, d)
	}
	return denied(ExitNoCredential, e, d)
}

func storeFailure(p *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*store.NoKeyringError](err); ok && e.Silent {
		return From(ExitUsage, e, "unlock it, and try again; --store file keeps credentials in a file that only you can read")
	}
	if e, ok := errors.AsType[*store.NoKeyringError](err); ok {
		return From(ExitUsage, e, "--store file keeps credentials in a file that only you can read; --store memory keeps them for one run")
	}
	if e, ok := errors.AsType[*store.HelperError](err); ok && e.Missing() {
		return From(ExitUsage, e, "put the program into a directory of PATH, or name another store with --store")
	} else if ok {
		return From(ExitCannotTell, e, "what is stored there stays as it is; try again when the program answers")
	}
	if e, ok := errors.AsType[*store.CorruptError](err); ok && e.Newer {
		return From(ExitNoCredential, e, "to replace it instead: "+LoginAgain(p))
	} else if ok {
		return From(ExitNoCredential, e, LoginAgain(p))
	}
	if e, ok := errors.AsType[*files.UnsafeError](err); ok {
		return From(ExitUsage, e, "")
	}
	if e, ok := errors.AsType[*store.NotKeptError](err); ok {
		if e.Store == (store.File{}).Name() {
			return From(ExitUsage, e, "ask for fewer scopes, or keep it for one run alone: --store memory")
		}
		return From(ExitUsage, e, "--store file")
	}
	return nil
}

func sessionFailure(p *ambit.Session, err error) *view.Failure {
	if errors.Is(err, store.ErrNotFound) {
		return From(ExitNoCredential, err, "log in with: "+LoginAgain(p))
	}
	if errors.Is(err, oauth.ErrLoginTimeout) {
		return From(ExitNoCredential, err, "nothing was kept; to begin again: "+LoginAgain(p))
	}
	if errors.Is(err, oauth.ErrPasteEnded) {
		return Nobody("standard input ended")
	}
	if e, ok := errors.AsType[*apikey.BadKeyError](err); ok {
		return From(ExitNoCredential, e, "")
	}
	if e, ok := errors.AsType[*credential.SessionLostError](err); ok {
		return From(ExitNoCredential, e, "log in again: "+LoginAgain(p))
	}
	if e, ok := errors.AsType[*store.LockError](err); ok {
		if f := directoryFailure(p, err); f != nil {
			return f
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return From(ExitNoCredential, e, "another ambit process is renewing the same login and does not finish")
		}
		return From(ExitUsage, e, "locks do not work in that directory, as on some network disks: name one on another disk with XDG_STATE_HOME")
	}
	if e, ok := errors.AsType[*oauth.IssuerError](err); ok {
		return From(ExitNoCredential, e, "the response was discarded: it did not come from the server that was asked")
	}
	if errors.Is(err, oauth.ErrPortsTaken) {
		return From(ExitNoCredential, err, "stop one of these programs: only these ports are registered for the response")
	}
	return nil
}

// directoryFailure is a file or directory of ours that the system does not let us use.
func directoryFailure(_ *ambit.Session, err error) *view.Failure {
	e, ok := errors.AsType[*fs.PathError](err)
	if _, elsewhere := errors.AsType[*guard.Error](err); !ok || elsewhere {
		return nil
	}
	if isFull(err) {
		return From(ExitUsage, e, "make room on that disk, or name a directory on another with XDG_STATE_HOME")
	}
	return From(ExitUsage, e, "ambit keeps its files there: make it a directory that you can write to, or name others with XDG_STATE_HOME and XDG_CONFIG_HOME")
}

// isFull reports whether a disk, or the user's part of it, has no room left.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
