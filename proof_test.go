package ambit_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/go-jose/go-jose/v4"
)

// A proving is an authorization server that believes nobody but a client that signs who it is.
type proving struct {
	origin   string
	public   crypto.PublicKey
	audience string
	kid      string
	ahead    time.Duration // its clock
	date     bool          // it says what its clock reads

	mu     sync.Mutex
	seen   map[string]bool // jti
	paths  []string        // of requests that proved who asks
	wrong  []string
	issued int
}

func newProving(t *testing.T, public crypto.PublicKey) *proving {
	p := &proving{public: public, seen: make(map[string]bool)}
	p.origin = newServer(t, p)
	p.audience = p.origin
	return p
}

func (p *proving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if p.date {
		w.Header().Set("Date", time.Now().Add(p.ahead).UTC().Format(http.TimeFormat))
	}
	problem := ""
	if r.Method == http.MethodPost {
		problem = p.problem(r)
	}
	switch {
	case r.URL.Path == "/.well-known/oauth-authorization-server":
		fmt.Fprintf(w, `{"issuer":%[1]q,"authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/token","revocation_endpoint":"%[1]s/revoke","introspection_endpoint":"%[1]s/introspect","pushed_authorization_request_endpoint":"%[1]s/par","require_pushed_authorization_requests":true,"code_challenge_methods_supported":["S256"],"response_types_supported":["code"]}`, p.origin)
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusNotFound)
	case problem != "":
		p.wrong = append(p.wrong, r.URL.Path+": "+problem)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
	default:
		p.paths = append(p.paths, r.URL.Path+" "+r.PostFormValue("grant_type"))
		p.answer(w, r)
	}
}

