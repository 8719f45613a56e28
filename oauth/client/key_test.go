package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/go-jose/go-jose/v4"
)

// The server's list decides among the algorithms that a key can use, and rules none of them out.
func TestKeyAlgorithm(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for _, tt := range []struct {
		key    any
		listed []string
		want   jose.SignatureAlgorithm
	}{
		{rsaKey, nil, jose.RS256},
		{rsaKey, []string{"ES256", "PS256"}, jose.PS256},
		{rsaKey, []string{"PS256", "RS256"}, jose.RS256},
		{rsaKey, []string{"ES256"}, jose.RS256},
		{ecKey, []string{"RS256"}, jose.ES384},
	} {
		der, err := x509.MarshalPKCS8PrivateKey(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		key, err := client.ReadKey(text, "", tt.listed)
		if err != nil {
			t.Fatal(err)
		}
		who := client.Proving("app", key, issuer, "", nil)
		first, second := who.Assertion().Get("client_assertion"), who.Assertion().Get("client_assertion")
		signed, err := jose.ParseSigned(first, []jose.SignatureAlgorithm{tt.want})
		if err != nil || signed.Signatures[0].Protected.ExtraHeaders["typ"] != "client-authentication+jwt" {
			t.Errorf("%q: %v; want %s", tt.listed, err, tt.want)
		}
		if first == second || who.Style() != provider.AuthKey {
			t.Errorf("one assertion serves twice, or the method is %s", who.Style())
		}
		if out := fmt.Sprintf("%v %+v %#v %+v", who, who, who, key); strings.Contains(out, text[40:80]) {
			t.Error(out)
		}
	}
}
