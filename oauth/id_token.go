package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// badIDToken is an ID token that does not prove what it should (OpenID Connect Core 1.0
// §3.1.3.7). The access token that came with it is not used.
func badIDToken(err error) error {
	return &ProtocolError{Problem: "the ID token is not valid", Err: err}
}

// verifyIDToken checks the ID token, if openid was asked for and one came: signature,
// issuer, audience, expiry, nonce, and that it belongs to the access token. Only this
// costs a login a second request. Its content is not used. Where the server's keys cannot be had,
// the rest is checked, and that is told: the token came straight from the token endpoint, whose
// certificate vouches for it (§3.1.3.7, number 6), and a code is not spent twice. Its times are the
// server's, and it has just come from there: they are compared with the server's clock, where that
// is known.
func (r *loginFlow) verifyIDToken(ctx context.Context, response *guard.Object, attempt *attempt, at moment) error {
	raw := response.Text("id_token")
	if raw == "" || attempt.nonce == "" {
		return nil
	}
	keys, noKeys := r.serverKeys(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	verifier := oidc.NewVerifier(r.Server.Issuer, keys, &oidc.Config{
		ClientID:                   r.client.ID,
		SupportedSigningAlgs:       signingAlgorithms(r.Server.IDTokenSigningAlgValuesSupported),
		Now:                        func() time.Time { return r.now().Add(-at.ahead - clockLeeway) },
		InsecureSkipSignatureCheck: noKeys != nil,
	})
	idToken, err := verifier.Verify(ctx, raw)
	if err != nil {
		return badIDToken(err)
	}
	if idToken.Nonce != attempt.nonce {
		return badIDToken(errors.New("its nonce is not the one that was sent"))
	}
	if idToken.AccessTokenHash != "" {
		if err := idToken.VerifyAccessToken(response.Text("access_token")); err != nil {
			return badIDToken(err)
		}
	}
	if noKeys != nil {
		r.UI.tell("the signature of the ID token is not checked: %v", noKeys)
	}
	return nil
}

// serverKeys fetches the server's key set (RFC 7517 §5). go-oidc would do so too, but
// in a goroutine that outlives a cancelled login, and with the whole response in its
// errors. A key that is no public signature key of a known type is passed over.
func (r *loginFlow) serverKeys(ctx context.Context) (*oidc.StaticKeySet, error) {
	if r.Server.JWKSURI == "" {
		return nil, errors.New("the server's metadata names no jwks_uri")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Server.JWKSURI, nil)
	if err != nil {
		return nil, err
	}
	response, err := send(r.HTTP, req)
	if err != nil {
		return nil, err
	}
	if response.Status != http.StatusOK {
		return nil, fmt.Errorf("the server's keys cannot be read: status %s", guard.StatusText(response.Status))
	}
	set, err := response.Object()
	if err != nil {
		return nil, fmt.Errorf("the server's keys cannot be read: their document %w", err)
	}
	known := &oidc.StaticKeySet{}
	for _, raw := range set.Elements("keys") {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.Valid() && key.IsPublic() && key.Use != "enc" {
			known.PublicKeys = append(known.PublicKeys, key.Key)
		}
	}
	if len(known.PublicKeys) == 0 {
		return nil, errors.New("the server's keys cannot be read: none is a public key for signatures, of a known type")
	}
	return known, nil
}

// signingAlgorithms are those offered ones that prove something to a public client: not
// "none", and none with a shared secret. Where nothing is offered, go-oidc takes RS256,
// which every OpenID server must have (OpenID Connect Discovery 1.0 §3).
func signingAlgorithms(offered []string) []string {
	asymmetric := []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
		oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
	}
	return slices.DeleteFunc(asymmetric, func(name string) bool { return !slices.Contains(offered, name) })
}
