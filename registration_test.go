package ambit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A client that registers itself has another redirect path at each issuer. One that was registered
// before there were such paths is used as it is while it serves, and after that made again.
func TestRedirectPerIssuer(t *testing.T) {
	var registered atomic.Int32
	issuer := func() string {
		var origin string
		origin = newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server"):
				fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"registration_endpoint":%q,"code_challenge_methods_supported":["S256"]}`,
					origin, origin+"/authorize", origin+"/token", origin+"/register")
			case r.URL.Path == "/register":
				registered.Add(1)
				w.WriteHeader(http.StatusCreated)
				fmt.Fprint(w, `{"client_id":"registered","token_endpoint_auth_method":"none"}`)
			case r.URL.Path == "/token":
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error":"invalid_grant"}`)
			default:
				http.NotFound(w, r)
			}
		}))
		return origin
	}
	// login is where the server is to lead the browser back to, and whether a client was registered.
	login := func(origin string, kept *client.Registered) (redirect *url.URL, fresh bool) {
		t.Helper()
		m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: x\nprovider: "+origin+"\nscopes: [{scope: 'a:read', level: required, why: x}]\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		var in store.Memory
		if kept != nil {
			kept.Issuer = origin
			record, err := kept.Credential(time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Save(t.Context(), store.RegistrationKey(origin, "x"), record); err != nil {
				t.Fatal(err)
			}
		}
		before := registered.Load()
		s, err := ambit.New(m, ambit.Options{Store: &in, Env: []string{"HOME=" + t.TempDir()}, UI: ambit.UI{
			Open: func(_ context.Context, _, authorizationURL string) error {
				asked, err := url.Parse(authorizationURL)
				if err == nil {
					redirect, err = url.Parse(asked.Query().Get("redirect_uri"))
				}
				return err
			},
			PasteOnly: true,
			Paste:     func() (<-chan string, func()) { ended := make(chan string); close(ended); return ended, func() {} },
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Login(t.Context(), nil); redirect == nil {
			t.Fatal(err)
		}
		return redirect, registered.Load() > before
	}
	one, two := issuer(), issuer()
	first, fresh := login(one, nil)
	again, _ := login(one, nil)
	other, _ := login(two, nil)
	if !fresh || first.Path != again.Path || first.Path == other.Path || !strings.HasPrefix(first.Path, "/callback/") {
		t.Errorf("registered: %t; %s and %s at one, %s at the other", fresh, first.Path, again.Path, other.Path)
	}
	old := func(asked string) *client.Registered {
		return &client.Registered{Client: client.Public("kept"), RedirectURIs: []string{"http://127.0.0.1:" + first.Port() + "/callback"}, Scopes: scopes.NewSet(asked)}
	}
	if redirect, fresh := login(one, old("a:read")); fresh || redirect.Path != "/callback" {
		t.Errorf("an old registration: %s, registered anew: %t", redirect.Path, fresh)
	}
	if redirect, fresh := login(one, old("b:read")); !fresh || redirect.Path != first.Path {
		t.Errorf("an old registration for less: %s, registered anew: %t", redirect.Path, fresh)
	}
}
