package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store"
)

// credentialFailure gives an error of getting, keeping or asking about a credential
// its exit code and the way out. A way that is a login is that of the project: nil
// where none is open.
func credentialFailure(p *project, err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) {
		return err
	}
	for _, known := range []func(*project, error) *failure{trustFailure, answerFailure, storeFailure, sessionFailure, folderFailure} {
		if f := known(p, err); f != nil {
			f.Err = err
			return f
		}
	}
	return metadataFailure(err)
}

// is reports whether err is of a type, and gives it as such.
func is[E error](err error) (E, bool) {
	var e E
	ok := errors.As(err, &e)
	return e, ok
}

// failWith words an error, made fit for a terminal.
func failWith(code int, err error, hint string) *failure {
	return fail(code, plain(err.Error()), hint)
}

func trustFailure(_ *project, err error) *failure {
	if e, ok := is[*oauth.UntrustedHostError](err); ok {
		var flags []string
		for _, host := range e.Hosts {
			flags = append(flags, "--trust-host "+shellWord(host))
		}
		return failWith(exitUsage, e, "if you trust them with your account, port and all: "+strings.Join(flags, " ")+
			" (remembered), or AMBIT_TRUST_HOST="+shellWord(strings.Join(e.Hosts, ",")))
	}
	return nil
}

// answerFailure is what servers say.
func answerFailure(p *project, err error) *failure {
	if e, ok := is[*oauth.AuthorizationError](err); ok {
		return authorizationFailure(p, e)
	}
	if e, ok := is[*oauth.ResponseError](err); ok {
		if e.Endpoint == oauth.RegistrationEndpoint {
			return failWith(exitNoCredential, e, "name a client id that is registered there: provider: {use: ..., client: {id: ...}}")
		}
		if e.Problem != "" || e.Temporary() {
			return failWith(exitCannotTell, e, "the server's answer cannot be used; try again, or ask its operator")
		}
		return failWith(exitNoCredential, e, tokenHint(p, e))
	}
	if e, ok := is[*oauth.RejectedError](err); ok {
		return failWith(exitNoCredential, e, "it is unknown, expired or revoked there; or it belongs to another server: see --server")
	}
	if e, ok := is[*oauth.UnansweredError](err); ok {
		if t, ok := is[*guard.Error](err); ok && t.Kind == guard.KindTLS {
			return failWith(exitCannotTell, e, ownAuthority)
		}
		return failWith(exitCannotTell, e, "what the credential holds is not known; try again when the server answers")
	}
	if e, ok := is[*oauth.NoInspectionError](err); ok {
		return failWith(exitCannotTell, e, "")
	}
	return protocolFailure(err)
}

// tokenHint is the way out of a token endpoint's refusal. A client that the server does
// not know (RFC 6749 §5.2) stays unknown at the next login, unless that registers one.
func tokenHint(p *project, e *oauth.ResponseError) string {
	if p == nil || e.Code != "invalid_client" || p.provider().Client.IDFor(p.server.Name) == "" {
		return "log in again: " + loginAgain(p)
	}
	id := "the client id"
	if one := p.provider().Client.ID; one != "" {
		id += " " + strconv.Quote(one)
	}
	return id + " is not known to that server; name one that is registered there: provider: {use: ..., client: {id: ...}}"
}

// protocolFailure is a server with which no login can be made. Where its keys could not be
// had, the way out is that of the request for them.
func protocolFailure(err error) *failure {
	e, ok := is[*oauth.ProtocolError](err)
	if _, onTheWay := is[*guard.Error](err); !ok || onTheWay {
		return nil
	}
	return failWith(exitCannotTell, e, "nothing was kept; the server's operator can mend this")
}

func authorizationFailure(p *project, e *oauth.AuthorizationError) *failure {
	switch {
	case e.Denied():
		return failWith(exitNoCredential, e, "nothing was granted; to be asked again: "+loginAgain(p))
	case e.InvalidScope():
		return failWith(exitMissing, e, "")
	case e.Code == "server_error" || e.Code == "temporarily_unavailable":
		return failWith(exitCannotTell, e, "try again when the server answers")
	}
	return failWith(exitNoCredential, e, "")
}

