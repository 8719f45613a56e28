package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

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
	form, header := request.Query(), http.Header{"Content-Type": {formType}}
	for name := range endpoint.Query() { // it is the endpoint's own, and stays there (RFC 6749 §3.1)
		form.Del(name)
	}
	r.client.Authenticate(header, form.Set)
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Server.PushedAuthorizationRequestEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header = header
	response, err := send(r.HTTP, req)
	if err != nil {
		return err
	}
	if response.Status != http.StatusCreated && response.Status != http.StatusOK {
		refused := refusal(PushedRequestEndpoint, response)
		if refused.Code == "" || refused.Code == "invalid_client" || refused.Temporary() {
			refused.Listed = whatIsListed(r.Server, refused.Code, "authorization_code", r.client.Style())
			return refused
		}
		return &AuthorizationError{Code: refused.Code, Description: refused.Description, URI: refused.URI}
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
