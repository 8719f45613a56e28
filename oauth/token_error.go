package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
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
		return fmt.Sprintf("the answer of the token endpoint of %s is not usable: %s", plain(e.Host), e.Problem)
	}
	text := fmt.Sprintf("the token endpoint of %s refused: %s", plain(e.Host), serversWords(e.Code, e.Description))
	if e.Temporary() {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	return text
}

// Temporary reports whether the same request may succeed later.
func (e *TokenError) Temporary() bool {
	return e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Code == "temporarily_unavailable"
}

// serversWords quotes an error code, and the description where there is one.
func serversWords(code, description string) string {
	if description == "" {
		return fmt.Sprintf("%q", code)
	}
	return fmt.Sprintf("%q, %q", code, description)
}

// tokenError makes an error of x/oauth2 fit to be shown: its own text holds the whole
// response, and that may hold a token.
func tokenError(endpoint string, err error) error {
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return refusedToken(endpoint, refusal)
	}
	if untrusted, ok := errors.AsType[*UntrustedHostError](err); ok {
		return untrusted
	}
	if isTransportError(err) {
		req, reqErr := http.NewRequest(http.MethodPost, endpoint, nil)
		if reqErr != nil {
			return reqErr
		}
		return guard.RequestError(req, err)
	}
	return &TokenError{Host: provider.HostOf(endpoint), Problem: "it is no token response (RFC 6749 §5.1)"}
}

func refusedToken(endpoint string, refusal *oauth2.RetrieveError) error {
	e := &TokenError{
		Host:        provider.HostOf(endpoint),
		Code:        plain(refusal.ErrorCode),
		Description: plain(refusal.ErrorDescription),
		URI:         plain(refusal.ErrorURI),
	}
	if refusal.Response != nil {
		e.Status = refusal.Response.StatusCode
	}
	if e.Code == "" {
		e.Problem = fmt.Sprintf("status %d %s, without an error code", e.Status, http.StatusText(e.Status))
	}
	return e
}

// isTransportError tells what went wrong on the way from what is wrong with a response.
func isTransportError(err error) bool {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
