package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// An authorizationResponse (RFC 6749 §4.1.2) belongs to the request that is under way:
// its state is right.
type authorizationResponse struct {
	code    string
	refusal *AuthorizationError // nil where there is a code
	iss     string              // RFC 9207
	hasIss  bool
	bare    bool // someone pasted it without its state

	// Where a browser waits for its page, and that it has got it; nil where none waits.
	page      chan http.Handler
	delivered chan struct{}
}

var (
	errWrongState = errors.New("it belongs to another login")
	errNoResponse = errors.New("it is not a response from an authorization server")
	errNoCode     = errors.New("it is neither a URL nor a code; copy the whole URL at which the browser ended")
)

// readResponse checks the query of a response against the request a.
func readResponse(query string, a *attempt) (authorizationResponse, error) {
	values, err := parseResponse(query)
	if err != nil {
		return authorizationResponse{}, err
	}
	if !a.hasState(values.Get("state")) {
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

// readPaste understands what a person copies: the URL at which the browser ended, its
// query, or the code that the server showed, in the quotes that a shell or a mail wants,
// and with what a sentence puts around it. One without a state is taken from a person:
// that a code was meant for this login is proved by PKCE.
func readPaste(text string, a *attempt) (authorizationResponse, error) {
	text = unquoted(text)
	_, query, isURL := strings.Cut(text, "?")
	if isURL {
		query, _, _ = strings.Cut(query, "#")
	} else if query = text; !strings.Contains(text, "code=") && !strings.Contains(text, "error=") {
		return readCode(text)
	}
	query = withoutEnd(query)
	values, err := parseResponse(query)
	switch {
	case err != nil:
		return authorizationResponse{}, err
	case values.Has("state"):
		return readResponse(query, a)
	}
	got, err := responseOf(values)
	if got.bare = true; err == nil && got.refusal == nil {
		_, err = readCode(got.code)
	}
	return got, err
}

// What stands around a URL or a code in running text. A code may end in a mark of its own
// (RFC 6749 appendix A.11), so one goes without a quote behind it only where it ends no code.
const (
	quoteMarks  = "\"'`<>“”„‘’‚«»‹›"
	endingMarks = ".,;:!?)"
)

// unquoted takes the quotes from around a text, and the mark behind them.
func unquoted(text string) string {
	text = strings.TrimLeft(strings.TrimSpace(text), quoteMarks)
	within := strings.TrimRight(text, endingMarks)
	if bare := strings.TrimRight(within, quoteMarks); bare != within {
		return strings.TrimSpace(bare)
	}
	return strings.TrimSpace(text)
}

// withoutEnd takes the end of a sentence from a query whose last parameter is not the code.
func withoutEnd(query string) string {
	last := query[strings.LastIndex(query, "&")+1:]
	if strings.HasPrefix(last, "code=") {
		return query
	}
	return strings.TrimRight(query, endingMarks)
}

// shortestCode is what a code has at least, in bytes: one that nobody can guess has 128
// bits (RFC 6749 §10.10), and what is shorter is a word that someone typed.
const shortestCode = 16

// readCode takes a code as a page shows it, with its label or without.
func readCode(text string) (authorizationResponse, error) {
	if label, rest, labelled := strings.Cut(text, ":"); labelled && strings.EqualFold(strings.TrimSpace(label), "code") {
		text = unquoted(rest)
	}
	if len(text) < shortestCode || strings.Contains(text, "://") || !credential.IsSendable(text) {
		return authorizationResponse{}, errNoCode
	}
	return authorizationResponse{code: text, bare: true}, nil
}

// checkIssuer compares iss by RFC 9207 §2.4, byte by byte.
func (got authorizationResponse) checkIssuer(want string, promised bool) error {
	switch {
	case got.bare && !got.hasIss: // the person took it from the page of the server they meant
		return nil
	case got.hasIss && got.iss != want:
		return &IssuerError{Want: want, Got: text.Line(got.iss)}
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
