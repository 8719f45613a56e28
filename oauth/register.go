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
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// maxClientID bounds a client id, which goes into URLs.
const maxClientID = 2 << 10

// A Registration makes this program known to a server that it never met (RFC 7591), as
// a public client. Safe for concurrent use while nobody changes the fields.
type Registration struct {
	// HTTP sends the request; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP     *http.Client
	Endpoint string     // registration_endpoint of the metadata
	Name     string     // client_name, which people read on the consent page
	Scopes   scopes.Set // those that may be asked for later; empty: not said
}

// Register returns the client id that the server gives (RFC 7591 §3.1). A redirect URI
// on a loopback address is registered without its port too: to some servers the port is
// a part of what was registered, and to others none may be there, for they take any (RFC
// 8252 §7.3).
//
// Errors: *[ResponseError]; *[trust.UntrustedHostError]; [metadata.Error].
func (r *Registration) Register(ctx context.Context, redirectURIs ...string) (clientID string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := json.Marshal(clientMetadata{
		RedirectURIs: withoutPorts(redirectURIs), Name: r.Name, Scope: r.Scopes.String(), AuthMethod: string(provider.AuthNone),
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		ApplicationType: "native",
	})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Endpoint, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", jsonType)
	response, err := send(r.HTTP, req)
	if err != nil {
		return "", err
	}
	return readRegistration(response)
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
	RedirectURIs    []string `json:"redirect_uris"`
	Name            string   `json:"client_name,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	ApplicationType string   `json:"application_type"`
}

// readRegistration reads RFC 7591 §3.2.1. A client that was given a secret and has to
// use it is of no use: there is no place where this program could keep one.
func readRegistration(response *guard.Response) (clientID string, err error) {
	if response.Status != http.StatusCreated && response.Status != http.StatusOK {
		return "", refusal(RegistrationEndpoint, response)
	}
	unusable := &ResponseError{Endpoint: RegistrationEndpoint, Host: response.URL.Host, Status: response.Status}
	members, err := response.Object()
	if err != nil {
		unusable.Problem = "its response " + err.Error()
		return "", unusable
	}
	clientID, method := members.Text("client_id"), members.Text("token_endpoint_auth_method")
	switch {
	case clientID == "" || len(clientID) > maxClientID || !credential.IsSendable(clientID):
		unusable.Problem = "its response has no usable client_id"
		return "", unusable
	case method != "" && method != string(provider.AuthNone), method == "" && members.Has("client_secret"):
		unusable.Problem = "it requires a client with a secret"
		return "", unusable
	}
	return clientID, nil
}
