package oauth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// A tokenRequest is one request to a token endpoint. x/oauth2 makes it; it is sent, and its
// response is read, by the transport that this is: the library takes fewer forms of a
// response than servers send, and would lose the code or the refresh token that was spent.
type tokenRequest struct {
	endpoint  string
	requester guard.Requester
	resources []string            // whom the token is for (RFC 8707 §2.2); none: not said
	who       client.Client       // who asks, where it proves that by an assertion
	secrets   []credential.Secret // that it carries, but for the client's own
	provider  *provider.Provider
	response  *guard.Response        // nil where none came
	object    *guard.Object          // nil where the response is not one
	kind      scopes.Kind            // of the token in it, as the provider's file has it; "" where that does not say
	others    []provider.IssuedToken // that came in the same response, and are not used
	renewed   scopes.Kind            // of the token that is renewed; "" for a login
	problem   error                  // why it is not
}

// newTokenRequest follows no redirect: a code or a refresh token in a body would go along
// (RFC 9700 §4.12). p is the provider whose file says how the response is read; nil for none.
func newTokenRequest(endpoint string, base *http.Client, p *provider.Provider) *tokenRequest {
	client := *orLoopback(base)
	client.Timeout = tokenTimeout
	if p == nil {
		p = &provider.Provider{}
	}
	return &tokenRequest{endpoint: endpoint, provider: p, requester: guard.Requester{HTTP: &client, AnyStatus: true}}
}

// as has the request made by a client: what it signs is new for each.
func (t *tokenRequest) as(who client.Client) *tokenRequest {
	t.who = who
	return t
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
	req, err := t.withMembers(req)
	if err != nil {
		return nil, err
	}
	response, err := t.requester.Do(req, maxResponse)
	if err != nil {
		return nil, err
	}
	t.response = response
	t.object, t.problem = response.Object()
	if t.problem == nil && len(t.provider.TokenResponse.Tokens) > 0 {
		var used provider.IssuedToken
		used, t.others = t.provider.Token(t.object, t.renewed)
		t.object, t.kind = used.Response, used.Kind
	} else if t.problem == nil && !t.object.Has("access_token") {
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

// withMembers is a request that also says whom the token is for, and proves who asks. x/oauth2 has
// no place for several of the first, and in a renewal none for either.
func (t *tokenRequest) withMembers(req *http.Request) (*http.Request, error) {
	more := url.Values{}
	maps.Copy(more, t.who.Assertion())
	if len(t.resources) > 0 {
		more["resource"] = t.resources
	}
	if len(more) == 0 {
		return req, nil
	}
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	body = append(body, "&"+more.Encode()...)
	whole := req.Clone(req.Context())
	whole.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	whole.ContentLength = int64(len(body))
	whole.Body, err = whole.GetBody()
	return whole, err
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
	failed := t.problem == nil && (t.object.Text("error") != "" || t.provider.TokenResponse.Failed(t.object)) // some say so with a status of 200
	switch {
	case failed:
		return t.refused()
	case t.response.Trouble() != nil:
		return t.response.Trouble()
	case status < 200 || status > 299:
		return t.refused()
	case t.problem != nil:
		return unusableToken(t.endpoint, "it "+t.problem.Error())
	case t.object.Text("access_token") == "" && t.provider.Client.Token != "":
		return unusableToken(t.endpoint, "it holds no token of the kind "+text.Quote(string(t.provider.Client.Token)))
	case t.object.Text("access_token") == "":
		return unusableToken(t.endpoint, "its "+t.object.Require("access_token").Error())
	}
	return nil
}

// refused is the error response.
func (t *tokenRequest) refused() error {
	response := veiled(t.response, credential.VeilOver(t.provider, slices.Concat(t.secrets, []credential.Secret{t.who.Secret})...))
	return refusal(TokenEndpoint, response).inWordsOf(&t.provider.TokenResponse, response)
}

// unusableToken is a token response with which nothing can be done.
func unusableToken(endpoint, problem string) error {
	return &ResponseError{Endpoint: TokenEndpoint, Host: provider.HostOf(endpoint), Problem: problem}
}

// redeem sends the refresh token (RFC 6749 §6). No scope is sent: a refresh cannot widen, and to ask
// for what was asked is to ask for more than was granted. What the response does not say is as it
// was before.
func (r *Renewer) redeem(ctx context.Context, server *metadata.AuthorizationServer, who client.Client, old *credential.Credential) (request *tokenRequest, before credential.Credential, err error) {
	request = newTokenRequest(server.TokenEndpoint, r.HTTP, r.Provider).as(who)
	request.telling(r.Note).resources, request.renewed = old.Resources, old.Kind
	request.secrets = []credential.Secret{old.Refresh, old.Access}
	source := who.Config("", server.TokenEndpoint, "").TokenSource(request.within(ctx), &oauth2.Token{RefreshToken: old.Refresh.Reveal()})
	_, err = source.Token()
	_, err = request.result(err)
	return request, *old, besideList(err, server, "refresh_token", who)
}

// named are scopes as a request names them: one value, which x/oauth2 does not take apart.
func (r *Renewer) named(asked scopes.Set) []string {
	if r.Provider == nil {
		return asked.Slice()
	}
	if scope := r.Provider.Scopes.Parameter(asked); scope != "" {
		return []string{scope}
	}
	return nil
}

// ownToken asks for a token as the client itself (RFC 6749 §4.4): at each renewal for all that was
// asked for, and for less where the server refuses that. Nothing of an earlier token is taken for
// said.
func (r *Renewer) ownToken(ctx context.Context, server *metadata.AuthorizationServer, who client.Client, old *credential.Credential) (request *tokenRequest, before credential.Credential, err error) {
	before = *old
	before.Access, before.Grant = credential.Secret{}, scopes.Grant{Scopes: old.Asked, Server: old.Server, KnownBy: scopes.Assumed}
	for range maxNarrowings + 1 {
		request = newTokenRequest(server.TokenEndpoint, r.HTTP, r.Provider).as(who)
		request.telling(r.Note).resources = old.Resources
		_, err = who.OwnConfig(server.TokenEndpoint, r.named(before.Scopes)).Token(request.within(ctx))
		_, err = request.result(err)
		refused, ok := errors.AsType[*ResponseError](err)
		if !ok {
			return request, before, err
		}
		refused.Own = true
		if ahead := momentOf(request.response, r.now()).ahead; refused.Code == "invalid_client" && who.Assertion() != nil && ahead != who.Ahead {
			who.Ahead = ahead // what it signed was not good by the server's clock; nothing is spent by trying again
			continue
		}
		err = besideList(err, server, "client_credentials", who)
		if refused.Code != "invalid_scope" || r.Narrow == nil {
			return request, before, err
		}
		fewer, ok := r.Narrow(&AuthorizationError{Code: refused.Code, Description: refused.Description, URI: refused.URI})
		if !ok {
			return request, before, err
		}
		before.Scopes = fewer
	}
	return request, before, err
}
