package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func revoking(t *testing.T, handler http.HandlerFunc) *oauth.Revocation {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &oauth.Revocation{Server: &metadata.AuthorizationServer{RevocationEndpoint: server.URL + "/revoke"}}
}

func TestRevoke(t *testing.T) {
	var sent []url.Values
	revocation := revoking(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v %v", r.Method, r.Header, err)
		}
		sent = append(sent, form) // an unknown token gets 200 too (RFC 7009 §2.2)
	})
	c := &credential.Credential{Access: credential.NewSecret("acc"), Refresh: credential.NewSecret("ref"), ClientID: testClient}
	if err := revocation.Revoke(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []url.Values{ // the refresh token first: it ends the session
		{"token": {"ref"}, "token_type_hint": {"refresh_token"}, "client_id": {testClient}},
		{"token": {"acc"}, "token_type_hint": {"access_token"}, "client_id": {testClient}},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	sent = nil
	if err := revocation.Revoke(t.Context(), &credential.Credential{Access: credential.NewSecret("acc")}); err != nil || len(sent) != 1 || sent[0].Has("client_id") {
		t.Errorf("without a refresh token: %v, %v", sent, err)
	}
}

func TestRevokeFails(t *testing.T) {
	c := &credential.Credential{Access: credential.NewSecret(storetest.Marked), Refresh: credential.NewSecret(storetest.Marked)}
	requests := 0
	refusing := revoking(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		text(400, "application/json", `{"error":"invalid_client","error_description":"who\u001bare you"}`)(w, r)
	})
	err := refusing.Revoke(t.Context(), c)
	refusal, ok := errors.AsType[*oauth.ResponseError](err)
	if !ok || refusal.Endpoint != oauth.RevocationEndpoint || refusal.Code != "invalid_client" || refusal.Description != `who\x1bare you` || refusal.Status != 400 || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
	if requests != 2 {
		t.Errorf("the first failure kept the access token from being revoked: %d requests", requests)
	}
	err = revoking(t, text(503, "", "")).Revoke(t.Context(), c)
	if trouble, ok := errors.AsType[*guard.Error](err); !ok || trouble.Status != 503 || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
	err = (&oauth.Revocation{Server: &metadata.AuthorizationServer{}}).Revoke(t.Context(), c)
	if !errors.Is(err, oauth.ErrNoRevocation) {
		t.Errorf("err = %v", err)
	}
	err = (&oauth.Revocation{Server: &metadata.AuthorizationServer{RevocationEndpoint: "https://thief.example.com/"}}).Revoke(t.Context(), c)
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok || storetest.Leaks(err.Error()) {
		t.Errorf("err = %v", err)
	}
}

// twoTokens is a service whose responses have a token for each of two kinds, one of which is ended in its
// own way.
func twoTokens(t *testing.T, server, choice string) *provider.Provider {
	t.Helper()
	p, err := provider.Decode("p.yaml", []byte(`
servers: {one: {issuer: "`+server+`", api: "`+server+`/api"}}
credentials:
  - {prefix: acc_, kind: robot}
  - {prefix: per_, kind: person, label: "a person's token", revoke: {url: "{api}/end", method: POST, done: [{at: ended, is: true}, {at: error, is: unknown}]}}
token_response:
  tokens: [{access: access_token}, {access: person.access_token}]
client: {id: c`+choice+`}
`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A token that comes beside the one that is used is told, and ended: nobody would have it.
func TestTokensThatAreNotUsedAreRevoked(t *testing.T) {
	const told = "the response also holds "
	for name, c := range map[string]struct {
		choice  string
		answer  map[string]any
		fails   string
		told    string
		revoked []string
	}{
		"one in the service's own way":  {"", map[string]any{"person": map[string]any{"access_token": "per_1", "scope": "x:read"}}, "", "a person's token (x:read), which is not used here and was revoked", []string{"POST /api/end"}},
		"the standard way, and refresh": {", token: person", map[string]any{"person": map[string]any{"access_token": "per_1"}}, "", "a credential of the kind robot (a:read b:write), which is not used here and was revoked", []string{"refresh-1", "acc_1"}},
		"a refresh token of both":       {", token: person", map[string]any{"person": map[string]any{"access_token": "per_1", "refresh_token": "refresh-1"}}, "", "a credential of the kind robot (a:read b:write), which is not used here and was revoked", []string{"acc_1"}},
		"where the wanted one lacks":    {", token: person", nil, `it holds no token of the kind "person"`, "a credential of the kind robot (a:read b:write), which is not used here and was revoked", []string{"refresh-1", "acc_1"}},
		"one alone":                     {"", nil, "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			var ended []string
			server.others["/api/end"] = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer per_1" {
					t.Errorf("sent with %q", r.Header.Get("Authorization"))
				}
				ended = append(ended, r.Method+" "+r.URL.Path)
				text(200, "application/json", `{"ended":true}`)(w, r)
			}
			server.answer = c.answer
			login := newLogin(server, person)
			login.Provider = twoTokens(t, server.URL, c.choice)
			login.At = login.Provider.Servers[0]
			_, err := login.Run(t.Context())
			if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("err = %v", err)
			}
			if c.told != "" && !slices.Contains(person.told, told+c.told) || c.told == "" && strings.Contains(strings.Join(person.told, ""), told) {
				t.Errorf("told: %q", person.told)
			}
			if got := append(ended, server.revoked...); !cmp.Equal(got, c.revoked) {
				t.Errorf("revoked: %q, want %q", got, c.revoked)
			}
		})
	}
}

