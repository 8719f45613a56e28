package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// rsaBits is the least that RFC 7518 §3.3 allows for RS256.
const rsaBits = 2048

// newSigningKeys makes the key that signs ID tokens. It is made when the first one is
// wanted: that takes a tenth of a second, and most runs need none.
func newSigningKeys() (goidc.JSONWebKeySet, error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return goidc.JSONWebKeySet{}, fmt.Errorf("signing key: %w", err)
	}
	return goidc.JSONWebKeySet{Keys: []goidc.JSONWebKey{{
		Key: private, KeyID: "sandbox-1", Algorithm: string(goidc.RS256), Use: string(goidc.KeyUsageSignature),
	}}}, nil
}

func (s *Sandbox) signingKeys(context.Context) (goidc.JSONWebKeySet, error) { return s.signing() }
