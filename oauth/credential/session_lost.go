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
		return "the session is over: it has no refresh token (any more)"
	}
	return fmt.Sprintf("the session is over: %v", e.Err)
}

// Unwrap returns the server's refusal.
func (e *SessionLostError) Unwrap() error { return e.Err }
