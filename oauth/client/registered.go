package client

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Registered is a client that a server registered at a program's own request (RFC 7591), and
// what it was registered for. The registration_access_token of RFC 7592 is not kept: nothing here
// changes a registration, and it is one secret less.
type Registered struct {
	Client
	Issuer       string     // which gave it; it is used at no other server
	RedirectURIs []string   // to which the server leads back
	Scopes       scopes.Set // which it may ask for; empty: the server was not told
	ExpiresAt    time.Time  // of the secret; zero: never
	Device       bool       // it may log in by a code for another device
}

// DeviceGrant is the grant type of a login by a code for another device (RFC 8628 §3.4).
const DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// Serves reports whether a login of later can use the registration: the same redirect URI ("": one by
// a code for another device), no scope that it was not registered for, and a secret that lives.
func (r *Registered) Serves(redirectURI string, asked scopes.Set, now time.Time) bool {
	living := r.ExpiresAt.IsZero() || r.Secret.Empty() || now.Before(r.ExpiresAt)
	led := redirectURI == "" && r.Device || slices.Contains(r.RedirectURIs, redirectURI)
	return living && led && (r.Scopes.Len() == 0 || asked.Minus(r.Scopes).Len() == 0)
}

// Port is that of the first registered redirect URI that has one; 0 where none has. To some
// servers it is a part of what they compare.
func (r *Registered) Port() int {
	for _, uri := range r.RedirectURIs {
		if u, err := url.Parse(uri); err == nil && u.Port() != "" {
			port, _ := strconv.Atoi(u.Port()) // url.Parse has checked it
			return port
		}
	}
	return 0
}

// kindRegistration tells a registration in a store from what is lent.
const kindRegistration scopes.Kind = "client_registration"

// A stored registration is the JSON of this, in place of an access token.
type stored struct {
	ID           string              `json:"id"`
	Secret       string              `json:"secret,omitempty"`
	Method       provider.AuthMethod `json:"method"`
	RedirectURIs []string            `json:"redirects"`
	Scopes       string              `json:"scope,omitempty"`
	Device       bool                `json:"device,omitempty"`
}

// Credential is the registration as a store keeps it: a client's id and secret are a credential too
// (RFC 6749 §2.3), and every store has the care for it that one wants.
func (r *Registered) Credential(now time.Time) (*credential.Credential, error) {
	text, err := json.Marshal(stored{r.ID, r.Secret.Reveal(), r.Method, r.RedirectURIs, r.Scopes.String(), r.Device})
	if err != nil {
		return nil, err
	}
	c := &credential.Credential{
		Access: credential.NewSecret(base64.RawURLEncoding.EncodeToString(text)), Issuer: r.Issuer, ClientID: r.ID, ObtainedAt: now,
	}
	c.Kind, c.ExpiresAt = kindRegistration, r.ExpiresAt
	return c, nil
}

var errNoRegistration = errors.New("it is not the registration of a client")

// FromCredential reads what [Registered.Credential] made, for the server of issuer.
func FromCredential(c *credential.Credential, issuer string) (*Registered, error) {
	text, err := base64.RawURLEncoding.DecodeString(c.Access.Reveal())
	if err != nil || c.Kind != kindRegistration || c.Issuer != issuer {
		return nil, errNoRegistration
	}
	var s stored
	if json.Unmarshal(text, &s) != nil || s.ID == "" || !slices.Contains(provider.AuthMethods(), string(s.Method)) {
		return nil, errNoRegistration
	}
	asked, err := scopes.ParseSet(s.Scopes)
	if err != nil {
		return nil, errNoRegistration
	}
	r := &Registered{Client: Client{ID: s.ID, Method: s.Method, ByServer: true}, Issuer: issuer, RedirectURIs: s.RedirectURIs, Scopes: asked, ExpiresAt: c.ExpiresAt, Device: s.Device}
	if s.Secret != "" {
		r.Secret = credential.NewSecret(s.Secret)
	}
	return r, nil
}
