package oauth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// A tokenRequest is one request to a token endpoint. x/oauth2 makes it; it is sent, and its
// response is read, by the transport that this is: the library takes fewer forms of a
// response than servers send, and would lose the code or the refresh token that was spent.
type tokenRequest struct {
	endpoint  string
	requester guard.Requester
	resources []string        // whom the token is for (RFC 8707 §2.2); none: not said
	response  *guard.Response // nil where none came
	object    *guard.Object   // nil where the response is not one
	problem   error           // why it is not
}

// newTokenRequest follows no redirect: a code or a refresh token in a body would go along
// (RFC 9700 §4.12).
func newTokenRequest(endpoint string, base *http.Client) *tokenRequest {
	client := *orLoopback(base)
	client.Timeout = tokenTimeout
	return &tokenRequest{endpoint: endpoint, requester: guard.Requester{HTTP: &client, AnyStatus: true}}
}

// telling has a wait for a busy server told.
func (t *tokenRequest) telling(tell func(sentence string)) *tokenRequest {
	t.requester.Waits = tellingOfWaits(tell)
	return t
}

// within hands x/oauth2 the client in the only way that it takes one.
func (t *tokenRequest) within(ctx context.Context) context.Context {
	client := guard.ClientOn(t)
	client.Timeout = tokenTimeout
	return context.WithValue(ctx, oauth2.HTTPClient, client)
}

// RoundTrip implements [http.RoundTripper]. What it returns is what x/oauth2 has to know:
// whether there is a token.
func (t *tokenRequest) RoundTrip(req *http.Request) (*http.Response, error) {
	req, err := t.withResources(req)
	if err != nil {
		return nil, err
	}
	response, err := t.requester.Do(req, maxResponse)
	if err != nil {
		return nil, err
	}
	t.response = response
	t.object, t.problem = response.Object()
	if t.problem == nil && !t.object.Has("access_token") {
		t.object = cmp.Or(t.object.Inner("access_token"), t.object) // some servers put the token of a user there
	}
	status, body := http.StatusBadRequest, "{}"
	if t.refusal() == nil {
		status, body = http.StatusOK, `{"access_token": "see tokenRequest.object", "token_type": "Bearer"}`
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {jsonType}}, Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}, nil
}

// withResources is a request that also says whom the token is for. There can be several, for which
// x/oauth2 has no place, and none at all in a renewal.
func (t *tokenRequest) withResources(req *http.Request) (*http.Request, error) {
	if len(t.resources) == 0 {
		return req, nil
	}
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	body = append(body, "&"+url.Values{"resource": t.resources}.Encode()...)
	more := req.Clone(req.Context())
	more.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	more.ContentLength = int64(len(body))
	more.Body, err = more.GetBody()
	return more, err
}

// result is the token response (RFC 6749 §5.1), after x/oauth2 returned err for it. Errors:
// *[ResponseError]; *[trust.UntrustedHostError]; [metadata.Error].
func (t *tokenRequest) result(err error) (*guard.Object, error) {
	if t.response != nil {
		return t.object, t.refusal()
	}
	if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); ok {
		return nil, untrusted
	}
	req, reqErr := http.NewRequest(http.MethodPost, t.endpoint, nil)
	if reqErr != nil {
		return nil, reqErr
	}
	return nil, guard.RequestError(req, err)
}

// refusal is why the response holds no token; nil where it holds one.
func (t *tokenRequest) refusal() error {
	status := t.response.Status
	switch {
	case t.problem == nil && t.object.Text("error") != "": // some say so with a status of 200
		return refusal(TokenEndpoint, t.response)
	case t.response.Trouble() != nil:
		return t.response.Trouble()
	case status < 200 || status > 299:
		return refusal(TokenEndpoint, t.response)
	case t.problem != nil:
		return unusableToken(t.endpoint, "it "+t.problem.Error())
	case t.object.Text("access_token") == "":
		return unusableToken(t.endpoint, "its "+t.object.Require("access_token").Error())
	}
	return nil
}

// unusableToken is a token response with which nothing can be done.
func unusableToken(endpoint, problem string) error {
	return &ResponseError{Endpoint: TokenEndpoint, Host: provider.HostOf(endpoint), Problem: problem}
}
