package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
)

// A NoInspectionError says that nothing can tell what a credential holds: the
// provider's file knows no way to ask, or the server has no place for it.
type NoInspectionError struct {
	Label  string // what people call its kind, with its article
	Server string // the provider's name of the server
}

// Error names both.
func (e *NoInspectionError) Error() string {
	return fmt.Sprintf("there is no way to ask the server %q what %s holds", e.Server, e.Label)
}

// A RejectedError says that the server does not accept the credential: unknown there,
// expired, revoked, or of a kind that it does not take.
type RejectedError struct {
	Host   string // that answered
	Status int    // 401 or 403; 200 for an introspection that says inactive (RFC 7662 §2.2)
}

// Error names the host.
func (e *RejectedError) Error() string {
	if e.Status == http.StatusOK {
		return fmt.Sprintf("%q says that the credential is not active", e.Host)
	}
	return fmt.Sprintf("%q does not accept the credential (%d %s)", e.Host, e.Status, http.StatusText(e.Status))
}

// An UnansweredError says that a server was asked what a credential holds and did not
// tell. Nothing follows from it for the credential.
type UnansweredError struct {
	Host       string
	Status     int           // 0 where no response came
	RetryAfter time.Duration // as the server asks; 0 where it does not say
	RetryAt    time.Time     // the end of RetryAfter; zero where that is 0
	What       string        // what came: "a page of HTML"
	Err        error         // a *[metadata.Error] where no response came, or a status that is none
}

// Error names the host and what came.
func (e *UnansweredError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("%q did not say what the credential holds: it sent %s", e.Host, e.What)
}

// Unwrap returns the cause.
func (e *UnansweredError) Unwrap() error { return e.Err }

func unanswered(err error) error {
	if _, ok := errors.AsType[*UntrustedHostError](err); ok {
		return err
	}
	e := &UnansweredError{What: "nothing", Err: err}
	if cause, ok := errors.AsType[*guard.Error](err); ok {
		e.Host, e.Status, e.RetryAfter, e.RetryAt = cause.Host, cause.Status, cause.RetryAfter, cause.RetryAt
		if e.Status != 0 {
			e.What = fmt.Sprintf("status %d", e.Status)
		}
	}
	return e
}
