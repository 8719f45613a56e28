package credential

import (
	"fmt"
	"time"
)

// A SessionLostError says that the credential cannot be renewed any more: only
// another login helps.
type SessionLostError struct {
	Err error // the server's refusal; nil where there was no refresh token to send
	// RejectedAt is when the server did not know the access token; zero where it is at its end.
	RejectedAt time.Time
	Likely     string // what may have led to the refusal, as far as this machine knows; or ""

	Code, Description string // of the server's error response (RFC 6749 §5.2); or ""
}

// Error says why.
func (e *SessionLostError) Error() string { return "the session is over: " + e.Reason() }

// Reason is why, without saying that it is over.
func (e *SessionLostError) Reason() string {
	switch {
	case e.Err == nil && !e.RejectedAt.IsZero():
		return fmt.Sprintf("the server did not accept the token at %s, and there is no refresh token", e.RejectedAt.UTC().Format(time.RFC3339))
	case e.Err == nil:
		return "there is no refresh token"
	case e.Likely == "":
		return e.Err.Error()
	}
	return e.Err.Error() + "; " + e.Likely
}

// Unwrap returns the server's refusal.
func (e *SessionLostError) Unwrap() error { return e.Err }

// A RenewalDeniedError says that the server refuses to renew for another reason than the login
// (RFC 6749 §5.2): its client is not registered any longer, or may not renew. The login stays.
type RenewalDeniedError struct {
	Code, Description string // of the server's error response
	Err               error  // the response
	// At is when the server said so, and Until when it is asked again, where it was not asked
	// just now; else zero.
	At, Until time.Time
}

// Error holds the server's words.
func (e *RenewalDeniedError) Error() string {
	if e.At.IsZero() {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (at %s; asked again from %s on)", e.Err, e.At.UTC().Format(time.RFC3339), e.Until.UTC().Format(time.RFC3339))
}

// Unwrap returns the server's response.
func (e *RenewalDeniedError) Unwrap() error { return e.Err }
