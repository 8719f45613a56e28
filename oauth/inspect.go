package oauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Inspector asks a server what a credential holds, in the way that the provider's
// file gives for its kind: the provider's own self-inspection, or RFC 7662. About a login for
// whose kind it gives none, it asks as the server's metadata offers: by RFC 7662, else by
// OpenID Connect's userinfo, which says only whether the credential is accepted. Safe for
// concurrent use while nobody changes the fields.
type Inspector struct {
	// HTTP sends the question; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP     *http.Client
	Provider *provider.Provider
	Server   provider.Server // which is asked
	// Metadata returns that of a server; it is not read where the provider's file names a URL.
	// nil: only such a URL can be asked.
	Metadata func(ctx context.Context, s provider.Server) (*metadata.AuthorizationServer, error)
	// Client returns the client of an id at a server, which is who introspects. nil: it is a public one.
	Client func(ctx context.Context, at provider.Server, id string) (client.Client, error)
	Now    func() time.Time // for Retry-After; nil means [time.Now]
	// Wait waits out a short 429; nil is a timer. See [guard.Requester].
	Wait func(ctx context.Context, d time.Duration) error
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)
}

// Inspect returns the same credential with what the server says that it holds; of what
// the server does not say, what was known counts. A request takes at most 10 s, and there is
// one, or two where an advertised way leads nowhere; a 429 that asks for less than 5 s is waited
// out once.
//
// Errors: *[NoInspectionError] where nobody can be asked; *[RejectedError] where the
// server does not know the credential; *[trust.UntrustedHostError]; ctx's own; those of
// Metadata; and *[UnansweredError] for everything else that is not a plain response, so
// that a server in trouble never looks like a missing scope.
func (i *Inspector) Inspect(ctx context.Context, c *credential.Credential) (*credential.Credential, error) {
	said, err := i.inspect(ctx, i.Server, c)
	if err != nil {
		return nil, err
	}
	return c.Holding(said), nil
}

// inspect asks one server; what it does not say is as it was known.
func (i *Inspector) inspect(ctx context.Context, server provider.Server, c *credential.Credential) (scopes.Grant, error) {
	said, err := i.ask(ctx, server, c)
	if err != nil {
		return scopes.Grant{}, err
	}
	said.Source = c.Source
	if said.ExpiresAt.IsZero() {
		said.ExpiresAt = c.ExpiresAt
	}
	if said.Kind == scopes.UnknownKind && c.Kind != "" {
		said.Kind = c.Kind
	}
	return said, nil
}

// ask asks in the way that the provider's file gives; about a login for which it gives none,
// in those that the server advertises.
func (i *Inspector) ask(ctx context.Context, server provider.Server, c *credential.Credential) (scopes.Grant, error) {
	if !credential.IsSendable(c.Access.Reveal()) {
		return scopes.Grant{}, &apikey.BadKeyError{Problem: apikey.Unsendable}
	}
	kind := c.KindAt(i.Provider)
	if kind.Inspect.URL != "" {
		return i.inspectItself(ctx, server, kind, c)
	}
	none := &NoInspectionError{Label: kind.Label, Server: server.Name}
	if i.Metadata == nil || !kind.Inspect.Possible() && !c.Issued() {
		return scopes.Grant{}, none
	}
	known, err := i.Metadata(ctx, server)
	switch {
	case err != nil && !kind.Inspect.Possible():
		return scopes.Grant{}, unanswered(err)
	case err != nil:
		return scopes.Grant{}, err
	case !kind.Inspect.Possible():
		return i.askAsAdvertised(ctx, known, server, kind, c)
	case known.IntrospectionEndpoint == "":
		return scopes.Grant{}, none
	}
	return i.introspect(ctx, known.IntrospectionEndpoint, server, kind, c)
}

