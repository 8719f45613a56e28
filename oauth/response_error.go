package oauth

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	reader "github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Endpoint is one to which this program sends requests.
type Endpoint string

// The endpoints whose responses can be a [ResponseError].
const (
	TokenEndpoint        Endpoint = "token"        // RFC 6749 §3.2
	RegistrationEndpoint Endpoint = "registration" // RFC 7591 §3
	RevocationEndpoint   Endpoint = "revocation"   // RFC 7009 §2
	// PushedRequestEndpoint is that of RFC 9126 §2: what it refuses of a request is an [AuthorizationError].
	PushedRequestEndpoint Endpoint = "pushed request"
	// DeviceAuthorizationEndpoint is that of RFC 8628 §3.1: what it refuses of a request is an [AuthorizationError].
	DeviceAuthorizationEndpoint Endpoint = "device authorization"

	introspectionEndpoint Endpoint = "introspection" // RFC 7662 §2: its refusals are an [UnansweredError]
)

// A ResponseError is an error response of an endpoint (RFC 6749 §5.2), or one with which
// nothing can be done. It answers: what does the server say (Code), and may the same request
// succeed later (Temporary)? It holds nothing of the request, and of the response only the
// members that the RFC names, made fit to be shown.
type ResponseError struct {
	Endpoint    Endpoint
	Renewal     bool      // the request was for a renewal (RFC 6749 §6)
	Own         bool      // the client asked for a token of its own (RFC 6749 §4.4)
	Device      bool      // the request was for the token of a login on another device (RFC 8628 §3.4)
	Host        string    // of the endpoint
	Status      int       // 0 where Problem was found in a good one
	Code        string    // error: invalid_grant, invalid_client, …; "" for a response of another shape
	Description string    // error_description
	URI         string    // error_uri, a page for people
	Problem     string    // what is wrong with a response that has no Code; else ""
	RetryAt     time.Time // until when the server asks to wait; zero where it does not say
	Listed      string    // what the server's metadata had said of that which it refuses; "" for nothing
}

// Error holds the server's words, or what is wrong with its response.
func (e *ResponseError) Error() string {
	words := e.Problem
	if e.Code != "" {
		words = serversWords(e.Code, e.Description)
	}
	switch {
	case e.Endpoint == RegistrationEndpoint && e.Status == 0:
		return "the server registered a client that cannot be used: " + words
	case e.Endpoint == RegistrationEndpoint:
		return "the server did not register the client: " + words
	case e.Endpoint == RevocationEndpoint:
		return "the server did not revoke the credential: " + words
	case e.Endpoint == PushedRequestEndpoint:
		return "the server did not take the pushed authorization request: " + words + aside(e.Listed)
	case e.Endpoint == DeviceAuthorizationEndpoint:
		return fmt.Sprintf("the server %s gave no code for another device: %s", text.Line(e.Host), words) + aside(e.Listed)
	case e.Code == "":
		return fmt.Sprintf("the response of the token endpoint of %s is not usable: %s", text.Line(e.Host), words)
	}
	told := fmt.Sprintf("the token endpoint of %s refused: %s", text.Line(e.Host), words) + aside(e.Listed)
	if guard.IsTemporary(e.Status) {
		told += fmt.Sprintf(" (status %d)", e.Status)
	}
	if !e.RetryAt.IsZero() {
		told += ", and asks to wait until " + e.RetryAt.UTC().Format(time.RFC3339)
	}
	return told
}

// aside puts in parentheses what is no word of the server's.
func aside(remark string) string {
	if remark == "" {
		return ""
	}
	return " (" + remark + ")"
}

// besideList adds to the refusal of a token request what the server's metadata had said of it.
func besideList(err error, server *metadata.AuthorizationServer, grant string, who client.Client) error {
	if refused, ok := errors.AsType[*ResponseError](err); ok && refused.Endpoint == TokenEndpoint {
		refused.Listed = whatIsListed(server, refused.Code, grant, who)
	}
	return err
}

// Temporary reports whether the same request may succeed later: the server is in trouble, or
// somebody on the way to it is. What has a code of its own, or is a plain 400 or 401, is the
// server's decision (RFC 6749 §5.2); so is that there is no such endpoint.
func (e *ResponseError) Temporary() bool {
	switch {
	case guard.IsTemporary(e.Status), e.Code == "temporarily_unavailable", e.Code == "server_error", e.Code == "slow_down":
		return true
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return false
	}
	return e.Code == ""
}

// An outlook is what an error says of the same request made again: the one answer to that for
// whoever waits, and for whoever remembers.
type outlook struct {
	later bool      // it may succeed later
	from  time.Time // not before this, as the server asks; zero where it does not say
}

