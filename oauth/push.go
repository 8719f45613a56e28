package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// maxRequestURI bounds the reference to a pushed request, which goes into a URL.
const maxRequestURI = 2 << 10

// pushes reports whether the authorization request goes ahead of the browser (RFC 9126).
func (l *Login) pushes() bool { return l.Push || l.Server.RequirePushedAuthorizationRequests }

// checkPush returns a *[ProtocolError] where a request has to be pushed and the server names no
// place for that.
func checkPush(server *metadata.AuthorizationServer, push bool) error {
	if (push || server.RequirePushedAuthorizationRequests) && server.PushedAuthorizationRequestEndpoint == "" {
		return &ProtocolError{Problem: "the authorization request has to be pushed (RFC 9126), and the server's metadata names no usable pushed_authorization_request_endpoint"}
	}
	return nil
}

// push sends an authorization request ahead (RFC 9126 §2.1): its URL then holds the client's id and
// a reference alone. Errors: an *[AuthorizationError], since what the server refuses there is the
// request (§2.3), but for a *[ResponseError] about the client or a response of no use;
// *[trust.UntrustedHostError]; [metadata.Error].
func (r *loginFlow) push(ctx context.Context, a *attempt) error {
	if !r.pushes() {
		return nil
	}
	endpoint, err := url.Parse(r.Server.AuthorizationEndpoint)
	if err != nil {
		return err
	}
	request, err := url.Parse(a.url)
	if err != nil {
		return err
	}
	form := request.Query()
	for name := range endpoint.Query() { // it is the endpoint's own, and stays there (RFC 6749 §3.1)
		form.Del(name)
	}
	response, err := postForm(ctx, r.HTTP, r.client, r.Server.PushedAuthorizationRequestEndpoint, form)
	if err != nil {
		return err
	}
	if response.Status != http.StatusCreated && response.Status != http.StatusOK {
		return r.refusedRequest(PushedRequestEndpoint, "authorization_code", response)
	}
	unusable := &ResponseError{Endpoint: PushedRequestEndpoint, Host: response.URL.Host, Status: response.Status, Problem: "its response has no usable request_uri"}
	members, err := response.Object()
	if err != nil {
		unusable.Problem = "its response " + err.Error()
		return unusable
	}
	reference := members.Text("request_uri")
	if reference == "" || len(reference) > maxRequestURI || !credential.IsSendable(reference) {
		return unusable
	}
	query := endpoint.Query()
	query.Set("client_id", r.client.ID) // RFC 9126 §4
	query.Set("request_uri", reference)
	endpoint.RawQuery = query.Encode()
	a.url = endpoint.String()
	return nil
}

// refusedRequest is why a server does not take an authorization request that was sent to it and not
// led there: what it refuses is an *[AuthorizationError] as in a browser, and its trouble, or that
// with the client, a *[ResponseError].
func (r *loginFlow) refusedRequest(endpoint Endpoint, grant string, response *guard.Response) error {
	refused := refusal(endpoint, response)
	if r.Provider != nil {
		refused = refused.inWordsOf(&r.Provider.TokenResponse, response)
	}
	listed := whatIsListed(r.Server, refused.Code, grant, r.client)
	if refused.Code == "" || refused.Code == "invalid_client" || refused.Temporary() {
		refused.Listed = listed
		return refused
	}
	return &AuthorizationError{Code: refused.Code, Description: refused.Description, URI: refused.URI, Listed: listed, Device: endpoint == DeviceAuthorizationEndpoint}
}
