package oauth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"golang.org/x/oauth2"
)

// randomBytes is the size of state and nonce: 256 bits cannot be guessed (RFC 6749
// §10.10 wants 128 at least).
const randomBytes = 32

// openID is the scope that makes a request one of OpenID Connect.
const openID = "openid"

// An attempt is one authorization request and what its response is checked against.
// Everything in the URL may be seen by others on this machine: the state and the
// challenge are random and serve once, and the verifier is not in it (RFC 7636 §1).
type attempt struct {
	scopes    scopes.Set
	resources []string // RFC 8707 §2
	state     string
	nonce     string // "" unless openid is asked for
	verifier  string
	url       string
	answered  atomic.Bool // a code works once, so one response is taken
}

// hasState compares in constant time.
func (a *attempt) hasState(state string) bool {
	return subtle.ConstantTimeCompare([]byte(a.state), []byte(state)) == 1
}

// newAttempt builds the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3).
func (l *Login) newAttempt(config *oauth2.Config, asked scopes.Set, resources []string) (*attempt, error) {
	a := &attempt{scopes: asked, resources: resources, state: random(), verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier)}
	more, err := l.parameters(asked)
	if err != nil {
		return nil, err
	}
	for _, p := range more {
		options = append(options, oauth2.SetAuthURLParam(p.Name, p.Value))
	}
	if asked.Has(openID) {
		a.nonce = random()
		options = append(options, oauth2.SetAuthURLParam("nonce", a.nonce))
	}
	config.Scopes = nil
	if scope := l.scopeParameter(asked); scope != "" {
		options = append(options, oauth2.SetAuthURLParam("scope", scope))
	}
	a.url = config.AuthCodeURL(a.state, options...)
	for _, resource := range resources { // RFC 8707 §2 allows several
		a.url += "&resource=" + url.QueryEscape(resource)
	}
	return a, nil
}

// parameters are those of the authorization request that are not the protocol's own.
func (l *Login) parameters(asked scopes.Set) ([]provider.Parameter, error) {
	for _, p := range l.Authorize {
		if slices.Contains(provider.ReservedParameters(), p.Name) {
			return nil, fmt.Errorf("%q cannot be an extra authorization parameter: it is the protocol's own", p.Name)
		}
	}
	list := slices.Clone(l.Authorize)
	if asked.Has(credential.OfflineAccess) && !slices.ContainsFunc(list, func(p provider.Parameter) bool { return p.Name == "prompt" }) {
		list = append(list, provider.Parameter{Name: "prompt", Value: "consent"}) // OpenID Connect Core §11: ignored without
	}
	return list, nil
}

// scopeParameter is the value of scope in a request (RFC 6749 §3.3), as the service wants it.
func (l *Login) scopeParameter(asked scopes.Set) string {
	if l.Provider == nil {
		return asked.String()
	}
	return l.Provider.Scopes.Parameter(asked)
}

func random() string {
	b := make([]byte, randomBytes)
	_, _ = rand.Read(b) // it ends the program rather than fail
	return base64.RawURLEncoding.EncodeToString(b)
}
