package oauth

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"

	"github.com/ambit-auth/ambit/internal/text"
)

// An authorizationResponse (RFC 6749 §4.1.2) belongs to the request that is under way:
// its state is right.
type authorizationResponse struct {
	code    string
	refusal *AuthorizationError // nil where there is a code
	iss     string              // RFC 9207
	hasIss  bool
	pasted  bool // by a person; no browser waits for its page
	bare    bool // it was pasted without its state

	// Where a browser waits for its page, and that it has got it; nil where none waits.
	page      *lastPage
	delivered chan struct{}
}

var (
	errNoState    = errors.New("it has no state, and may be another login's")
	errWrongState = errors.New("it belongs to another login")
	errSecond     = errors.New("this login has had its response already")
	errNoResponse = errors.New("it is not a response from an authorization server")
	errNoCode     = errors.New("it is neither a URL nor a code; copy the whole URL at which the browser ended")
)

// readResponse checks the query of a response against the request a.
func readResponse(query string, a *attempt) (authorizationResponse, error) {
	values, err := parseResponse(query)
	if err != nil {
		return authorizationResponse{}, err
	}
	switch state := values.Get("state"); {
	case state == "":
		return authorizationResponse{}, errNoState
	case !a.hasState(state):
		return authorizationResponse{}, errWrongState
	}
	return responseOf(values)
}

func parseResponse(query string) (url.Values, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errNoResponse
	}
	for _, name := range []string{"state", "code", "error", "error_description", "error_uri", "iss"} {
		if len(values[name]) > 1 { // RFC 6749 §3.1
			return nil, fmt.Errorf("it has %s more than once", name)
		}
	}
	return values, nil
}

func responseOf(values url.Values) (authorizationResponse, error) {
	got := authorizationResponse{code: values.Get("code"), iss: values.Get("iss"), hasIss: values.Has("iss")}
	if code := values.Get("error"); code != "" {
		got.refusal = &AuthorizationError{
			Code:        text.Line(code),
			Description: text.Line(values.Get("error_description")),
			URI:         text.Line(values.Get("error_uri")),
		}
	} else if got.code == "" {
		return authorizationResponse{}, errNoResponse
	}
	return got, nil
}

// refusedLater is the response as one that refuses, where the token endpoint refused the scopes, or whom the
// token is for, which the authorization endpoint had let pass.
func (got authorizationResponse) refusedLater(err error) authorizationResponse {
	if later, ok := errors.AsType[*ResponseError](err); ok && (later.Code == "invalid_scope" || later.Code == "invalid_target") {
		got.refusal = &AuthorizationError{Code: later.Code, Description: later.Description, URI: later.URI}
	}
	return got
}

// checkIssuer compares iss by RFC 9207 §2.4, byte by byte.
func (got authorizationResponse) checkIssuer(want string, promised bool) error {
	switch {
	case got.bare && !got.hasIss: // the person took it from the page of the server they meant
		return nil
	case got.hasIss && got.iss != want:
		return &IssuerError{Want: want, Got: cmp.Or(text.Line(got.iss), "(empty)")}
	case !got.hasIss && promised:
		return &IssuerError{Want: want}
	}
	return nil
}

// An IssuerError is an authorization response from another server than the one that
// was asked, or one that does not say where it is from although the server promises
// to (RFC 9207 §2.4): someone may be mixing up two servers to get at a code.
type IssuerError struct {
	Want string // issuer of the server that was asked
	Got  string // iss of the response; "" where it had none
}

// Error names both issuers.
func (e *IssuerError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("the response does not say which server it is from, though %q says that its responses do (RFC 9207)", e.Want)
	}
	return fmt.Sprintf("the response is from %q, but %q was asked (RFC 9207)", e.Got, e.Want)
}