func (p *proving) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/par":
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"request_uri":"%s?code=c&state=%s","expires_in":60}`, r.PostFormValue("redirect_uri"), r.PostFormValue("state"))
	case "/token":
		p.issued++
		refresh := `,"refresh_token":"ref"`
		if r.PostFormValue("grant_type") == "client_credentials" {
			refresh = ""
		}
		fmt.Fprintf(w, `{"access_token":"tok_%d","expires_in":1%s}`, p.issued, refresh)
	case "/introspect":
		fmt.Fprint(w, `{"active":true,"scope":"a:read"}`)
	}
}

// problem is what is wrong with the proof of a request (RFC 7523 §3); "" where nothing is.
func (p *proving) problem(r *http.Request) string {
	if r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || r.PostFormValue("client_id") != "app" || r.Header.Get("Authorization") != "" || r.PostFormValue("client_secret") != "" {
		return "no assertion"
	}
	signed, err := jose.ParseSigned(r.PostFormValue("client_assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA})
	if err != nil {
		return err.Error()
	}
	text, err := signed.Verify(p.public)
	if err != nil {
		return err.Error()
	}
	var claims struct {
		Iss, Sub, Jti string
		Aud           any
		Iat, Exp      int64
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err.Error()
	}
	now := time.Now().Add(p.ahead).Unix()
	switch {
	case claims.Iss != "app" || claims.Sub != "app" || claims.Aud != p.audience || claims.Jti == "":
		return string(text)
	case claims.Iat > now+5 || claims.Exp < now-5 || claims.Exp > now+300:
		return "not now"
	case p.kid != signed.Signatures[0].Protected.KeyID:
		return "kid " + signed.Signatures[0].Protected.KeyID
	case p.seen[claims.Jti]:
		return "said before"
	}
	p.seen[claims.Jti] = true
	return ""
}

func (p *proving) session(t *testing.T, client, home string, more func(*ambit.Options)) *ambit.Session {
	t.Helper()
	text := "version: 1\nname: x\nprovider: {servers: {here: {issuer: '" + p.origin + "', api: '" + p.origin + "'}}, client: {id: app, " + client + "}}\nscopes: [{scope: 'a:read', level: required}]\n"
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := ambit.Options{
		Store: store.File{Dir: filepath.Join(home, "kept")}, Env: []string{"HOME=" + home}, TrustHosts: []string{strings.TrimPrefix(p.origin, "http://")},
		UI: ambit.UI{Open: func(_ context.Context, _, authorize string) error {
			back := strings.SplitN(authorize, "request_uri=", 2)[1]
			r, err := http.NewRequest(http.MethodGet, p.origin, nil)
			if err != nil {
				return err
			}
			r.URL.RawQuery = "to=" + back
			response, err := http.Get(r.URL.Query().Get("to"))
			if err == nil {
				_ = response.Body.Close()
			}
			return err
		}},
	}
	if more != nil {
		more(&o)
	}
	s, err := ambit.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func jwkOf(t *testing.T, key any, id string) string {
	t.Helper()
	text, err := jose.JSONWebKey{Key: key, KeyID: id}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A client with a key proves who it is wherever it is asked: with the pushed request, the code, a
// renewal, an introspection and a revocation, each time anew, and for a token of its own.
func TestPrivateKey(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	for name, tt := range map[string]struct {
		key  crypto.Signer
		text string
		more string
		kid  string
		old  bool
	}{
		"RSA":                  {rsaKey, pemOf(t, rsaKey), "", "", false},
		"RSA of an older form": {rsaKey, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})), "", "", false},
		"EC":                   {p256, pemOf(t, p256), ", key_id: first", "first", false},
		"EC 521":               {p521, pemOf(t, p521), ", token_endpoint_auth_method: private_key_jwt", "", false},
		"Ed25519 as a JWK":     {edKey, jwkOf(t, edKey, "mine"), ", key_id: other", "mine", false},
		"an older server":      {p256, pemOf(t, p256), ", assertion_audience: token_endpoint", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProving(t, tt.key.Public())
			if p.kid = tt.kid; tt.old {
				p.audience = p.origin + "/token"
			}
			home := t.TempDir()
			file := filepath.Join(home, "key")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := p.session(t, "private_key: {file: '"+file+"'}"+tt.more, home, nil)
			if _, err := s.Login(t.Context(), nil); err != nil {
				t.Fatalf("%v; %q", err, p.wrong)
			}
			h, err := s.Find(t.Context())
			if err == nil {
				err = h.Refresh(t.Context(), time.Hour)
			}
			if err == nil {
				err = h.Inspect(t.Context())
			}
			if err != nil {
				t.Fatalf("%v; %q", err, p.wrong)
			}
			if out, err := s.Logout(t.Context()); err != nil || !out.Revoked {
				t.Errorf("%+v, %v", out, err)
			}
			own := p.session(t, "grant: client_credentials, private_key: {variable: APP_KEY}"+tt.more, t.TempDir(), func(o *ambit.Options) {
				o.Env = append(o.Env, "APP_KEY="+strings.ReplaceAll(tt.text, "\n", `\n`)) // as pipelines keep it
			})
			if _, err := own.Credential(t.Context()); err != nil {
				t.Errorf("%v; %q", err, p.wrong)
			}
			for _, path := range []string{"/par ", "/token authorization_code", "/token refresh_token", "/introspect ", "/revoke ", "/token client_credentials"} {
				if !slices.Contains(p.paths, path) {
					t.Errorf("no proof at %s", path)
				}
			}
			if len(p.wrong) > 0 {
				t.Errorf("%q", p.wrong)
			}
		})
	}
}

// Where the clock of this machine is off, a token of the client's own costs a second request, and no more.
func TestPrivateKeyByTheServersClock(t *testing.T) {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
		p := newProving(t, key.Public())
		p.ahead, p.date = ahead, true
		s := p.session(t, "grant: client_credentials, private_key: {variable: APP_KEY}", t.TempDir(), func(o *ambit.Options) {
			o.Env = append(o.Env, "APP_KEY="+pemOf(t, key))
		})
		_, err := s.Credential(t.Context())
		if want := min(ahead.Abs(), 1); err != nil || len(p.wrong) != int(want) {
			t.Errorf("%s: %v; %q", ahead, err, p.wrong)
		}
	}
}

// What a platform has signed for a pipeline is sent as it is, and read anew for each token.
func TestAssertionOfThePlatform(t *testing.T) {
	var got []string
	p := new(proving)
	p.origin = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/token" {
			fmt.Fprintf(w, `{"issuer":%[1]q,"token_endpoint":"%[1]s/token","grant_types_supported":["client_credentials"]}`, p.origin)
			return
		}
		got = append(got, r.PostFormValue("client_id")+" "+r.PostFormValue("client_assertion"))
		fmt.Fprintf(w, `{"access_token":"tok_%d","expires_in":1}`, len(got))
	}))
	home := t.TempDir()
	file := filepath.Join(home, "token")
	s := p.session(t, "grant: client_credentials, assertion: {file: '"+file+"'}", home, nil)
	for text, want := range map[string]string{"": "cannot be read: no such file", "s3cret": "is not a signed JWT", "s3cr.et": "is not a signed JWT", "a.b.c\nd": "is not a signed JWT"} {
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Credential(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the client's assertion: the file") || !strings.Contains(err.Error(), want) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
		_ = os.Remove(file)
	}
	for _, text := range []string{"first.to.ken\n", "second.to.ken"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Credential(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"app first.to.ken", "app second.to.ken"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Each key of no use is told by its place and by what is wrong with it, and never by what it holds.
func TestBadKeys(t *testing.T) {
	short, _ := rsa.GenerateKey(rand.Reader, 1024)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKIXPublicKey(edKey.Public())
	block := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	const marked = "c2VjcmV0LW1hcmtlZA"
	jwk := jwkOf(t, edKey, "")
	for name, tt := range map[string]struct{ text, want string }{
		"empty":               {" \n", "is empty"},
		"no key":              {marked, "is no private key: it is neither PEM nor a JWK"},
		"a public key":        {block("PUBLIC KEY", der), "is a public key"},
		"a public JWK":        {jwkOf(t, edKey.Public(), ""), "is a public key"},
		"with a passphrase":   {block("ENCRYPTED PRIVATE KEY", []byte(marked)), "is a key with a passphrase"},
		"of OpenSSH":          {block("OPENSSH PRIVATE KEY", []byte(marked)), "is a key of a kind that signs no assertion"},
		"nonsense in PEM":     {block("PRIVATE KEY", []byte(marked)), "is a private key that cannot be read"},
		"nonsense as a JWK":   {`{"kty":"OKP","d":"` + marked + `"}`, "is a private key that cannot be read"},
		"short":               {pemOf(t, short), "is an RSA key of less than 2048 bits"},
		"another curve":       {pemOf(t, p224), "is a key of a kind that signs no assertion"},
		"a secret of both":    {`{"kty":"oct","k":"` + marked + `"}`, "is a key of a kind that signs no assertion"},
		"alg of another kind": {strings.Replace(jwk, "{", `{"alg":"RS256",`, 1), "is a JWK whose alg does not belong to its key"},
		"not set":             {"", "is not set"},
	} {
		p := newProving(t, edKey.Public())
		s := p.session(t, "grant: client_credentials, private_key: {variable: APP_KEY}", t.TempDir(), func(o *ambit.Options) {
			if tt.text != "" {
				o.Env = append(o.Env, "APP_KEY="+tt.text)
			}
		})
		_, err := s.Credential(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the client's private key: the variable APP_KEY "+tt.want) || strings.Contains(err.Error(), marked) {
			t.Errorf("%s: %v", name, err)
		}
		if len(p.paths)+len(p.wrong) > 0 {
			t.Errorf("%s: the server was asked", name)
		}
	}
}
