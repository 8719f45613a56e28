package ambit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ambit-auth/ambit/internal/files"
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
	Proof  provider.Proof // what should be there, where that is no secret
	Err    error
}

// Error names the place, and what is wrong with it.
func (e *ClientSecretError) Error() string {
	what := "secret"
	if e.Proof != "" {
		what = strings.ReplaceAll(string(e.Proof), "_", " ")
	}
	if bad, ok := errors.AsType[*apikey.BadKeyError](e.Err); ok {
		return "the client's " + what + ": " + bad.Error()
	}
	return fmt.Sprintf("the client's %s: %s %s", what, text.Line(e.Source.String()), text.Line(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *ClientSecretError) Unwrap() error { return e.Err }

// clientWithID is who has an id at a server: the client that the provider's file names, with its secret,
// the one that it registered for this program, as the store of the login has it, or else a public one.
func (s *Session) clientWithID(ctx context.Context, at provider.Server, id string, in store.Store) (client.Client, error) {
	p := s.Provider().Client
	source := p.SecretFor(at.Name)
	if id != "" && id != p.IDFor(at.Name) {
		if kept := s.registrationOf(ctx, at, id, in); kept != nil {
			return kept.Client, nil
		}
		return client.Public(id), nil
	}
	if id == "" || source == (provider.SecretSource{}) {
		return client.Public(id), nil
	}
	if err := s.mayReadSecret(at, source); err != nil {
		return client.Client{}, err
	}
	if p.Proof != "" {
		return s.provingClient(ctx, at, id, source)
	}
	secret, err := s.clientSecret(ctx, source)
	if err != nil {
		return client.Client{}, err
	}
	var listed []string
	if p.Method == "" {
		as, err := s.metadataOf(ctx, at)
		if err != nil {
			return client.Client{}, err
		}
		listed = as.TokenEndpointAuthMethodsSupported
	}
	return client.Client{ID: id, Secret: secret, Method: client.MethodFor(listed, p.Method)}, nil
}

// clientOf is clientWithID for a login that there is: it may have come without the secret.
func (s *Session) clientOf(ctx context.Context, at provider.Server, id string, in store.Store) (client.Client, error) {
	who, err := s.clientWithID(ctx, at, id, in)
	if _, none := errors.AsType[*ClientSecretError](err); none && s.Provider().Client.CodeOnly {
		return client.Public(id), nil
	}
	return who, err
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
		return "", &NoClientError{Issuer: at.Issuer, Document: id, Redirect: p.Session.Provider().Client.RedirectTo()}
	}
	return "", nil
}

// A LoginClient is who a login would be at the server, and what the server has to know of it.
type LoginClient struct {
	ID       string            // "" where the client registers itself
	Redirect provider.Redirect // to which the server leads back
	Err      error             // a *[NoClientError] or a *[NoLoginError] where no login is possible; else nil
}

// LoginClient is the client of the login that the plan is for.
func (p *Plan) LoginClient() LoginClient {
	id, err := p.clientID()
	if server := p.Session.Server(); server.NoLogin {
		err = &NoLoginError{Server: server}
	}
	redirect := p.Session.Provider().Client.RedirectTo()
	if id == "" && err == nil {
		redirect = ownRedirect(p.Session.Provider(), p.Session.Server().Issuer)
	}
	return LoginClient{ID: id, Redirect: redirect, Err: err}
}

// errForeignServer is why a secret is not sent to a server that only the command line named.
var errForeignServer = errors.New("is for the servers that the provider file names, and this is none of them")

// mayReadSecret returns an error where a place of secrets may not be read for a server. A file may name a place of secrets only
// for hosts that the user confirmed, as one may name a variable that holds a key: else a cloned
// repository could have any secret of the user's sent away. The error is a *[ClientSecretError] or
// an *[UntrustedHostError].
func (s *Session) mayReadSecret(at provider.Server, source provider.SecretSource) error {
	c, p := confirmed{s.opt, s}, s.Provider()
	if known, ok := p.Lookup(at.Issuer); !ok || known.Issuer != at.Issuer {
		return &ClientSecretError{Source: source, Proof: p.Client.Proof, Err: errForeignServer}
	}
	hosts := s.At(at).hosts()
	if !p.OwnWays && len(p.OwnHosts) == 0 { // the file says as which client, and nothing of where that goes
		hosts = (&provider.Provider{Servers: []provider.Server{{Issuer: at.Issuer, Metadata: at.Metadata}}}).Hosts()
	}
	if source.Public == "" && p.File != "" && !c.all(hosts) {
		return &trust.UntrustedHostError{Hosts: c.unconfirmed(hosts), NamedBy: p.File}
	}
	return nil
}

// clientSecret reads the secret of the client. The error is a *[ClientSecretError].
func (s *Session) clientSecret(ctx context.Context, source provider.SecretSource) (credential.Secret, error) {
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

// readSecret reads it without what people paste around one.
func (s *Session) readSecret(ctx context.Context, source provider.SecretSource) (apikey.Text, error) {
	switch {
	case source.Public != "":
		return apikey.ReadSecret(source.Public)
	case source.Variable != "":
		value, set := s.opt.env().Lookup(source.Variable)
		if !set {
			return apikey.Text{}, errNotSet
		}
		return apikey.ReadSecret(value)
	case source.File != "":
		return files.While(ctx, func() (apikey.Text, error) { return apikey.SecretInFile(s.pathOf(source)) })
	}
	item, err := store.ClientSecret(ctx, source.Keyring)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return apikey.Text{}, errNoItem
	case err != nil:
		return apikey.Text{}, err
	}
	return apikey.ReadSecret(item.Reveal())
}

// pathOf is the path of a source that is a file.
func (s *Session) pathOf(source provider.SecretSource) string {
	if inHome, ok := strings.CutPrefix(source.File, "~/"); ok {
		return filepath.Join(s.opt.env().Get("HOME"), inHome)
	}
	return source.File
}

// provingClient is the client of the provider's file that proves itself by an assertion: one that it
// signs, or one that somebody else has signed for it, read anew each time, since a platform puts
// another one in its place. The error is a *[ClientSecretError], or that of the metadata.
func (s *Session) provingClient(ctx context.Context, at provider.Server, id string, source provider.SecretSource) (client.Client, error) {
	p := s.Provider().Client
	wrong := func(err error) error { return &ClientSecretError{Source: source, Proof: p.Proof, Err: err} }
	raw, err := s.readLong(ctx, source)
	if err != nil {
		return client.Client{}, wrong(err)
	}
	if p.Proof == provider.ProofAssertion {
		if raw = strings.TrimSpace(raw); !client.IsAssertion(raw) {
			return client.Client{}, wrong(errNoAssertion)
		}
		return client.Vouched(id, credential.NewSecret(raw)), nil
	}
	as, err := s.metadataOf(ctx, at)
	if err != nil {
		return client.Client{}, err
	}
	key, err := client.ReadKey(raw, p.KeyID, as.TokenEndpointAuthSigningAlgValuesSupported)
	if err != nil {
		return client.Client{}, wrong(err)
	}
	tokenEndpoint := ""
	if p.ForToken {
		tokenEndpoint = as.TokenEndpoint
	}
	return client.Proving(id, key, as.Issuer, tokenEndpoint, s.opt.Now), nil
}

var (
	errNoAssertion = errors.New("is not a signed JWT")
	errEmpty       = errors.New("is empty")
)

// maxProof bounds a key or an assertion in bytes: that of RSA with 8192 bits has 7 KiB.
const maxProof = 64 << 10

// readLong reads what has lines of its own. In a variable, pipelines write the end of a line as \n.
func (s *Session) readLong(ctx context.Context, source provider.SecretSource) (raw string, err error) {
	switch {
	case source.Variable != "":
		value, set := s.opt.env().Lookup(source.Variable)
		if !set {
			return "", errNotSet
		}
		if raw = value; strings.HasPrefix(strings.TrimSpace(raw), "-----BEGIN") {
			raw = strings.ReplaceAll(raw, `\n`, "\n")
		}
	case source.File != "":
		data, err := files.While(ctx, func() ([]byte, error) {
			return files.Read(s.pathOf(source), files.Rule{Links: true, Streams: true, Limit: maxProof})
		})
		if err != nil {
			return "", fmt.Errorf("cannot be read: %w", files.Pathless(err))
		}
		raw = string(data)
	default:
		item, err := store.ClientSecret(ctx, source.Keyring)
		if errors.Is(err, store.ErrNotFound) {
			return "", errNoItem
		}
		if err != nil {
			return "", err
		}
		raw = item.Reveal()
	}
	if strings.TrimSpace(raw) == "" {
		return "", errEmpty
	}
	return raw, nil
}
