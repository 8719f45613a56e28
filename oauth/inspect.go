package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// An Inspector asks a server what a credential holds, in the way that the provider's
// file gives for its kind: the provider's own self-inspection, or RFC 7662. Safe for
// concurrent use while nobody changes the fields.
type Inspector struct {
	// HTTP sends the question; it stands on [trust.Policy.Guard]. nil is a client that trusts
	// this machine alone.
	HTTP     *http.Client
	Provider *provider.Provider
	Server   provider.Server // which is asked
	// Metadata returns that of a server; asked only for a question of RFC 7662. nil: such
	// a question cannot be asked.
	Metadata func(ctx context.Context, s provider.Server) (*metadata.AuthorizationServer, error)
	Now      func() time.Time // for Retry-After; nil means [time.Now]
	// Wait waits out a short 429; nil is a timer. See [guard.Requester].
	Wait func(ctx context.Context, d time.Duration) error
	// Note is told what a response held that could not be read and was left out. nil: nobody.
	Note func(sentence string)
}

// Inspect returns the same credential with what the server says that it holds; of what
// the server does not say, what was known counts. It takes at most 10 s and sends one
// request; a 429 that asks for less than 5 s is waited out once.
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
	said, err := i.ask(ctx, server, c.Access)
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

func (i *Inspector) ask(ctx context.Context, server provider.Server, credential credential.Secret) (scopes.Grant, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	kind := i.Provider.KindOf(credential.Reveal())
	req, err := i.question(ctx, server, kind, credential)
	if err != nil {
		return scopes.Grant{}, err
	}
	response, err := sendBy(&guard.Requester{HTTP: orLoopback(i.HTTP), Now: i.Now, Wait: i.Wait}, req)
	if err != nil {
		if outer.Err() != nil {
			return scopes.Grant{}, context.Cause(outer)
		}
		return scopes.Grant{}, unanswered(err)
	}
	grant, err := readInspection(response, kind, i.Note)
	if err != nil {
		return scopes.Grant{}, err
	}
	grant.Server = server.Name
	grant.Prefix = credential.Shown(kind)
	return grant, nil
}

// question makes the request, which carries the credential as its own proof (RFC 6750
// §2.1).
func (i *Inspector) question(ctx context.Context, server provider.Server, kind provider.CredentialKind, secret credential.Secret) (*http.Request, error) {
	var req *http.Request
	var err error
	if kind.Inspect.Introspection {
		req, err = i.introspection(ctx, server, kind, secret)
	} else {
		target, ok := server.Expand(kind.Inspect.URL)
		if !ok || !kind.Inspect.Possible() {
			return nil, &NoInspectionError{Label: kind.Label, Server: server.Name}
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	}
	if err != nil {
		return nil, err
	}
	if !credential.IsSendable(secret.Reveal()) {
		return nil, &apikey.BadKeyError{Problem: apikey.Unsendable}
	}
	req.Header.Set("Authorization", "Bearer "+secret.Reveal())
	return req, nil
}

// introspection is RFC 7662 §2.1, or the same in JSON for servers that want it so.
func (i *Inspector) introspection(ctx context.Context, server provider.Server, kind provider.CredentialKind, credential credential.Secret) (*http.Request, error) {
	none := &NoInspectionError{Label: kind.Label, Server: server.Name}
	if i.Metadata == nil {
		return nil, none
	}
	known, err := i.Metadata(ctx, server)
	if err != nil {
		return nil, err
	}
	if known.IntrospectionEndpoint == "" {
		return nil, none
	}
	body, contentType := []byte(url.Values{"token": {credential.Reveal()}}.Encode()), formType
	if kind.Inspect.JSON {
		contentType = jsonType
		if body, err = json.Marshal(map[string]string{"token": credential.Reveal()}); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, known.IntrospectionEndpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	return req, nil
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)
