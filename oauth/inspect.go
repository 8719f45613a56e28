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
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// elsewhereTimeout bounds the look at all other servers together: someone already
// waits with a refusal, and this only explains it.
const elsewhereTimeout = 3 * time.Second

// An Inspector asks a server what a credential holds, in the way that the provider's
// file gives for its kind: the provider's own self-inspection, or RFC 7662. Safe for
// concurrent use while nobody changes the fields.
type Inspector struct {
	// HTTP sends the question; it stands on [Trust.Guard]. nil is a client that trusts
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
}

// Inspect returns what the server says that the credential holds. It takes at most
// 10 s and sends one request; a 429 that asks for less than 5 s is waited out once.
//
// Errors: *[NoInspectionError] where nobody can be asked; *[RejectedError] where the
// server does not know the credential; *[UntrustedHostError]; ctx's own; those of
// Metadata; and *[UnansweredError] for everything else that is not a plain response, so
// that a server in trouble never looks like a missing scope.
func (i *Inspector) Inspect(ctx context.Context, credential credential.Secret) (scopes.Grant, error) {
	return i.ask(ctx, i.Server, credential)
}

// Elsewhere asks the same question of those other servers that the provider's file
// marks for it, all at once and for 3 s at most, and returns the first in the file's
// order that knows the credential. It is for one that the right server rejected.
func (i *Inspector) Elsewhere(ctx context.Context, credential credential.Secret) (server provider.Server, grant scopes.Grant, found bool) {
	ctx, cancel := context.WithTimeout(ctx, elsewhereTimeout)
	defer cancel()
	type outcome struct {
		server provider.Server
		grant  chan *scopes.Grant
	}
	var outcomes []outcome
	for _, s := range i.Provider.Servers {
		if !s.AskOn401 || s.Name == i.Server.Name {
			continue
		}
		o := outcome{s, make(chan *scopes.Grant, 1)}
		outcomes = append(outcomes, o)
		go func() {
			defer close(o.grant)
			if g, err := i.ask(ctx, s, credential); err == nil {
				o.grant <- &g
			}
		}()
	}
	for _, o := range outcomes {
		if g := <-o.grant; g != nil {
			return o.server, *g, true
		}
	}
	return provider.Server{}, scopes.Grant{}, false
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
	grant, err := readInspection(response, kind)
	if err != nil {
		return scopes.Grant{}, err
	}
	grant.Server = server.Name
	grant.Credential.Prefix = shown(credential, kind)
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
		return nil, &BadKeyError{Problem: "has a character in it that no key has"}
	}
	req.Header.Set("Authorization", "Bearer "+secret.Reveal())
	req.Header.Set("Accept", "application/json")
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
