package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signedToken is a JWT with ES256 (RFC 7515 §3.1, RFC 7518 §3.4).
func signedToken(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	input := encode([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// keySet is the JWKS with the key's public half.
func keySet(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]any{
		"kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:]),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(set)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func halfHash(text string) string {
	digest := sha256.Sum256([]byte(text))
	return encode(digest[:crypto.SHA256.Size()/2])
}

func TestIDToken(t *testing.T) {
	key := newKey(t)
	for name, c := range map[string]struct {
		change func(claims map[string]any)
		signer *ecdsa.PrivateKey
		keys   http.HandlerFunc
		ok     bool
	}{
		"valid":                  {ok: true},
		"without at_hash":        {change: func(c map[string]any) { delete(c, "at_hash") }, ok: true},
		"another nonce":          {change: func(c map[string]any) { c["nonce"] = "other" }},
		"no nonce":               {change: func(c map[string]any) { delete(c, "nonce") }},
		"another issuer":         {change: func(c map[string]any) { c["iss"] = "https://thief.example.com" }},
		"another audience":       {change: func(c map[string]any) { c["aud"] = "other" }},
		"expired":                {change: func(c map[string]any) { c["exp"] = testNow.Add(-time.Hour).Unix() }},
		"another access token's": {change: func(c map[string]any) { c["at_hash"] = halfHash("other") }},
		"another key":            {signer: newKey(t)},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.idToken = func(nonce, access string) string {
				if len(nonce) < 43 {
					t.Errorf("nonce = %q", nonce)
				}
				claims := map[string]any{
					"iss": server.URL, "aud": testClient, "sub": "someone", "nonce": nonce, "at_hash": halfHash(access),
					"iat": testNow.Unix(), "exp": testNow.Add(time.Minute).Unix(),
				}
				if c.change != nil {
					c.change(claims)
				}
				signer := c.signer
				if signer == nil {
					signer = key
				}
				return signedToken(t, signer, claims)
			}
			server.others["/keys"] = text(200, "application/json", keySet(t, key))
			if c.keys != nil {
				server.others["/keys"] = c.keys
			}
			login := newLogin(server, person)
			login.Scopes = scopes.NewSet("openid", "a:read")
			login.Server.JWKSURI = server.URL + "/keys"
			login.Server.IDTokenSigningAlgValuesSupported = []string{"ES256"}
			got, err := login.Run(t.Context())
			if revoked := len(server.revoked) == 2; revoked == c.ok {
				t.Errorf("revoked: %v", server.revoked)
			}
			if _, bad := errors.AsType[*oauth.ProtocolError](err); bad == c.ok || (got != nil) != c.ok {
				t.Errorf("%v, %v", got, err)
			}
			if c.ok {
				if diff := cmp.Diff([]string{"POST /token", "GET /keys"}, server.sent()); diff != "" {
					t.Error(diff)
				}
			} else if storetest.Leaks(err.Error()) {
				t.Error(err)
			}
		})
	}
}

func TestNoKeysAreFetchedWithoutNeed(t *testing.T) {
	for name, asked := range map[string]scopes.Set{
		"not asked, though one came": scopes.NewSet("a:read"),
		"asked, and none came":       scopes.NewSet("openid"),
	} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Scopes = asked
		login.Server.JWKSURI = server.URL + "/keys"
		if !asked.Has("openid") {
			server.idToken = func(string, string) string { return "not looked at" }
		}
		if _, err := login.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{"POST /token"}, server.sent()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A server whose keys cannot be had ends no login: what else the ID token says is checked.
func TestIDTokenWithoutKeys(t *testing.T) {
	for name, keys := range map[string]http.HandlerFunc{
		"no jwks_uri":  nil,
		"in trouble":   text(500, "text/plain", storetest.Marked),
		"not there":    text(404, "text/plain", storetest.Marked),
		"a page":       text(200, "text/html", "<html>"+storetest.Marked),
		"another form": text(200, "application/json", `{"keys":[{"kty":"none"}]}`),
		"endless keys": text(200, "application/json", `{"keys":["`+strings.Repeat("a", 2<<20)+`"]}`),
	} {
		for _, audience := range []string{testClient, "another"} {
			server, person := newAuthServer(t), newPerson(t)
			server.idToken = func(nonce, access string) string {
				return signedToken(t, newKey(t), map[string]any{
					"iss": server.URL, "aud": audience, "sub": "someone", "nonce": nonce, "at_hash": halfHash(access),
					"iat": testNow.Unix(), "exp": testNow.Add(time.Minute).Unix(),
				})
			}
			login := newLogin(server, person)
			login.Scopes = scopes.NewSet("openid")
			login.Server.IDTokenSigningAlgValuesSupported = []string{"ES256"}
			if keys != nil {
				server.others["/keys"] = keys
				login.Server.JWKSURI = server.URL + "/keys"
			}
			_, err := login.Run(t.Context())
			if good := audience == testClient; good != (err == nil) {
				t.Errorf("%s, for %s: %v", name, audience, err)
			}
			told := strings.Join(person.told, "\n")
			if err == nil && !strings.Contains(told, "the signature of the ID token is not checked") || storetest.Leaks(told) {
				t.Errorf("%s: told %q", name, told)
			}
		}
	}
}
