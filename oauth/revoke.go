package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
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

// ErrNoRevocation says that neither the server's metadata nor the provider's file says how a token is revoked.
var ErrNoRevocation = errors.New("the server offers no revocation")

// A Revocation tells a server that a credential is not needed any more: by RFC 7009, or in the way of its
// own that the provider's file gives. Safe for concurrent use while nobody changes the fields.
type Revocation struct {
	// HTTP sends the requests; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP   *http.Client
	Server *metadata.AuthorizationServer
	// Client is the one to which the server gave the credential. Without an id it is a public one,
	// and the credential knows its id.
	Client client.Client
	// Provider is what is known of the service, and At the deployment that gave the credential; nil: nothing.
	Provider *provider.Provider
	At       provider.Server
}

// Revoke revokes the refresh token, which ends the whole session at most servers, and
// then the access token. It does not stop at the first failure. A token that the
// server does not know counts as revoked (RFC 7009 §2.2). The service's own way ends the access token.
//
// Errors: [ErrNoRevocation]; *[ResponseError]; *[UnansweredError]; *[trust.UntrustedHostError]; [metadata.Error].
func (r *Revocation) Revoke(ctx context.Context, c *credential.Credential) error {
	if r.Provider != nil {
		kind := r.Provider.KindIssued(c.Access.Reveal(), c.Kind)
		if target, ok := r.At.Expand(kind.Revoke.Ask.URL); ok && target != "" {
			return r.byItself(ctx, target, kind, c.Access)
		}
	}
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

// byItself has the access token ask for its own end, as the provider's file says.
func (r *Revocation) byItself(ctx context.Context, target string, kind provider.CredentialKind, access credential.Secret) error {
	how := kind.Revoke
	q, err := inspectionOf(how.Ask, kind.Send, target, access)
	if err != nil {
		return err
	}
	response, err := (&Inspector{HTTP: r.HTTP, Provider: r.Provider}).send(ctx, q, access)
	switch {
	case err != nil:
		return err
	case fits(how.Done, response), len(how.Done) == 0 && scopes.Succeeded(response.Status),
		response.Status == http.StatusUnauthorized && askedByItself.rejects(response): // it is not known any more
		return nil
	}
	return refusal(RevocationEndpoint, response)
}

// unused tells of the tokens that came in a response beside the one that is used, and revokes them: they
// are good, and nobody has them. A nil tell is nobody who wants to know. A refresh token that is that one's too stays.
func (r *Revocation) unused(ctx context.Context, request *tokenRequest, tell func(sentence string)) {
	for _, other := range request.others {
		access, refresh := credential.NewSecret(other.Response.Text("access_token")), credential.NewSecret(other.Response.Text("refresh_token"))
		if request.object.Has("access_token") && request.object.Text("refresh_token") == refresh.Reveal() {
			refresh = credential.Secret{}
		}
		kind := r.Provider.KindIssued(access.Reveal(), other.Kind)
		what := "the response also holds " + text.Line(kind.Label)
		if granted, said := grantedScopes(other.Response, scopes.Set{}, &r.Provider.Scopes, kind); said && granted.Len() > 0 {
			what += " (" + text.Line(granted.String()) + ")"
		}
		err := r.Revoke(ctx, &credential.Credential{Access: access, Refresh: refresh, Grant: scopes.Grant{Kind: kind.Kind}, ClientID: r.Client.ID})
		if err != nil {
			what += ", which is not used here and remains valid at the server: " + text.Line(err.Error())
		} else {
			what += ", which is not used here and was revoked"
		}
		if tell != nil {
			tell(what)
		}
	}
}

// revocation ends what this login obtained.
func (r *loginFlow) revocation() *Revocation {
	return &Revocation{HTTP: r.HTTP, Server: r.Server, Client: r.client, Provider: r.Provider, At: r.At}
}

// endOthers revokes the tokens that came and are not used, whatever has become of the one that is: that is
// kept by now.
func (r *loginFlow) endOthers(ctx context.Context) {
	lasting, cancel := signals.Outlive(ctx)
	defer cancel()
	for _, request := range r.came {
		r.revocation().unused(lasting, request, func(sentence string) { r.UI.tell("%s", sentence) })
	}
}

// giveBack revokes the tokens of a response that is not used.
func (r *loginFlow) giveBack(ctx context.Context, response *guard.Object) {
	err := r.revocation().Revoke(ctx, &credential.Credential{
		Access: credential.NewSecret(response.Text("access_token")), Refresh: credential.NewSecret(response.Text("refresh_token")),
	})
	if err != nil {
		r.UI.tell("the token that came is not used, and remains valid at the server: %v", text.Line(err.Error()))
		return
	}
	r.UI.tell("the token that came is not used, and was revoked")
}
