package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestTokenAnswers(t *testing.T) {
	asked := scopes.NewSet("a:read", "b:write")
	for name, c := range map[string]struct {
		answer  map[string]any
		scopes  scopes.Set
		knownBy scopes.KnownBy
		expires time.Time
	}{
		"no scope member":     {map[string]any{"scope": nil}, asked, scopes.Assumed, testNow.Add(time.Hour)},
		"nothing granted":     {map[string]any{"scope": ""}, scopes.Set{}, scopes.TokenResponse, testNow.Add(time.Hour)},
		"more granted":        {map[string]any{"scope": "a:read  c:read b:write"}, scopes.NewSet("a:read", "c:read", "b:write"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"a list":              {map[string]any{"scope": []any{"a:read", "x"}}, scopes.NewSet("a:read", "x"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"words that are none": {map[string]any{"scope": "a:read \"\\ b\x01c"}, scopes.NewSet("a:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"scope of no type":    {map[string]any{"scope": 7}, asked, scopes.Assumed, testNow.Add(time.Hour)},
		"no expires_in":       {map[string]any{"expires_in": nil}, asked, scopes.TokenResponse, time.Time{}},
		"a negative life":     {map[string]any{"expires_in": -5}, asked, scopes.TokenResponse, time.Time{}},
		"an endless life":     {map[string]any{"expires_in": int64(1) << 62}, asked, scopes.TokenResponse, testNow.Add(10 * 365 * 24 * time.Hour)},
		"a life in words":     {map[string]any{"expires_in": "60"}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = c.answer
			got, err := newLogin(server, person).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Scopes.String() != c.scopes.String() || got.KnownBy != c.knownBy || !got.ExpiresAt.Equal(c.expires) {
				t.Errorf("scopes %q by %s until %s, want %q by %s until %s",
					got.Scopes, got.KnownBy, got.ExpiresAt, c.scopes, c.knownBy, c.expires)
			}
		})
	}
}

func TestTokenRefusals(t *testing.T) {
	secretInside := `{"access_token":"` + storetest.Marked + `","refresh_token":"` + storetest.Marked + `"`
	foreign := newAuthServer(t) // any request to it fails the test
	for name, c := range map[string]struct {
		tokens http.HandlerFunc
		want   oauth.TokenError // Problem: a part of it
	}{
		"an error answer":     {text(400, "application/json", `{"error":"invalid_grant","error_description":"bad\u001b[31m\ncode","error_uri":"https://e.example/x"}`), oauth.TokenError{Code: "invalid_grant", Description: "bad[31m code", URI: "https://e.example/x", Status: 400}},
		"an error with 200":   {text(200, "application/json", `{"error":"server_error"}`), oauth.TokenError{Code: "server_error", Status: 200}},
		"a 500":               {text(500, "text/html", "<h1>"+storetest.Marked+"</h1>"), oauth.TokenError{Status: 500, Problem: "500"}},
		"a 500 with JSON":     {text(503, "application/json", secretInside+"}"), oauth.TokenError{Status: 503, Problem: "503"}},
		"HTML with 200":       {text(200, "text/html", "<html>"+storetest.Marked), oauth.TokenError{Problem: "no token response"}},
		"JSON that ends":      {text(200, "application/json", secretInside), oauth.TokenError{Problem: "no token response"}},
		"no access token":     {text(200, "application/json", `{"token_type":"bearer","x":"`+storetest.Marked+`"}`), oauth.TokenError{Problem: "no token response"}},
		"a life that is none": {text(200, "application/json", secretInside+`,"token_type":"bearer","expires_in":"`+storetest.Marked+`"}`), oauth.TokenError{Problem: "no token response"}},
		"another token type":  {text(200, "application/json", secretInside+`,"token_type":"DPoP"}`), oauth.TokenError{Problem: "Bearer"}},
		"no token type":       {text(200, "application/json", secretInside+`}`), oauth.TokenError{Problem: "Bearer"}},
		"a line in the token": {text(200, "application/json", `{"access_token":"a\r\nX: y","token_type":"bearer"}`), oauth.TokenError{Problem: "characters"}},
		"an endless answer":   {text(200, "application/json", `{"access_token":"`+strings.Repeat("a", 2<<20)+`"}`), oauth.TokenError{Problem: "no token response"}},
		"a redirect of the code": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, foreign.URL+"/steal", http.StatusTemporaryRedirect)
		}, oauth.TokenError{Status: 307, Problem: "307"}},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.tokens = c.tokens
			var finished error
			login := newLogin(server, person)
			login.UI.Finish = func(_ context.Context, c *credential.Credential, err error) http.Handler {
				finished = err
				return text(200, "text/plain", "failed")
			}
			got, err := login.Run(t.Context())
			refusal, ok := errors.AsType[*oauth.TokenError](err)
			if !ok || got != nil {
				t.Fatalf("%v, %v", got, err)
			}
			problem := refusal.Problem
			refusal.Problem = c.want.Problem
			c.want.Host = strings.TrimPrefix(server.URL, "http://")
			if !strings.Contains(err.Error(), c.want.Host) || c.want.Status >= 500 && !strings.Contains(err.Error(), strconv.Itoa(c.want.Status)) {
				t.Errorf("neither who nor how: %v", err)
			}
			if diff := cmp.Diff(&c.want, refusal); diff != "" || !strings.Contains(problem, c.want.Problem) {
				t.Errorf("%q %s", problem, diff)
			}
			for _, shown := range []string{err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err), problem} {
				if storetest.Leaks(shown) || strings.Contains(shown, "\x1b") {
					t.Errorf("the error shows what it may not: %s", shown)
				}
			}
			if finished == nil || person.last().body != "failed" {
				t.Error("the browser was not told")
			}
			if len(server.sent()) != 1 {
				t.Errorf("a code was sent more than once: %v", server.sent())
			}
		})
	}
}
