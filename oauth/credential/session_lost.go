package credential

import "fmt"

// A SessionLostError says that the credential cannot be renewed any more: only
// another login helps.
type SessionLostError struct {
	Err error // the server's refusal; nil where there was no refresh token to send
}

// Error says why.
func (e *SessionLostError) Error() string {
	if e.Err == nil {
		return "the session is over: there is no refresh token"
	}
	return fmt.Sprintf("the session is over: %v", e.Err)
}

// Unwrap returns the server's refusal.
func (e *SessionLostError) Unwrap() error { return e.Err }

// A RenewalDeniedError says that the server refuses to renew for another reason than the login
// (RFC 6749 §5.2): its client is not registered any longer, or may not renew. The login stays.
type RenewalDeniedError struct {
	Code, Description string // of the server's error response
	Err               error  // the response
}

// Error holds the server's words.
func (e *RenewalDeniedError) Error() string { return e.Err.Error() }

// Unwrap returns the server's response.
func (e *RenewalDeniedError) Unwrap() error { return e.Err }