// outlookOf reads it from an error response, or from trouble on the way to a response.
func outlookOf(err error) outlook {
	if refused, ok := errors.AsType[*ResponseError](err); ok {
		return outlook{refused.Temporary(), refused.RetryAt}
	}
	if trouble, ok := errors.AsType[*guard.Error](err); ok {
		return outlook{trouble.Temporary(), trouble.RetryAt}
	}
	return outlook{}
}

// Ends reports whether a renewal that was so refused ends the session: the refresh token is
// spent, revoked or expired (RFC 6749 §5.2 invalid_grant).
func (e *ResponseError) Ends() bool { return e.Code == "invalid_grant" && !e.Own && !e.Temporary() }

// refusal is the error response of an endpoint.
func refusal(endpoint Endpoint, response *guard.Response) *ResponseError {
	e := &ResponseError{Endpoint: endpoint, Host: response.URL.Host, Status: response.Status}
	if now := time.Now(); guard.RetryAfter(response.Header, now) > 0 {
		e.RetryAt = now.Add(guard.RetryAfter(response.Header, now)).Round(0)
	}
	if members, err := response.Object(); err == nil {
		e.Code, e.Description = text.Line(members.Text("error")), text.Line(members.Text("error_description"))
		e.URI = text.Line(members.Text("error_uri"))
	}
	if e.Code == "" {
		e.Problem = fmt.Sprintf("status %s, without an error code", guard.StatusText(response.Status))
		if response.IsPage() {
			return e
		}
		if said := reader.Read(&provider.Provider{}, "", reader.Vocabulary{}, reader.Response{Status: response.Status, Header: response.Header, Body: response.Body}).Said; said != "" {
			e.Problem += ": " + text.Quote(said)
		}
	}
	return e
}

// inWordsOf is the same with the code of the RFCs in place of the service's own, where the provider's
// file knows that. The service's own is then the description, where there is no other.
func (e *ResponseError) inWordsOf(service *provider.TokenResponse, response *guard.Response) *ResponseError {
	if code, said := service.Code(e.Code, response.Value()); code != e.Code {
		e.Code, e.Description, e.Problem = code, cmp.Or(e.Description, text.Line(said)), ""
	}
	return e
}

// serversWords quotes an error code, and the description where there is one. Both are fit
// for a line already.
func serversWords(code, description string) string {
	if description == "" {
		return `"` + code + `"`
	}
	return `"` + code + `", "` + description + `"`
}

// A ProtocolError says that a server does not do what a login needs of it, or that what it
// sent proves nothing. It answers: is this for the server's operator to fix? Nothing of what
// came is used.
type ProtocolError struct {
	Problem string // what the server lacks, or what is wrong
	Err     error  // why it could not be checked, a [metadata.Error] where that is on the way; nil for none
}

// Error is the problem.
func (e *ProtocolError) Error() string {
	if e.Err == nil {
		return e.Problem
	}
	return e.Problem + ": " + text.Line(e.Err.Error())
}

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// A NoInspectionError says that nothing can tell what a credential holds: the
// provider's file knows no way to ask, or the server has no place for it.
type NoInspectionError struct {
	Label  string // what people call its kind, with its article
	Server string // the provider's name of the server
	Why    string // what came of asking as the server advertises; "" where it advertises nothing
}

// Error names both, and why.
func (e *NoInspectionError) Error() string {
	sentence := fmt.Sprintf("there is no way to ask the server %q what %s holds", e.Server, e.Label)
	if e.Why != "" {
		sentence += ": " + e.Why
	}
	return sentence
}

// A RejectedError says that the server does not accept the credential: unknown there,
// expired, revoked, or of a kind that it does not take.
type RejectedError struct {
	Host    string // that answered
	Status  int    // 401; 200 for an introspection that says inactive (RFC 7662 §2.2); or what the provider's file says
	Expired bool   // the server said that it knows the credential, and that it has ended
}

// Error names the host.
func (e *RejectedError) Error() string {
	if e.Expired {
		return fmt.Sprintf("%q says that the credential has expired", e.Host)
	}
	if e.Status == http.StatusOK {
		return fmt.Sprintf("%q says that the credential is not active", e.Host)
	}
	return fmt.Sprintf("%q does not accept the credential (%s)", e.Host, guard.StatusText(e.Status))
}

// An UnansweredError says that a server was asked what a credential holds and did not
// tell. Nothing follows from it for the credential.
type UnansweredError struct {
	Host       string
	Status     int           // 0 where no response came
	RetryAfter time.Duration // as the server asks; 0 where it does not say
	RetryAt    time.Time     // the end of RetryAfter; zero where that is 0
	What       string        // what came: "a page of HTML"
	Advice     string        // what helps, where the provider's file knows the response; else ""
	Link       string        // where that is done
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

// Refused reports whether the server refused the question: the one who asked may not, or there
// is nobody who answers it.
func (e *UnansweredError) Refused() bool { return e.Err == nil && e.Status >= 400 && e.Status <= 499 }

func unanswered(err error) error {
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
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
