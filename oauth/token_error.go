package oauth

import (
	"fmt"
	"net/http"

	"github.com/ambit-auth/ambit/internal/text"
)

// A TokenError is a token endpoint's refusal (RFC 6749 §5.2), or a response of it that
// is no token response. It holds nothing of the request, and of the response only the
// members that the RFC names, made fit to be shown.
type TokenError struct {
	Code        string // error: invalid_grant, invalid_client, …; "" for a response of another shape
	Description string // error_description
	URI         string // error_uri, a page for people
	Status      int    // of the response; 0 where Problem was found in a good one
	Problem     string // what is wrong with a response that has no Code; else ""
	Host        string // of the token endpoint
}

// Error holds the server's words, or what is wrong with its response.
func (e *TokenError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the answer of the token endpoint of %s is not usable: %s", text.Line(e.Host), e.Problem)
	}
	told := fmt.Sprintf("the token endpoint of %s refused: %s", text.Line(e.Host), serversWords(e.Code, e.Description))
	if e.Temporary() {
		told += fmt.Sprintf(" (status %d)", e.Status)
	}
	return told
}

// Temporary reports whether the same request may succeed later.
func (e *TokenError) Temporary() bool {
	return e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Code == "temporarily_unavailable"
}

// serversWords quotes an error code, and the description where there is one. Both are fit
// for a line already.
func serversWords(code, description string) string {
	if description == "" {
		return `"` + code + `"`
	}
	return `"` + code + `", "` + description + `"`
}