func storeFailure(p *project, err error) *failure {
	if e, ok := is[*store.NoKeyringError](err); ok && e.Silent {
		return failWith(exitUsage, e, "unlock it, and try again; --store file keeps credentials in a file that only you can read")
	}
	if e, ok := is[*store.NoKeyringError](err); ok {
		return failWith(exitUsage, e, "--store file keeps credentials in a file that only you can read; --store memory keeps them for one run")
	}
	if e, ok := is[*store.CorruptError](err); ok {
		return failWith(exitNoCredential, e, loginAgain(p))
	}
	if e, ok := is[*files.UnsafeError](err); ok {
		return failWith(exitUsage, e, "")
	}
	if e, ok := is[*store.NotKeptError](err); ok {
		return failWith(exitUsage, e, "--store file")
	}
	return nil
}

func sessionFailure(p *project, err error) *failure {
	if errors.Is(err, store.ErrNotFound) {
		return failWith(exitNoCredential, err, "log in with: "+loginAgain(p)+"; or give an API key, see: ambit status --help")
	}
	if errors.Is(err, oauth.ErrLoginTimeout) {
		return failWith(exitNoCredential, err, "nothing was kept; to begin again: "+loginAgain(p))
	}
	if errors.Is(err, oauth.ErrPasteEnded) {
		return fail(exitNoCredential, "nobody is here to log in: standard input ended",
			"give an API key with --api-key-stdin, or run a browser of your own with --browser CMD")
	}
	if e, ok := is[*oauth.BadKeyError](err); ok {
		return failWith(exitNoCredential, e, "")
	}
	if e, ok := is[*oauth.SessionLostError](err); ok {
		return failWith(exitNoCredential, e, "log in again: "+loginAgain(p))
	}
	if e, ok := is[*store.LockError](err); ok {
		if f := folderFailure(p, err); f != nil {
			return f
		}
		return failWith(exitNoCredential, e, "another ambit renews the same login and does not end")
	}
	if e, ok := is[*oauth.IssuerError](err); ok {
		return failWith(exitNoCredential, e, "the answer was thrown away: it did not come from the server that was asked")
	}
	if errors.Is(err, oauth.ErrPortsTaken) {
		return failWith(exitNoCredential, err, "end one of these programs: only these ports are registered for the answer")
	}
	return nil
}

// folderFailure is a file or folder of ours that the system does not let us use.
func folderFailure(_ *project, err error) *failure {
	e, ok := is[*fs.PathError](err)
	if _, elsewhere := is[*guard.Error](err); !ok || elsewhere {
		return nil
	}
	return failWith(exitUsage, e, "ambit keeps things there: make it a folder that you can write to, or name others with XDG_STATE_HOME and XDG_CONFIG_HOME")
}

// ownAuthority is the way out where a certificate is not trusted.
const ownAuthority = "if the certificate is your own authority's, name it with --ca-file"

// inOneLine words an error that ends nothing, and has no hint beside it.
func inOneLine(err error) string {
	text := plain(firstLine(err.Error()))
	if e, ok := is[*guard.Error](err); ok && e.Kind == guard.KindTLS {
		text += "; " + ownAuthority
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
	mistakes, ok := is[settings.Mistakes](err)
	if !ok {
		return err
	}
	f := fail(exitUsage, mistakes.Error(), "")
	if len(mistakes) > 1 {
		f.Hint = fmt.Sprintf("%d mistakes; nothing else was done", len(mistakes))
	}
	return f
}

// didYouMean words the allowed values, and the likely one.
func didYouMean(word string, known []string) string {
	hint := "allowed: " + strings.Join(known, ", ")
	if near := text.Near(word, known); len(near) > 0 {
		hint += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return hint
}

// place is file:line of a declaration.
func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
