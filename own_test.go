package ambit_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A program with a client of its own needs nobody: of many that begin at once one asks the server,
// and all use what came; a token that is at its end, or that an API refuses, is got anew, without a
// refresh token, and with what the manifest declares by then.
func TestOwnClient(t *testing.T) {
	var asked atomic.Int32
	var lastScope atomic.Value
	origin := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/token":
			if id, secret, _ := r.BasicAuth(); id != "app" || secret != "s3cret" || r.PostFormValue("grant_type") != "client_credentials" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			lastScope.Store(r.PostFormValue("scope"))
			fmt.Fprintf(w, `{"access_token":"tok_%d","refresh_token":"never","expires_in":3600}`, asked.Add(1))
		case "/a/":
			if r.Header.Get("Authorization") != fmt.Sprintf("Bearer tok_%d", asked.Load()) || asked.Load() < 2 {
				w.WriteHeader(http.StatusUnauthorized)
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	home := t.TempDir()
	open := func(needs string, now func() time.Time) *ambit.Session {
		text := "version: 1\nname: x\nprovider: {servers: {here: {issuer: '" + origin + "', api: '" + origin + "', metadata: none, token_endpoint: '" + origin + "/token'}}, client: {id: app, grant: client_credentials, secret: {variable: APP_SECRET}}}\nscopes: [" + needs + "]\n"
		m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ambit.New(m, ambit.Options{
			Store: store.File{Dir: filepath.Join(home, "kept")}, Env: []string{"HOME=" + home, "APP_SECRET=s3cret"},
			TrustHosts: []string{strings.TrimPrefix(origin, "http://")}, Now: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const one, two = "{scope: 'a:read', level: required}", "{scope: 'a:read', level: required}, {scope: 'b:read', level: optional}"
	var all sync.WaitGroup
	for range 8 {
		s := open(one, nil)
		all.Go(func() {
			h, err := s.Credential(t.Context())
			if err != nil || h.Credential.Access.Reveal() != "tok_1" || !h.Credential.Refresh.Empty() || h.Check(0) != nil {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Fatalf("%d token requests of 8 programs", n)
	}

	client, err := open(one, nil).Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(client.URL("{api}/a/"))
	if err != nil || response.StatusCode != http.StatusOK || asked.Load() != 2 {
		t.Fatalf("a token that the API refuses: %v, %v; %d requests", response, err, asked.Load())
	}
	_ = response.Body.Close()

	for name, s := range map[string]*ambit.Session{
		"at its end":             open(one, func() time.Time { return time.Now().Add(2 * time.Hour) }),
		"more is declared since": open(two, nil),
	} {
		before := asked.Load()
		if _, err := s.Credential(t.Context()); err != nil || asked.Load() != before+1 {
			t.Errorf("%s: %v; %d requests", name, err, asked.Load()-before)
		}
	}
	if _, err := open(two, nil).Credential(t.Context()); err != nil || lastScope.Load() != "a:read b:read" {
		t.Errorf("%v; requested %q", err, lastScope.Load())
	}
}

// Where there is no home, as in many a container, the token is kept for this process alone, and
// nothing is left behind.
func TestOwnClientWithoutHome(t *testing.T) {
	t.Chdir(t.TempDir())
	var asked atomic.Int32
	origin := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"tok_%d","expires_in":3600}`, asked.Add(1))
	}))
	m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: x\nprovider: {servers: {here: {issuer: '"+origin+"', metadata: none, token_endpoint: '"+origin+"/token'}}, client: {id: app, grant: client_credentials, secret: {variable: APP_SECRET}}}\nscopes: [{scope: 'a:read', level: required}]\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{Env: []string{"APP_SECRET=s3cret"}, TrustHosts: []string{strings.TrimPrefix(origin, "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		token, err := s.TokenSource(t.Context()).Token()
		if err != nil || token.AccessToken != "tok_1" {
			t.Fatalf("%v, %v", token, err)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}
