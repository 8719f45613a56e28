package client

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/go-jose/go-jose/v4"
)

// A Key is the private key of a client, with which it signs who it is (private_key_jwt; RFC 7523
// §2.2, OpenID Connect Core §9). It cannot print itself.
type Key struct {
	signer func(options *jose.SignerOptions) (jose.Signer, error)
}

// minRSA is what RFC 7518 §3.3 requires, in bits.
const minRSA = 2048

var (
	errNotAKey   = errors.New("is no private key: it is neither PEM nor a JWK")
	errPublicKey = errors.New("is a public key: the client signs with the private one")
	errEncrypted = errors.New("is a key with a passphrase, which nobody is asked for: keep it without one, where only this program can read it")
	errKeyKind   = errors.New("is a key of a kind that signs no assertion: RSA, EC (P-256, P-384, P-521) and Ed25519 do")
	errShortKey  = errors.New("is an RSA key of less than 2048 bits (RFC 7518 §3.3)")
	errBadKey    = errors.New("is a private key that cannot be read")
	errAlgorithm = errors.New("is a JWK whose alg does not belong to its key")
)

// ReadKey reads a private key, in PEM or as a JWK. keyID is its kid, where the text has none.
// listed are the algorithms that the server's metadata lists: a hint, by which one is chosen of
// those that the key can use. The error says what is wrong, and holds nothing of the text.
func ReadKey(text, keyID string, listed []string) (*Key, error) {
	jwk, err := parseKey(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	algorithms, err := algorithmsOf(jwk.Key)
	if err != nil {
		return nil, err
	}
	algorithm := algorithms[0]
	for _, known := range slices.Backward(algorithms) { // the first that is listed
		if slices.Contains(listed, string(known)) {
			algorithm = known
		}
	}
	if jwk.Algorithm != "" {
		algorithm = jose.SignatureAlgorithm(jwk.Algorithm)
		if !slices.Contains(algorithms, algorithm) {
			return nil, errAlgorithm
		}
	}
	if jwk.KeyID == "" {
		jwk.KeyID = keyID
	}
	key := &Key{signer: func(options *jose.SignerOptions) (jose.Signer, error) {
		return jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jwk}, options)
	}}
	if _, err := key.sign("try", map[string]any{}); err != nil {
		return nil, errBadKey
	}
	return key, nil
}

func parseKey(text string) (*jose.JSONWebKey, error) {
	if strings.HasPrefix(text, "{") {
		jwk := new(jose.JSONWebKey)
		switch {
		case json.Unmarshal([]byte(text), jwk) != nil:
			return nil, errBadKey
		case jwk.IsPublic():
			return nil, errPublicKey
		}
		if _, err := algorithmsOf(jwk.Key); err == nil && !jwk.Valid() {
			return nil, errBadKey
		}
		return jwk, nil
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNotAKey
		}
		switch {
		case strings.Contains(block.Type, "ENCRYPTED") || bytes.Contains([]byte(block.Headers["Proc-Type"]), []byte("ENCRYPTED")):
			return nil, errEncrypted
		case block.Type == "PUBLIC KEY" || block.Type == "RSA PUBLIC KEY" || block.Type == "CERTIFICATE" && len(bytes.TrimSpace(rest)) == 0:
			return nil, errPublicKey
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return parsePEM(block)
		} // a certificate, or the parameters of a curve, may stand before it
	}
}

func parsePEM(block *pem.Block) (*jose.JSONWebKey, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default: // of OpenSSH, or of DSA
		return nil, errKeyKind
	}
	if err != nil {
		return nil, errBadKey
	}
	return &jose.JSONWebKey{Key: key}, nil
}

// algorithmsOf are those by which a key can sign, the commonest first.
func algorithmsOf(key crypto.PrivateKey) ([]jose.SignatureAlgorithm, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSA {
			return nil, errShortKey
		}
		return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.RS384, jose.PS384, jose.RS512, jose.PS512}, nil
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P256():
			return []jose.SignatureAlgorithm{jose.ES256}, nil
		case elliptic.P384():
			return []jose.SignatureAlgorithm{jose.ES384}, nil
		case elliptic.P521():
			return []jose.SignatureAlgorithm{jose.ES512}, nil
		}
	case ed25519.PrivateKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}, nil
	}
	return nil, errKeyKind
}

func (k *Key) sign(kind jose.ContentType, claims map[string]any) (string, error) {
	signer, err := k.signer((&jose.SignerOptions{}).WithType(kind))
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(text)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// assertionLifetime is how long an assertion is good for: it is made for one request, and both
// clocks may be off by a minute.
const assertionLifetime = 2 * time.Minute

// assertionType is the client_assertion_type of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Proving is a client that signs who it is, with a new assertion for each request. The audience is
// the server's issuer, and nothing else (RFC 7523bis §4: one that other servers also take could be used
// there); or, at servers of before, its token endpoint, with the type of before. now nil means
// [time.Now].
func Proving(id string, key *Key, issuer, tokenEndpoint string, now func() time.Time) Client {
	kind, audience := jose.ContentType("client-authentication+jwt"), issuer
	if tokenEndpoint != "" {
		kind, audience = "JWT", tokenEndpoint
	}
	if now == nil {
		now = time.Now
	}
	c := Client{ID: id, Method: provider.AuthKey}
	c.Assert = func(ahead time.Duration) string {
		at := now().Add(-ahead)
		signed, err := key.sign(kind, map[string]any{
			"iss": id, "sub": id, "aud": audience, "jti": rand.Text(), "iat": at.Unix(), "exp": at.Add(assertionLifetime).Unix(),
		})
		if err != nil {
			return "" // it has signed before: see ReadKey
		}
		return signed
	}
	return c
}

// Vouched is a client for which somebody else has signed who it is, such as the platform on which a
// pipeline runs.
func Vouched(id string, assertion credential.Secret) Client {
	c := Client{ID: id, Method: provider.AuthKey}
	c.Assert = func(time.Duration) string { return assertion.Reveal() }
	return c
}

// IsAssertion reports whether a text has the form of a signed JWT (RFC 7515 §7.1).
func IsAssertion(text string) bool {
	return strings.Count(text, ".") == 2 && credential.IsSendable(text)
}
