package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
)

// RequestError gives an error of an http.Client's Do, or of reading a body, its
// [Error]: for a request that had to be sent by something else than a [Requester],
// such as a library. nil stays nil.
func RequestError(req *http.Request, err error) error {
	if err == nil {
		return nil
	}
	return requestError(req, err)
}

func requestError(req *http.Request, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	e := &Error{Kind: KindUnreachable, Err: err}
	e.setURL(req)
	if outer, ok := errors.AsType[*url.Error](err); ok {
		e.Err = outer.Err // the outer one repeats the URL
	}
	_, tooLarge := errors.AsType[files.TooLargeError](err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind = KindCanceled
	case tooLarge:
		e.Kind = KindInvalid
	case isTimeout(err):
		e.Err = fmt.Errorf("no response in time: %w", e.Err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err, e.Reached = fmt.Errorf("the connection was closed before the response was complete: %w", e.Err), true
	case strings.Contains(err.Error(), "malformed "):
		e.Err, e.Reached = malformed(e.Err), true
	case isBroken(err):
		e.Reached = true
	case isCertificateProblem(err), isHandshakeProblem(err):
		e.Kind = KindTLS
	}
	return e
}

// malformed drops the part of the response that net/http quotes when it is not HTTP:
// a server may send our credential back in it.
func malformed(err error) error {
	text, _, _ := strings.Cut(err.Error(), `"`)
	return errors.New(strings.TrimRight(text, ": "))
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// isBroken reports whether a connection that was made broke: it was reset.
func isBroken(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "read" || op.Op == "write")
}

func isCertificateProblem(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, noRoots := errors.AsType[x509.SystemRootsError](err)
	return noRoots
}

func isHandshakeProblem(err error) bool {
	_, alert := errors.AsType[tls.AlertError](err)
	return alert
}
