package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// maxClientID bounds a client id, which goes into URLs.
const maxClientID = 2 << 10

// A Registration makes this program known to a server that it never met (RFC 7591). Safe for
// concurrent use while nobody changes the fields.
type Registration struct {
	// HTTP sends the request; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP   *http.Client
	Server *metadata.AuthorizationServer
	Name   string              // client_name, which people read on the consent page
	Scopes scopes.Set          // those that may be asked for later; empty: not said
	Device bool                // it may log in by a code for another device too (RFC 8628)
	Method provider.AuthMethod // that is asked for; "" for what the server lists, a public client first
}

// Register returns the client that the server registers (RFC 7591 §3.1), with the method of
// authentication that the server sets: it may give a secret to one that asked for none. A redirect
// URI on a loopback address is registered without its port too: to some servers the port is
// a part of what was registered, and to others none may be there, for they take any (RFC
// 8252 §7.3). A server that does not take the request as it is gets it once more with nothing
// in it that it could do without. Once the request is sent, the end of ctx is put off by
// [signals.Grace] at the most, or the server would keep a client that nobody knows of.
//
// Errors: *[ResponseError]; *[trust.UntrustedHostError]; [metadata.Error].
func (r *Registration) Register(ctx context.Context, redirectURIs ...string) (*client.Registered, error) {
	asked := clientMetadata{
		RedirectURIs: withoutPorts(redirectURIs), Name: r.Name, Scope: r.Scopes.String(), AuthMethod: r.method(),
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		ApplicationType: "native",
	}
	if r.Device {
		asked.GrantTypes = append(asked.GrantTypes, client.DeviceGrant)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	response, err := r.send(lasting, asked)
	if err == nil && refusesMetadata(response) && ctx.Err() == nil {
		asked.RedirectURIs, asked.Scope, asked.ApplicationType = redirectURIs, "", ""
		response, err = r.send(lasting, asked)
	}
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.read(response, asked)
}

// Forgotten reports whether the server says that it does not know a client that it registered. It is
// asked at the token endpoint, with a code that no server gave (RFC 6749 §5.2): at the authorization
// endpoint the person would see an error page, and nobody here would hear of it (§4.1.2.1). A server
// that does not say so knows it.
func (r *Registration) Forgotten(ctx context.Context, who client.Client, redirectURI string) bool {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {random()}, "code_verifier": {random()}, "redirect_uri": {redirectURI},
	}
	if redirectURI == "" {
		form = url.Values{"grant_type": {client.DeviceGrant}, "device_code": {random()}}
	}
	response, err := postForm(ctx, r.HTTP, who, r.Server.TokenEndpoint, form)
	if err != nil {
		return false
	}
	said := refusal(TokenEndpoint, response)
	return !said.Temporary() && refusesClient(said)
}

// method is the one to ask for.
func (r *Registration) method() provider.AuthMethod {
	listed := r.Server.TokenEndpointAuthMethodsSupported
	switch {
	case r.Method != "":
		return r.Method
	case listed == nil || slices.Contains(listed, string(provider.AuthNone)),
		!slices.Contains(listed, string(provider.AuthBasic)) && !slices.Contains(listed, string(provider.AuthPost)):
		return provider.AuthNone
	}
	return client.MethodFor(listed)
}

func (r *Registration) send(ctx context.Context, asked clientMetadata) (*guard.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Server.RegistrationEndpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", jsonType)
	return send(r.HTTP, req, text.Veil{})
}

// refusesMetadata reports whether a server refuses what was asked, and not who asks.
func refusesMetadata(response *guard.Response) bool {
	return response.Status == http.StatusBadRequest || response.Status == http.StatusUnprocessableEntity
}

// withoutPorts adds to URIs on loopback addresses the same without a port.
func withoutPorts(uris []string) []string {
	all := slices.Clone(uris)
	for _, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil || u.Port() == "" || net.ParseIP(u.Hostname()) == nil {
			continue
		}
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
		if bare := u.String(); !slices.Contains(all, bare) {
			all = append(all, bare)
		}
	}
	return all
}

// clientMetadata is RFC 7591 §2; application_type is OpenID Connect's, and lets a
// server take an http redirect on loopback.
type clientMetadata struct {
	RedirectURIs    []string            `json:"redirect_uris"`
	Name            string              `json:"client_name,omitempty"`
	Scope           string              `json:"scope,omitempty"`
	AuthMethod      provider.AuthMethod `json:"token_endpoint_auth_method"`
	GrantTypes      []string            `json:"grant_types"`
	ResponseTypes   []string            `json:"response_types"`
	ApplicationType string              `json:"application_type,omitempty"`
}

// read reads RFC 7591 §3.2.1.
func (r *Registration) read(response *guard.Response, asked clientMetadata) (*client.Registered, error) {
	if response.Status != http.StatusCreated && response.Status != http.StatusOK {
		return nil, refusal(RegistrationEndpoint, response)
	}
	unusable := &ResponseError{Endpoint: RegistrationEndpoint, Host: response.URL.Host}
	members, err := response.Object()
	if err != nil {
		unusable.Problem = "its response " + err.Error()
		return nil, unusable
	}
	got := &client.Registered{Client: client.Client{ByServer: true}, Issuer: r.Server.Issuer, RedirectURIs: asked.RedirectURIs, Scopes: r.Scopes, Device: r.Device}
	if asked.Scope == "" {
		got.Scopes = scopes.Set{}
	}
	got.ID = members.Name("client_id")
	if got.ID == "" || len(got.ID) > maxClientID || !credential.IsVisible(got.ID) {
		unusable.Problem = "its response has no usable client_id"
		return nil, unusable
	}
	if unusable.Problem = r.readMethod(got, members, asked.AuthMethod); unusable.Problem != "" {
		return nil, unusable
	}
	return got, nil
}

// readMethod reads how the client is to authenticate itself; problem is why it cannot.
func (r *Registration) readMethod(got *client.Registered, members *guard.Object, asked provider.AuthMethod) (problem string) {
	secret := members.Text("client_secret")
	got.Method = provider.AuthMethod(members.Text("token_endpoint_auth_method"))
	switch {
	case got.Method == "" && secret == "":
		got.Method = provider.AuthNone
	case got.Method == "" && asked == provider.AuthNone: // a secret that nobody asked for
		got.Method = client.MethodFor(r.Server.TokenEndpointAuthMethodsSupported)
	case got.Method == "":
		got.Method = asked
	}
	switch {
	case got.Method == provider.AuthNone:
		return ""
	case !slices.Contains(provider.AuthMethods(), string(got.Method)):
		return "it requires a client that authenticates itself by " + text.Quote(string(got.Method))
	case secret == "" || !credential.IsVisible(secret):
		return "it requires a client with a secret, and its response has no usable client_secret"
	}
	got.Secret = credential.NewSecret(secret)
	got.ExpiresAt = members.Moment("client_secret_expires_at") // 0, as absent, is never
	return ""
}
