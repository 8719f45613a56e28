package oauth

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
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
// costs a login a second request. It returns what the token says; nil where there is none to read.
// Where the server's keys cannot be had,
// the rest is checked, and that is told: the token came straight from the token endpoint, whose
// certificate vouches for it (§3.1.3.7, number 6), and a code is not spent twice. Its times are the
// server's, and it has just come from there: they are compared with the server's clock, where that
// is known.
func (r *loginFlow) verifyIDToken(ctx context.Context, response *guard.Object, attempt *attempt, at moment) (*guard.Object, error) {
	raw := response.Text("id_token")
	if raw == "" || !attempt.scopes.Has(openID) {
		return nil, nil
	}
	hash := r.symmetricHash(raw)
	keys, noKeys := r.keysFor(ctx, hash)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	verifier := oidc.NewVerifier(r.Server.Issuer, keys, &oidc.Config{
		ClientID:                   r.client.ID,
		SupportedSigningAlgs:       r.algorithms(),
		Now:                        func() time.Time { return r.now().Add(-at.ahead - clockLeeway) },
		InsecureSkipSignatureCheck: noKeys != nil,
		SkipIssuerCheck:            r.IDTokenIssuer != "",
	})
	idToken, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, badIDToken(err)
	}
	if err := r.checkTokenIssuer(idToken); err != nil {
		return nil, badIDToken(err)
	}
	if attempt.nonce != "" && idToken.Nonce != attempt.nonce { // RFC 8628 has no place for one
		return nil, badIDToken(errors.New("its nonce is not the one that was sent"))
	}
	if err := r.checkParty(idToken); err != nil {
		return nil, badIDToken(err)
	}
	if idToken.AccessTokenHash != "" {
		if err := belongTogether(idToken, response.Text("access_token"), hash); err != nil {
			return nil, badIDToken(err)
		}
	}
	if noKeys != nil {
		r.UI.tell("the signature of the ID token is not checked: %v", noKeys)
	}
	var claims json.RawMessage
	if err := idToken.Claims(&claims); err != nil {
		return nil, badIDToken(err)
	}
	said, err := guard.ParseObject(claims)
	if err != nil {
		return nil, badIDToken(err)
	}
	return said, nil
}

// belongTogether checks that an ID token is about an access token (§3.1.3.8); hash is that of a
// symmetric signature, which go-oidc does not know.
func belongTogether(idToken *oidc.IDToken, access string, hash crypto.Hash) error {
	if hash == 0 {
		return idToken.VerifyAccessToken(access)
	}
	h := hash.New()
	_, _ = h.Write([]byte(access)) // a hash takes everything
	if half := h.Sum(nil)[:hash.Size()/2]; base64.RawURLEncoding.EncodeToString(half) != idToken.AccessTokenHash {
		return errors.New("it is about another access token")
	}
	return nil
}

// checkTokenIssuer checks who issued the ID token where the provider's file says that this is another
// than the server's issuer, as one with many tenants has it: each has an issuer of its own, in which a claim stands.
func (r *loginFlow) checkTokenIssuer(idToken *oidc.IDToken) error {
	if r.IDTokenIssuer == "" {
		return nil
	}
	var claims map[string]any
	if err := idToken.Claims(&claims); err != nil {
		return errors.New("its claims cannot be read")
	}
	if want, ok := provider.TokenIssuer(r.IDTokenIssuer, claims); !ok || idToken.Issuer != want {
		return errors.New("it was issued by another than " + text.Quote(r.IDTokenIssuer))
	}
	return nil
}

// checkParty checks to whom the ID token was issued, where it says so: one of several in its audience
// may be this client, and another the one that it was made for (§3.1.3.7, numbers 4 and 5).
func (r *loginFlow) checkParty(idToken *oidc.IDToken) error {
	var claims struct {
		Party any `json:"azp"`
	}
	if err := idToken.Claims(&claims); err != nil {
		return errors.New("its claims cannot be read")
	}
	if claims.Party != nil && claims.Party != r.client.ID {
		return errors.New("it was issued to another client, by its azp")
	}
	return nil
}

// symmetricHashes are those of the algorithms whose signatures prove something to a client with a
// secret (OpenID Connect Core 1.0 §3.1.3.7, number 8). The secret is as long as the hash, or longer
// (RFC 7518 §3.2).
var symmetricHashes = map[jose.SignatureAlgorithm]crypto.Hash{jose.HS256: crypto.SHA256, jose.HS384: crypto.SHA384, jose.HS512: crypto.SHA512}

func symmetric() []jose.SignatureAlgorithm { return slices.Sorted(maps.Keys(symmetricHashes)) }

// symmetricHash is the hash of the algorithm with which the client's secret signed an ID token; 0
// where it did not.
func (r *loginFlow) symmetricHash(raw string) crypto.Hash {
	token, err := jose.ParseSigned(raw, symmetric())
	if err != nil || len(token.Signatures) != 1 || r.client.Secret.Empty() {
		return 0
	}
	return symmetricHashes[jose.SignatureAlgorithm(token.Signatures[0].Header.Algorithm)]
}

// keysFor are the keys with which a signature is checked: the client's secret for a symmetric one,
// else the server's.
func (r *loginFlow) keysFor(ctx context.Context, hash crypto.Hash) (oidc.KeySet, error) {
	switch secret := r.client.Secret; {
	case hash == 0:
		return r.serverKeys(ctx)
	case len(secret.Reveal()) < hash.Size():
		return nil, fmt.Errorf("the client's secret is too short for it: %d bytes are needed", hash.Size())
	default:
		return secretKey{secret}, nil
	}
}

// A secretKey checks signatures that were made with a client's secret.
type secretKey struct{ secret credential.Secret }

// VerifySignature is what go-oidc asks a set of keys.
func (k secretKey) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	token, err := jose.ParseSigned(jwt, symmetric())
	if err != nil {
		return nil, err
	}
	return token.Verify([]byte(k.secret.Reveal()))
}

// tellNoIDToken says that an ID token did not come, though it was asked for and granted (OpenID
// Connect Core 1.0 §3.1.3.3). The login does not need one.
func (r *loginFlow) tellNoIDToken(response *guard.Object, attempt *attempt, granted scopes.Set) {
	if attempt.scopes.Has(openID) && granted.Has(openID) && response.Text("id_token") == "" {
		r.UI.tell("the server sent no ID token, though openid was requested and granted: nothing proves who logged in")
	}
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
	response, err := send(r.HTTP, req, text.Veil{})
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

// asymmetric are the algorithms whose signatures prove something to everybody. It is the server's
// keys that decide, whichever of them its metadata lists: such a list is often too short.
var asymmetric = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// algorithms are those of which this client can check a signature.
func (r *loginFlow) algorithms() []string {
	all := slices.Clone(asymmetric)
	if !r.client.Secret.Empty() {
		for _, algorithm := range symmetric() {
			all = append(all, string(algorithm))
		}
	}
	return all
}
