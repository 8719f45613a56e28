package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// An answer is an authorization response (RFC 6749 §4.1.2) that belongs to the
// request that is under way: its state is right.
type answer struct {
	code    string
	refusal *AuthorizationError // nil where there is a code
	iss     string              // RFC 9207
	hasIss  bool
	bare    bool // someone pasted nothing but the code

	// Where a browser waits for its page, and that it has got it; nil where none waits.
	page      chan http.Handler
	delivered chan struct{}
}

var (
	errWrongState = errors.New("it belongs to another login")
	errNoAnswer   = errors.New("it is no answer of an authorization server")
)

// readAnswer checks the query of a response against the request a.
func readAnswer(query string, a *attempt) (answer, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return answer{}, errNoAnswer
	}
	for _, name := range []string{"state", "code", "error", "error_description", "error_uri", "iss"} {
		if len(values[name]) > 1 { // RFC 6749 §3.1
			return answer{}, fmt.Errorf("it has %s more than once", name)
		}
	}
	if !a.hasState(values.Get("state")) {
		return answer{}, errWrongState
	}
	got := answer{code: values.Get("code"), iss: values.Get("iss"), hasIss: values.Has("iss")}
	if code := values.Get("error"); code != "" {
		got.refusal = &AuthorizationError{
			Code:        plain(code),
			Description: plain(values.Get("error_description")),
			URI:         plain(values.Get("error_uri")),
		}
	} else if got.code == "" {
		return answer{}, errNoAnswer
	}
	return got, nil
}

// readPaste understands what a person copies: the URL at which the browser ended, its
// query, or the code that the server showed. A bare code has no state; that it was
// meant for this login is proved by PKCE.
func readPaste(text string, a *attempt) (answer, error) {
	text = strings.TrimSpace(text)
	if _, query, isURL := strings.Cut(text, "?"); isURL {
		query, _, _ = strings.Cut(query, "#")
		return readAnswer(query, a)
	}
	for _, name := range []string{"code=", "error=", "state="} {
		if strings.Contains(text, name) {
			return readAnswer(text, a)
		}
	}
	if text == "" || strings.Contains(text, "://") || !sendable(text) {
		return answer{}, errNoAnswer
	}
	return answer{code: text, bare: true}, nil
}

// checkIssuer compares iss by RFC 9207 §2.4, byte by byte.
func (got answer) checkIssuer(want string, promised bool) error {
	switch {
	case got.bare: // the person took it from the page of the server they meant
		return nil
	case got.hasIss && got.iss != want:
		return &IssuerError{Want: want, Got: plain(got.iss)}
	case !got.hasIss && promised:
		return &IssuerError{Want: want}
	}
	return nil
}
