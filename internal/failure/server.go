package failure

import (
	"errors"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
)

// OfServer gives a metadata error its exit code and way out.
func OfServer(err error) error {
	e, ok := errors.AsType[*guard.Error](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case guard.KindUsage:
		return &view.Failure{Code: ExitUsage, Message: text.Printable(e.Error()), Hint: usageHint(e), Err: err}
	case guard.KindTLS:
		return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: certificateHint(e), Err: err}
	case guard.KindCanceled:
		return err
	case guard.KindNotFound:
		return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: "is this the issuer's URL (see provider: and --server)? for a server without metadata, write authorization_endpoint and token_endpoint in the provider file", Err: err}
	case guard.KindInvalid:
		return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: invalidHint(e), Err: err}
	case guard.KindUnreachable:
		if e.Reached {
			return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: advice.NoResponse, Err: err}
		}
		return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: "check the address (provider: or --server) and the network, then try again", Err: err}
	}
	return &view.Failure{Code: ExitCannotTell, Message: text.Printable(e.Error()), Hint: "try again when the server answers", Err: err}
}

// usageHint is the way out of what the caller has set.
func usageHint(e *guard.Error) string {
	if _, proxy := errors.AsType[*guard.ProxyError](e); proxy {
		return "write it as http://HOST:PORT; in a user name or a password write %23 for #, %2F for /, %3F for ?, %3A for :, %40 for @ and %25 for %"
	}
	return ""
}

// certificateHint is the way out of a connection that is not trusted.
func certificateHint(e *guard.Error) string {
	if e.UnknownAuthority() {
		return advice.OwnAuthority
	}
	return advice.WrongCertificate
}

// invalidHint is the way out of a document that cannot be used. One that speaks of another
// URL than it was asked for is mostly right about itself.
func invalidHint(e *guard.Error) string {
	switch e.Field {
	case "issuer":
		return "write the issuer as the server itself does, see provider: and --server; if yours is right, the server's operator can fix this"
	case "resource":
		return "write the base's URL as the resource itself does, see provider:; if yours is right, the server's operator can fix this"
	}
	return "the server's operator can fix this"
}
