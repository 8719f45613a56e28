package guard

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
)

// Kind tells what sort of trouble an [Error] is, for a caller that branches on it.
type Kind string

// The kinds of trouble.
const (
	// KindUsage is a URL or a CA file from the caller that cannot be used. It is a
	// mistake in the configuration; every other kind is between here and the server.
	KindUsage Kind = "usage"
	// KindNotFound is a server that was reached and has no document.
	KindNotFound Kind = "not_found"
	// KindInvalid is a response that is broken, too large, or of the wrong shape.
	KindInvalid Kind = "invalid"
	// KindRedirect is a redirect that was refused. While a document is looked for
	// it only means that the document is not in that place.
	KindRedirect Kind = "redirect"
	// KindStatus is a status that is no use here: 5xx above all.
	KindStatus Kind = "status"
	// KindRateLimited is status 429 (RFC 6585 §4).
	KindRateLimited Kind = "rate_limited"
	// KindTLS is a certificate that is not trusted, or a failed handshake.
	KindTLS Kind = "tls"
	// KindUnreachable is no response: no address, refused, reset, timed out.
	KindUnreachable Kind = "unreachable"
	// KindCanceled is the caller's own context having been canceled.
	KindCanceled Kind = "canceled"
)

// Error is what went wrong between a request and a usable response. Its text names
// the host and what came, with everything from outside escaped, and holds no
// secret: a user name or password in a URL is never shown.
type Error struct {
	// Kind is the sort of trouble.
	Kind Kind
	// URL is what was asked for, without user name and password.
	URL string
	// Host is the host (and port) of URL.
	Host string
	// Field is the wire name of the first wrong field of a document, for
	// KindInvalid; Err has them all.
	Field string
	// Status is the HTTP status, 0 if there was none.
	Status int
	// RetryAfter is how long the server asks to wait (RFC 9110 §10.2.3),
	// at least a second; 0 if it did not say.
	RetryAfter time.Duration
	// RetryAt is the moment at which RetryAfter ends; zero if RetryAfter is.
	RetryAt time.Time
	// Err is the cause, nil where Kind and Status say it all.
	Err error
	// Reached says of KindUnreachable that there was a connection, and no usable response on it.
	Reached bool
	// Unsent says that no request left this machine whose response did not come: there was no connection
	// for it, or the one before was answered.
	Unsent bool
}

// Error describes the trouble in one line.
func (e *Error) Error() string {
	cause := ""
	if e.Err != nil {
		cause = text.Line(e.Err.Error())
	}
	switch e.Kind {
	case KindUsage:
		return joinText(e.URL, cause)
	case KindNotFound:
		return fmt.Sprintf("%q has no metadata document: %s", e.Host, cause)
	case KindInvalid:
		return fmt.Sprintf("the response of %q is not usable: %s", e.URL, cause)
	case KindRedirect:
		return fmt.Sprintf("a redirect from %q was refused: %s", e.Host, cause)
	case KindStatus, KindRateLimited:
		return fmt.Sprintf("%q answered %s%s", e.Host, StatusText(e.Status), e.when())
	case KindTLS:
		return fmt.Sprintf("no trusted connection to %q: %s", e.Host, cause)
	case KindCanceled:
		return fmt.Sprintf("asking %q: %s", e.Host, cause)
	}
	if e.Reached {
		return fmt.Sprintf("no usable response from %q: %s", e.Host, cause)
	}
	return fmt.Sprintf("cannot reach %q: %s", e.Host, cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the server may well answer later: it was not reached,
// it failed, or it asked to wait. A certificate problem is not temporary, since
// what looks like one may be someone in between.
func (e *Error) Temporary() bool {
	switch e.Kind {
	case KindUnreachable, KindRateLimited:
		return true
	case KindStatus:
		return IsTemporary(e.Status)
	}
	return false
}

// UnknownAuthority reports whether a certificate is in order but for the authority that signed it:
// one that this user may know.
func (e *Error) UnknownAuthority() bool {
	_, signed := errors.AsType[x509.UnknownAuthorityError](e.Err)
	_, noRoots := errors.AsType[x509.SystemRootsError](e.Err)
	return signed || noRoots
}

// Lasting reports whether the same request soon after is likely in vain too: nobody takes
// connections there, there is no such name, or the certificate is not trusted.
func (e *Error) Lasting() bool {
	if e.Kind != KindUnreachable {
		return e.Kind == KindTLS
	}
	if name, ok := errors.AsType[*net.DNSError](e.Err); ok {
		return !name.IsTemporary && !name.IsTimeout
	}
	op, ok := errors.AsType[*net.OpError](e.Err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect") && !op.Timeout()
}

// IsTemporary reports whether a status says that the server may well answer later.
func IsTemporary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func (e *Error) when() string {
	if e.RetryAfter == 0 {
		return ""
	}
	return fmt.Sprintf(" and asks to wait %s, until %s", e.RetryAfter.Round(time.Second), e.RetryAt.UTC().Format(time.RFC3339))
}

// StatusText does not use the server's own reason phrase: it is free text.
func StatusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

func joinText(url, cause string) string {
	if url == "" {
		return cause
	}
	return fmt.Sprintf("%q %s", url, cause)
}
