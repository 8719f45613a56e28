package oauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestRegister(t *testing.T) {
	var sent map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		text(201, "application/json", `{"client_id":"new-client","token_endpoint_auth_method":"none"}`)(w, r)
	}))
	defer server.Close()
	registration := &oauth.Registration{Endpoint: server.URL, Name: "ambit", Scopes: scopes.NewSet("a:read", "b:write")}
	id, err := registration.Register(t.Context(), "http://127.0.0.1:1/callback")
	if err != nil || id != "new-client" {
		t.Fatalf("%q, %v", id, err)
	}
	want := map[string]any{ // RFC 7591 §2
		"redirect_uris": []any{"http://127.0.0.1:1/callback", "http://127.0.0.1/callback"}, "client_name": "ambit", "scope": "a:read b:write",
		"token_endpoint_auth_method": "none", "grant_types": []any{"authorization_code", "refresh_token"},
		"response_types": []any{"code"}, "application_type": "native",
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
}

func TestRegisterFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
		says   string
	}{
		"a refusal":        {text(400, "application/json", `{"error":"invalid_redirect_uri","error_description":"no\nhttp"}`), "invalid_redirect_uri", `"no http"`},
		"no words":         {text(403, "text/html", "<html>"), "", "403"},
		"no client id":     {text(201, "application/json", `{}`), "", "client_id"},
		"HTML":             {text(200, "text/html", "<html>"), "", "its response is a page of HTML"},
		"a wrong type":     {text(201, "application/json", `{"client_id":7}`), "", "client_id"},
		"a line in it":     {text(201, "application/json", `{"client_id":"a\r\nb"}`), "", "client_id"},
		"a secret":         {text(201, "application/json", `{"client_id":"a","client_secret":"`+storetest.Marked+`"}`), "", "secret"},
		"a method with it": {text(201, "application/json", `{"client_id":"a","client_secret":"`+storetest.Marked+`","token_endpoint_auth_method":"client_secret_post"}`), "", "secret"},
	} {
		server := httptest.NewServer(c.answer)
		_, err := (&oauth.Registration{Endpoint: server.URL}).Register(t.Context(), "http://localhost/")
		server.Close()
		refusal, ok := errors.AsType[*oauth.ResponseError](err)
		if !ok || refusal.Endpoint != oauth.RegistrationEndpoint || refusal.Code != c.code || !strings.Contains(err.Error(), c.says) || storetest.Leaks(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := (&oauth.Registration{Endpoint: "https://thief.example.com/"}).Register(t.Context())
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok {
		t.Errorf("err = %v", err)
	}
}
