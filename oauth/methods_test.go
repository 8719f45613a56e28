package oauth_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// clients are of every method, with an id and a secret that have to be encoded.
func clients() map[string]client.Client {
	const id, secret = "https://app.example/a b:c", "s:e%c+r/e=t&" + storetest.Marked
	made := make(map[string]client.Client)
	for _, method := range provider.AuthMethods() {
		made[method] = client.Client{ID: id, Secret: credential.NewSecret(secret), Method: provider.AuthMethod(method)}
	}
	made["none"] = client.Public(id)
	return made
}

// At every endpoint the client authenticates itself in its one method: at the exchange, at the
// renewal, and where it revokes and introspects.
func TestEveryEndpointKnowsTheMethod(t *testing.T) {
	for name, who := range clients() {
		t.Run(name, func(t *testing.T) {
			server, person, kept := newAuthServer(t), newPerson(t), &store.Memory{}
			server.client = who
			form := func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form, _ := url.ParseQuery(string(body))
				server.authenticate(r, form)
				reply(w, 200, map[string]any{"active": true, "scope": "a:read"})
			}
			server.others["/revoke"], server.others["/introspect"] = form, form
			login := newLogin(server, person)
			login.Client = who
			c, err := login.Run(t.Context())
			if err != nil || c.ClientID != who.ID {
				t.Fatalf("%+v, %v", c, err)
			}
			c.ExpiresAt = time.Now().Add(-time.Hour)
			save(t, kept, c)
			renewer := newRenewer(t, server, kept)
			renewer.Client = func(_ context.Context, id string) (client.Client, error) {
				if id != who.ID {
					t.Errorf("renewed for %q", id)
				}
				return who, nil
			}
			if c, err = renewer.Valid(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			known := server.metadata()
			known.IntrospectionEndpoint = server.URL + "/introspect"
			if err := (&oauth.Revocation{Server: known, Client: who}).Revoke(t.Context(), c); err != nil {
				t.Error(err)
			}
			inspector := inspecting(t, form)
			inspector.Client = func(context.Context, provider.Server, string) (client.Client, error) { return who, nil }
			for _, prefix := range []string{"cli_", "cjs_"} {
				if prefix == "cjs_" && who.Method != provider.AuthBasic {
					continue // the members of a body in JSON are another test's
				}
				if _, err := inspector.Inspect(t.Context(), loggedIn(prefix+"x", inspector.Server.Issuer, who.ID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A server's refusal holds nothing of the secret, in whatever way it was sent.
func TestRefusalHoldsNoSecret(t *testing.T) {
	for name, who := range clients() {
		server, person := newAuthServer(t), newPerson(t)
		server.client = who
		server.tokens = func(w http.ResponseWriter, r *http.Request) { reply(w, 401, map[string]any{"error": "invalid_client"}) }
		login := newLogin(server, person)
		login.Client = who
		login.Server.TokenEndpointAuthMethodsSupported = []string{"private_key_jwt"}
		_, err := login.Run(t.Context())
		if err == nil || storetest.Leaks(err.Error()) || !strings.Contains(err.Error(), `and not "`+name+`"`) {
			t.Errorf("%s: %v", name, err)
		}
		server.tokens = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		if _, err = login.Run(t.Context()); err == nil || storetest.Leaks(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
