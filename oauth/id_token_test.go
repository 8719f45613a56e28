package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
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
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
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
		of     string // id_token_issuer of the provider's file, behind the server's URL
		ok     bool
		named  string // the account; "" for the one in the token response
	}{
		"valid":                  {ok: true},
		"with a name":            {change: func(c map[string]any) { c["name"] = "Ada" }, ok: true, named: "Ada"},
		"without at_hash":        {change: func(c map[string]any) { delete(c, "at_hash") }, ok: true},
		"another nonce":          {change: func(c map[string]any) { c["nonce"] = "other" }},
		"no nonce":               {change: func(c map[string]any) { delete(c, "nonce") }},
		"another issuer":         {change: func(c map[string]any) { c["iss"] = "https://thief.example.com" }},
		"another audience":       {change: func(c map[string]any) { c["aud"] = "other" }},
		"expired":                {change: func(c map[string]any) { c["exp"] = testNow.Add(-time.Hour).Unix() }},
		"another access token's": {change: func(c map[string]any) { c["at_hash"] = halfHash("other") }},
		"another key":            {signer: newKey(t)},
		"for this client":        {change: func(c map[string]any) { c["aud"], c["azp"] = []string{testClient, "other"}, testClient }, ok: true},
		"several audiences":      {change: func(c map[string]any) { c["aud"] = []string{testClient, "other"} }, ok: true},
		"for another client":     {change: func(c map[string]any) { c["aud"], c["azp"] = []string{testClient, "other"}, "other" }},
		"for nothing known":      {change: func(c map[string]any) { c["azp"] = []string{testClient} }},
		"of a tenant":            {of: "/{tid}", change: func(c map[string]any) { c["tid"] = "one"; c["iss"] = c["iss"].(string) + "/one" }, ok: true},
		"of another tenant":      {of: "/{tid}", change: func(c map[string]any) { c["tid"] = "one"; c["iss"] = c["iss"].(string) + "/two" }},
		"of no tenant":           {of: "/{tid}", change: func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }},
		"of a path of tenants":   {of: "/{tid}", change: func(c map[string]any) { c["tid"] = "one/two"; c["iss"] = c["iss"].(string) + "/one/two" }},
		"of the server itself":   {of: "/{tid}", change: func(c map[string]any) { c["tid"] = "one" }},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = map[string]any{"account": "somebody"}
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
			login.Provider = &provider.Provider{TokenResponse: provider.TokenResponse{Account: provider.Path{{Name: "account"}}}}
			login.Server.JWKSURI = server.URL + "/keys"
			if c.of != "" {
				login.IDTokenIssuer = server.URL + c.of
			}
			got, err := login.Run(t.Context())
			if revoked := len(server.revoked) == 2; revoked == c.ok {
				t.Errorf("revoked: %v", server.revoked)
			}
			if _, bad := errors.AsType[*oauth.ProtocolError](err); bad == c.ok || (got != nil) != c.ok {
				t.Errorf("%v, %v", got, err)
			}
			if c.ok {
				want := c.named
				if want == "" {
					want = "somebody"
				}
				if got.Account != want {
					t.Errorf("of %q", got.Account)
				}
				if diff := cmp.Diff([]string{"POST /token", "GET /keys"}, server.sent()); diff != "" {
					t.Error(diff)
				}
			} else if storetest.Leaks(err.Error()) {
				t.Error(err)
			}
		})
	}
}

// A client with a secret may get ID tokens that are signed with it. A public one cannot tell who
// signed such a token.
func TestIDTokenSignedWithTheSecret(t *testing.T) {
	long, short := strings.Repeat("s", 32), "too-short"
	for name, c := range map[string]struct {
		secret, signer, access string
		ok, told               bool
	}{
		"the client's":               {secret: long, signer: long, access: "acc_1", ok: true},
		"another's":                  {secret: long, signer: strings.Repeat("o", 32), access: "acc_1"},
		"for another access token":   {secret: long, signer: long, access: "acc_2"},
		"too short to prove a thing": {secret: short, signer: short, access: "acc_1", ok: true, told: true},
		"of a client without one":    {signer: long, access: "acc_1"},
	} {
		server, person := newAuthServer(t), newPerson(t)
		server.idToken = func(nonce, _ string) string {
			claims, _ := json.Marshal(map[string]any{
				"iss": server.URL, "aud": testClient, "sub": "someone", "nonce": nonce, "at_hash": halfHash(c.access),
				"iat": testNow.Unix(), "exp": testNow.Add(time.Minute).Unix(),
			})
			input := encode([]byte(`{"alg":"HS256"}`)) + "." + encode(claims)
			mac := hmac.New(sha256.New, []byte(c.signer))
			mac.Write([]byte(input))
			return input + "." + encode(mac.Sum(nil))
		}
		server.others["/keys"] = text(200, "application/json", keySet(t, newKey(t)))
		login := newLogin(server, person)
		login.Scopes = scopes.NewSet("openid")
		login.Server.JWKSURI = server.URL + "/keys"
		if c.secret != "" {
			server.client = client.Client{ID: testClient, Secret: credential.NewSecret(c.secret), Method: provider.AuthPost}
			login.Client = server.client
		}
		_, err := login.Run(t.Context())
		told := strings.Join(person.told, "\n")
		if (err == nil) != c.ok || strings.Contains(told, "the signature of the ID token is not checked") != c.told {
			t.Errorf("%s: %v; told %q", name, err, told)
		}
		if err != nil && strings.Contains(err.Error(), long) || strings.Contains(told, short) {
			t.Errorf("%s: the secret is told: %v, %q", name, err, told)
		}
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

// An ID token that was asked for and did not come is told, and ends no login; where openid was not
// granted, none was to come.
func TestNoIDToken(t *testing.T) {
	for granted, told := range map[string]bool{"openid a:read": true, "a:read": false} {
		server, person := newAuthServer(t), newPerson(t)
		server.others["/token"] = text(200, "application/json", `{"access_token": "x", "token_type": "Bearer", "scope": "`+granted+`"}`)
		login := newLogin(server, person)
		login.Scopes = scopes.NewSet("openid", "a:read")
		if _, err := login.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", granted, err)
		}
		if got := strings.Contains(strings.Join(person.told, "\n"), "the server sent no ID token"); got != told {
			t.Errorf("%s: told %q", granted, person.told)
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