// askAsAdvertised asks about a login by what the server's metadata names: introspection (RFC
// 7662) says what it holds, userinfo (OpenID Connect Core §5.3) only whether it is accepted. A
// server that refuses whoever asks says nothing of the credential: nobody can be asked then.
func (i *Inspector) askAsAdvertised(ctx context.Context, known *metadata.AuthorizationServer, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (scopes.Grant, error) {
	none := &NoInspectionError{Label: kind.Label, Server: server.Name}
	if known.IntrospectionEndpoint != "" {
		kind.Inspect.Introspection = true
		grant, err := i.introspect(ctx, known.IntrospectionEndpoint, server, kind, c)
		if !refusesToAnswer(err) {
			return grant, err
		}
		none.Why = err.Error()
	}
	if known.UserinfoEndpoint != "" && c.Scopes.Has(openIDScope) {
		err := i.userinfo(ctx, known.UserinfoEndpoint, c)
		if !refusesToAnswer(err) {
			return c.Grant, err
		}
		none.Why = err.Error()
	}
	return scopes.Grant{}, none
}

// openIDScope is the scope with which a server serves userinfo (OpenID Connect Core §5.3).
const openIDScope = "openid"

// refusesToAnswer reports whether an error is of a server that refuses the question, whatever is
// asked, or of one that may not be asked.
func refusesToAnswer(err error) bool {
	if _, untrusted := errors.AsType[*trust.UntrustedHostError](err); untrusted {
		return true
	}
	e, silent := errors.AsType[*UnansweredError](err)
	return silent && e.Refused()
}

// userinfo asks whether the server accepts the credential; nil where it does.
func (i *Inspector) userinfo(ctx context.Context, endpoint string, c *credential.Credential) error {
	response, err := i.send(ctx, http.MethodGet, endpoint, nil, nil, &c.Access)
	if err != nil {
		return err
	}
	return readUserinfo(response)
}

// inspectItself is a GET with the credential as its own proof (RFC 6750 §2.1).
func (i *Inspector) inspectItself(ctx context.Context, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (scopes.Grant, error) {
	target, ok := server.Expand(kind.Inspect.URL)
	if !ok {
		return scopes.Grant{}, &NoInspectionError{Label: kind.Label, Server: server.Name}
	}
	response, err := i.send(ctx, http.MethodGet, target, nil, nil, &c.Access)
	if err != nil {
		return scopes.Grant{}, err
	}
	grant, err := readInspection(response, kind, i.Note)
	return i.said(server, kind, c, grant), err
}

// introspect is RFC 7662 §2.1, or the same in JSON for servers that want it so. Who asks is the
// token itself where the provider's file says so, else the client to which it was given.
func (i *Inspector) introspect(ctx context.Context, endpoint string, server provider.Server, kind provider.CredentialKind, c *credential.Credential) (scopes.Grant, error) {
	members, header := map[string]string{"token": c.Access.Reveal()}, make(http.Header)
	bearer := &c.Access
	if !kind.Inspect.Bearer {
		who, err := i.clientAt(ctx, server, c)
		if err != nil {
			return scopes.Grant{}, err
		}
		bearer = nil
		who.Authenticate(header, func(name, value string) { members[name] = value })
	}
	body, contentType, err := encodeMembers(members, kind.Inspect.JSON)
	if err != nil {
		return scopes.Grant{}, err
	}
	header.Set("Content-Type", contentType)
	response, err := i.send(ctx, http.MethodPost, endpoint, header, body, bearer)
	if err != nil {
		return scopes.Grant{}, err
	}
	grant, err := readInspection(response, kind, i.Note)
	switch {
	case err != nil:
		return scopes.Grant{}, err
	case grant.KnownBy != "":
		return i.said(server, kind, c, grant), nil
	case c.KnownBy != "": // the credential lives; what it holds is as it was known
		return c.Grant, nil
	}
	return scopes.Grant{}, unclearInspection(response, "JSON without a usable %q", introspectedScopes(kind.Inspect))
}

// clientAt is the client as which this program asks a server: that to which the server gave
// the credential, else that of the provider's file.
func (i *Inspector) clientAt(ctx context.Context, server provider.Server, c *credential.Credential) (client.Client, error) {
	id := cmp.Or(i.Provider.Client.IDFor(server.Name), c.ClientID)
	if c.ClientID != "" && c.Issuer == server.Issuer {
		id = c.ClientID
	}
	if i.Client == nil {
		return client.Public(id), nil
	}
	return i.Client(ctx, server, id)
}

func encodeMembers(members map[string]string, asJSON bool) (body []byte, contentType string, err error) {
	if asJSON {
		body, err = json.Marshal(members)
		return body, jsonType, err
	}
	form := make(url.Values, len(members))
	for name, value := range members {
		form.Set(name, value)
	}
	return []byte(form.Encode()), formType, nil
}

// said adds to a grant what follows from who was asked about which credential.
func (i *Inspector) said(server provider.Server, kind provider.CredentialKind, c *credential.Credential, grant scopes.Grant) scopes.Grant {
	grant.Server = server.Name
	grant.Prefix = c.Access.Shown(kind)
	return grant
}

// send sends one question; bearer is who asks (RFC 6750 §2.1), nil for nobody in the header.
func (i *Inspector) send(ctx context.Context, method, target string, header http.Header, body []byte, bearer *credential.Secret) (*guard.Response, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	if bearer != nil {
		req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	}
	response, err := sendBy(&guard.Requester{HTTP: orLoopback(i.HTTP), Now: i.Now, Wait: i.Wait, Waits: tellingOfWaits(i.Note)}, req)
	if err != nil && outer.Err() != nil {
		return nil, context.Cause(outer)
	}
	if err != nil {
		return nil, unanswered(err)
	}
	return response, nil
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)
