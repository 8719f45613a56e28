package ambit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A ClientSecretError says that the secret of the client that the provider's file names cannot be
// had. It holds nothing of it.
type ClientSecretError struct {
	Source provider.SecretSource
	Err    error
}

// Error names the place, and what is wrong with it.
func (e *ClientSecretError) Error() string {
	if bad, ok := errors.AsType[*apikey.BadKeyError](e.Err); ok {
		return "the client's secret: " + bad.Error()
	}
	return fmt.Sprintf("the client's secret: %s %s", text.Line(e.Source.String()), text.Line(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *ClientSecretError) Unwrap() error { return e.Err }

// clientWithID is who has an id at a server: the client that the provider's file names, with its secret,
// the one that it registered for this program, as the store of the login has it, or else a public one.
func (s *Session) clientWithID(ctx context.Context, at provider.Server, id string, in store.Store) (client.Client, error) {
	p := s.Provider().Client
	source := p.SecretFor(at.Name)
	if id != "" && id != p.IDFor(at.Name) {
		if kept := s.registrationAt(ctx, at, in); kept != nil && kept.ID == id {
			return kept.Client, nil
		}
		return client.Public(id), nil
	}
	if id == "" || source == (provider.SecretSource{}) {
		return client.Public(id), nil
	}
	secret, err := s.clientSecret(ctx, at, source)
	if err != nil {
		return client.Client{}, err
	}
	documents, err := s.documents()
	if err != nil {
		return client.Client{}, err
	}
	var listed []string
	if p.Method == "" {
		as, err := documents.AuthorizationServer(ctx, at.Issuer)
		if err != nil {
			return client.Client{}, err
		}
		listed = as.TokenEndpointAuthMethodsSupported
	}
	return client.Client{ID: id, Secret: secret, Method: client.MethodFor(listed, p.Method)}, nil
}

// clientID is the id of the client that a login is to use, in this order: one that is registered by
// hand, the URL of a document where the server reads such, and "" where the client has to register
// itself. The error is a *[NoClientError].
func (p *Plan) clientID() (string, error) {
	at := p.Session.Server()
	id := p.Session.Provider().Client.IDFor(at.Name)
	if id != "" && (!provider.IsDocument(id) || p.Server.ClientIDMetadataDocumentSupported) {
		return id, nil
	}
	if p.Server.RegistrationEndpoint == "" {
		return "", &NoClientError{Issuer: at.Issuer, Document: id, Redirect: redirectOf(p.Session.Provider())}
	}
	return "", nil
}

// A LoginClient is who a login would be at the server, and what the server has to know of it.
type LoginClient struct {
	ID       string            // "" where the client registers itself
	Redirect provider.Redirect // to which the server leads back
	Err      error             // a *[NoClientError] where no login is possible; else nil
}

// LoginClient is the client of the login that the plan is for.
func (p *Plan) LoginClient() LoginClient {
	id, err := p.clientID()
	return LoginClient{ID: id, Redirect: redirectOf(p.Session.Provider()), Err: err}
}

// errForeignServer is why a secret is not sent to a server that only the command line named.
var errForeignServer = errors.New("is for the servers that the provider file names, and this is none of them")

// clientSecret reads the secret of the client at a server. A file may name a place of secrets only
// for hosts that the user confirmed, as one may name a variable that holds a key: else a cloned
// repository could have any secret of the user's sent away. The error is a *[ClientSecretError] or
// an *[UntrustedHostError].
func (s *Session) clientSecret(ctx context.Context, at provider.Server, source provider.SecretSource) (credential.Secret, error) {
	c, p := confirmed{s.opt}, s.Provider()
	if known, ok := p.Lookup(at.Issuer); !ok || known.Issuer != at.Issuer {
		return credential.Secret{}, &ClientSecretError{Source: source, Err: errForeignServer}
	}
	if hosts := s.At(at).hosts(); p.File != "" && !c.all(hosts) {
		return credential.Secret{}, &trust.UntrustedHostError{Hosts: c.unconfirmed(hosts), NamedBy: p.File}
	}
	secret, err := s.readSecret(ctx, source)
	if err != nil {
		if bad, ok := errors.AsType[*apikey.BadKeyError](err); ok {
			bad.Source = source.String()
		}
		return credential.Secret{}, &ClientSecretError{Source: source, Err: err}
	}
	for _, note := range secret.Notes {
		s.opt.UI.note(text.Line(source.String()) + ": " + text.Line(note))
	}
	return secret.Secret, nil
}

var (
	errNotSet = errors.New("is not set")
	errNoItem = errors.New("is not there")
)

// readSecret reads it as a key is read: without what people paste around one.
func (s *Session) readSecret(ctx context.Context, source provider.SecretSource) (apikey.Text, error) {
	switch {
	case source.Variable != "":
		value, set := s.opt.env().Lookup(source.Variable)
		if !set {
			return apikey.Text{}, errNotSet
		}
		return apikey.Read(value)
	case source.File != "":
		path := source.File
		if inHome, ok := strings.CutPrefix(path, "~/"); ok {
			path = filepath.Join(s.opt.env().Get("HOME"), inHome)
		}
		found, err := apikey.Find(apikey.Sources{File: path})
		return found.Text, err
	}
	item, err := store.ClientSecret(ctx, source.Keyring)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return apikey.Text{}, errNoItem
	case err != nil:
		return apikey.Text{}, err
	}
	return apikey.Read(item.Reveal())
}
