package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
)

// ErrNoRevocation says that the server's metadata names no revocation endpoint.
var ErrNoRevocation = errors.New("the server offers no revocation")

// A Revocation tells a server that a credential is not needed any more (RFC 7009).
// Safe for concurrent use while nobody changes the fields.
type Revocation struct {
	// HTTP sends the requests; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP   *http.Client
	Server *metadata.AuthorizationServer
	// Client is the one to which the server gave the credential. Without an id it is a public one,
	// and the credential knows its id.
	Client client.Client
}

// Revoke revokes the refresh token, which ends the whole session at most servers, and
// then the access token. It does not stop at the first failure. A token that the
// server does not know counts as revoked (RFC 7009 §2.2).
//
// Errors: [ErrNoRevocation]; *[ResponseError]; *[trust.UntrustedHostError]; [metadata.Error].
func (r *Revocation) Revoke(ctx context.Context, c *credential.Credential) error {
	if r.Server.RevocationEndpoint == "" {
		return ErrNoRevocation
	}
	who := r.Client
	if who.ID == "" {
		who = client.Public(c.ClientID)
	}
	return errors.Join(
		r.revoke(ctx, who, c.Refresh, "refresh_token"),
		r.revoke(ctx, who, c.Access, "access_token"),
	)
}

func (r *Revocation) revoke(ctx context.Context, who client.Client, token credential.Secret, hint string) error {
	if token.Empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	form := url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}}
	header := make(http.Header)
	who.Authenticate(header, form.Set) // RFC 7009 §2.1
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Server.RevocationEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header = header
	req.Header.Set("Content-Type", formType)
	response, err := send(r.HTTP, req, credential.VeilOver(nil, token, who.Secret))
	if err != nil {
		return err
	}
	if response.Status < 200 || response.Status > 299 {
		return refusal(RevocationEndpoint, response)
	}
	return nil
}
