package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// defaultLoginTimeout is how long a login waits for the person: long enough to find a
// password and a second factor, short enough not to leave a listener open for a day.
const defaultLoginTimeout = 10 * time.Minute

// defaultQuiet is how long a login waits before it says for what: longer than most consents take, and
// shorter than the patience of someone before an error page, of which nobody here hears.
const defaultQuiet = 20 * time.Second

// ErrLoginTimeout says that no response came in time.
var ErrLoginTimeout = errors.New("the login was not finished in time")

// ErrPasteEnded says that what was pasted had an end, and no response was in it.
var ErrPasteEnded = errors.New("the login was not finished when the input ended")

// ErrNoClientID says that no client id is known for the server, and that there is no
// way to register one.
var ErrNoClientID = errors.New("no client id is known for this server")

// A Login gets a credential from the person at the browser: authorization code (RFC
// 6749 §4.1) with PKCE S256 (RFC 7636) for a native app (RFC 8252). Server and
// Redirect are needed, and Client or Register; the zero value of everything else is
// safe. A Login may be run more than once, and not changed or run twice at a time.
type Login struct {
	// HTTP sends the token request; it stands on [trust.Policy.Guard]. nil is a client that
	// trusts this machine alone.
	HTTP   *http.Client
	Server *metadata.AuthorizationServer

	Client client.Client
	// Register gets a client where Client has no id, for the redirect URI that was
	// just bound; see [Registration]. It is called once more where the server says that it does not
	// know that client; it returns the same again where there is no other.
	Register func(ctx context.Context, redirectURI string, unknown client.Client) (client.Client, error)
	// PreferPort is tried first where Redirect names no ports: that of an earlier registration. 0: none.
	PreferPort int

	// IDTokenIssuer is the iss of the server's ID tokens, where that is not its issuer: {name} stands
	// for the token's own claim of that name, one segment of a path. "": it is the issuer.
	IDTokenIssuer string

	PKCE bool // a login is safe also where the metadata does not say that the server uses PKCE with S256: it does, or the client's secret protects the code
	Push bool // the authorization request is pushed (RFC 9126), also where the server does not require it

	Redirect  provider.Redirect
	Authorize []provider.Parameter // extra parameters of the authorization request
	Resources []string             // whom the token is for, also at each renewal (RFC 8707 §2); none: not said
	Scopes    scopes.Set           // asked for; empty: the server's default (RFC 6749 §3.3)
	Hosts     []string             // recorded in [credential.Credential.Hosts]

	// Provider is what is known of the service: its kinds of credential, which members of the token
	// response hold their reach, how it writes scopes. nil: nothing.
	Provider *provider.Provider
	// At is the deployment that Provider's own way to revoke a token is for.
	At provider.Server
	// ServerFrom is the member of the token response that names the server; "" where
	// none does. What it says ends up in [credential.Credential.Server], and is the server's word:
	// look it up before using it.
	ServerFrom string

	// ConsentAt is asked before a person is sent to a page of that host to agree, where the server
	// names it in mid-login (RFC 8628): an error ends the login. nil: any.
	ConsentAt func(ctx context.Context, host string) error

	// Ready is called before the code is sent, which works once, before one for another device is
	// asked for, and before each request for the token of that: an error, such as that there is no place in which to keep what comes of it, ends the
	// login. nil: ready.
	Ready func(ctx context.Context) error

	Timeout time.Duration    // for the whole login; 0 means ten minutes
	Quiet   time.Duration    // after which the person is told what is waited for; 0 means twenty seconds
	Now     func() time.Time // nil means [time.Now]

	UI UI // the conversation with the person
}

// Run listens, sends the person to the authorization server, waits for the response, and
// exchanges the code. It sends one request (the token request), one before for a
// request that is pushed, one more for the server's keys where an ID token came for openid, and two to revoke each token that came
// and is not used. When it returns, however it does, nothing is left behind: no listener, no
// goroutine. Once the code is sent, the end of ctx is put off by [signals.Grace] at the most,
// and a credential that came is returned, not an error.
//
// Errors: *[ProtocolError], [ErrNoClientID] and [ErrPortsTaken] before anything is opened;
// [ErrLoginTimeout], [ErrPasteEnded], or ctx's own cause; *[AuthorizationError] and
// *[IssuerError] for the response; *[ResponseError], *[ProtocolError],
// *[trust.UntrustedHostError] and [metadata.Error] for the exchange.
func (l *Login) Run(ctx context.Context) (*credential.Credential, error) {
	if err := CheckServer(l.Server, l.Push, l.PKCE); err != nil {
		return nil, err
	}
	timeout := l.Timeout
	if timeout <= 0 {
		timeout = defaultLoginTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, ErrLoginTimeout)
	defer cancel()
	at, err := listen(ctx, l.Redirect, l.PreferPort)
	if err != nil {
		return nil, err
	}
	who, err := l.client(ctx, at.redirectURI())
	if err != nil {
		at.close()
		return nil, err
	}
	run := &loginFlow{Login: l, at: at, client: who}
	defer run.endOthers(ctx)
	if err := run.ask(ctx, l.Scopes, l.Resources); err != nil {
		at.close()
		return nil, err
	}
	// The start page shows the state, and its address does not: a browser gets that as an argument, which
	// other users of this machine can read.
	at.start = "/" + rand.Text()
	return run.serve(ctx)
}

func (l *Login) client(ctx context.Context, redirectURI string) (client.Client, error) {
	switch {
	case l.Client.ID != "":
		return l.Client, nil
	case l.Register == nil:
		return client.Client{}, ErrNoClientID
	}
	return l.Register(ctx, redirectURI, client.Client{})
}

func (l *Login) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}
