package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// pushing is a server that requires pushed requests, and a login there.
func pushing(t *testing.T) (*authServer, *person, *oauth.Login) {
	server, person := newAuthServer(t), newPerson(t)
	server.pushed = map[string]url.Values{}
	server.others["/par"] = server.push
	login := newLogin(server, person)
	login.Server.PushedAuthorizationRequestEndpoint = server.URL + "/par"
	login.Server.RequirePushedAuthorizationRequests = true
	return server, person, login
}

// RFC 9126: the request goes to the server by itself, with the client's authentication, and the
// browser carries a reference to it. The server of the test fails on everything else.
func TestPushedRequest(t *testing.T) {
	for name, who := range clients() {
		for by, required := range map[string]bool{"server": true, "file": false} {
			t.Run(name+" by the "+by, func(t *testing.T) {
				server, _, login := pushing(t)
				server.client, login.Client = who, who
				login.Server.RequirePushedAuthorizationRequests, login.Push = required, !required
				login.Server.AuthorizationEndpoint += "?"
				login.Authorize = []provider.Parameter{{Name: "prompt", Value: "consent & more"}}
				login.Resources = []string{"https://api.example/a", "https://api.example/b"}
				login.Scopes = scopes.NewSet("a:read", "openid")
				c, err := login.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				asked := server.lastAsked()
				if c.ClientID != who.ID || asked.Get("prompt") != "consent & more" || len(asked["resource"]) != 2 || asked.Get("nonce") == "" {
					t.Errorf("%s was pushed: %v", c.ClientID, asked)
				}
			})
		}
	}
}

// What the server refuses of a pushed request is a refusal of the request.
func TestPushedRequestRefused(t *testing.T) {
	server, person, login := pushing(t)
	server.refuse = func(scope string) url.Values {
		if strings.Contains(scope, "b:write") {
			return url.Values{"error": {"invalid_scope"}, "error_description": {"not b:write"}}
		}
		return nil
	}
	_, err := login.Run(t.Context())
	if refused, ok := errors.AsType[*oauth.AuthorizationError](err); !ok || !refused.InvalidScope() || refused.Description != "not b:write" || len(person.pages) != 0 {
		t.Errorf("%v, %d pages", err, len(person.pages))
	}
	login.UI.Narrow = func(e *oauth.AuthorizationError) (scopes.Set, bool) {
		return login.Scopes.Minus(e.NamedScopes(login.Scopes)), true
	}
	if c, err := login.Run(t.Context()); err != nil || c.Asked.String() != "a:read" {
		t.Errorf("%+v, %v", c, err)
	}
}

// A response of no use ends the login before a browser opens, and holds nothing of the secret.
func TestPushFails(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"the client":   {text(401, "application/json", `{"error":"invalid_client"}`), `"invalid_client"`},
		"no words":     {text(404, "text/html", "<html>"), "404"},
		"no reference": {text(201, "application/json", `{"expires_in":60}`), "request_uri"},
		"a line in it": {text(201, "application/json", `{"request_uri":"a\r\nb"}`), "request_uri"},
		"too long":     {text(201, "application/json", `{"request_uri":"`+strings.Repeat("a", 5000)+`"}`), "request_uri"},
		"HTML":         {text(201, "text/html", "<html>"), "HTML"},
		"no response":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		server, person, login := pushing(t)
		server.others["/par"] = func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			tt.answer(w, r)
		}
		login.Client = clients()["client_secret_post"]
		_, err := login.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.says) || storetest.Leaks(err.Error()) || len(person.pages) != 0 {
			t.Errorf("%s: %v, %d pages", name, err, len(person.pages))
		}
	}
	_, _, login := pushing(t)
	login.Server.PushedAuthorizationRequestEndpoint = ""
	_, err := login.Run(t.Context())
	if _, ok := errors.AsType[*oauth.ProtocolError](err); !ok {
		t.Errorf("no endpoint: %v", err)
	}
	_, _, login = pushing(t)
	login.Server.PushedAuthorizationRequestEndpoint = "https://thief.example.com/par"
	login.Client = client.Public(testClient)
	_, err = login.Run(t.Context())
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok {
		t.Errorf("a foreign endpoint: %v", err)
	}
}