// What ends a token in the service's own way is what its file says, or a status of success.
func TestRevokeInTheServicesOwnWay(t *testing.T) {
	for name, c := range map[string]struct {
		response http.HandlerFunc
		signs    bool
		fails    bool
	}{
		"done":                       {text(200, "application/json", `{"ended":true}`), true, false},
		"not known any more":         {text(200, "application/json", `{"error":"unknown"}`), true, false},
		"another error at status ok": {text(200, "application/json", `{"error":"later"}`), true, true},
		"no sign of it":              {text(200, "application/json", `{}`), true, true},
		"success, and no signs":      {text(204, "", ""), false, false},
		"401":                        {text(401, "application/json", `{"error":"invalid_token"}`), false, false},
		"403":                        {text(403, "application/json", `{"error":"forbidden"}`), false, true},
	} {
		server := httptest.NewServer(c.response)
		p := twoTokens(t, server.URL, "")
		if !c.signs {
			p.Credentials[1].Revoke.Done = nil
		}
		err := (&oauth.Revocation{Server: &metadata.AuthorizationServer{}, Provider: p, At: p.Servers[0]}).Revoke(t.Context(), &credential.Credential{Access: credential.NewSecret("per_1")})
		if (err != nil) != c.fails || errors.Is(err, oauth.ErrNoRevocation) {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}

// So it is where another device is used, and at a renewal, when the new token is kept.
func TestTokensThatAreNotUsedElsewhere(t *testing.T) {
	const told = "the response also holds a person's token, which is not used here and remains valid at the server: the server offers no revocation"
	const response = `{"access_token":"acc_1","person":{"access_token":"per_1"}}`
	device := &deviceServer{codes: []string{`{"device_code":"d","user_code":"u","verification_uri":"https://login.example/","expires_in":600,"interval":1}`}, tokens: []string{response}}
	synctest.Test(t, func(t *testing.T) {
		device.began = time.Now()
		login, person := device.login(), &person{}
		login.Provider, login.UI.Tell = twoTokens(t, "https://id.example", ""), person.tell
		login.Provider.Credentials[1].Revoke = provider.Revoke{}
		if _, err := login.RunDevice(t.Context()); err != nil || !slices.Contains(person.told, told) {
			t.Errorf("another device: %v, told: %q", err, person.told)
		}
	})

	server, store := newAuthServer(t), &store.Memory{}
	server.answer = map[string]any{"person": map[string]any{"access_token": "per_1"}}
	expired(t, server, store)
	renewer := newRenewer(t, server, store)
	renewer.Provider = twoTokens(t, server.URL, "")
	renewer.At = renewer.Provider.Servers[0]
	kept := ""
	server.others["/api/end"] = func(w http.ResponseWriter, r *http.Request) {
		if c, err := store.Load(t.Context(), testKey); err == nil {
			kept = c.Access.Reveal()
		}
		text(200, "application/json", `{"ended":true}`)(w, r)
	}
	if c, err := renewer.Valid(t.Context(), 0); err != nil || kept != c.Access.Reveal() {
		t.Errorf("a renewal: %v; when the other one ended, %q was kept", err, kept)
	}
}
