package oauth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func TestTokenResponses(t *testing.T) {
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
		"a negative life":     {map[string]any{"expires_in": -5}, asked, scopes.TokenResponse, testNow},
		"no life":             {map[string]any{"expires_in": 0}, asked, scopes.TokenResponse, testNow},
		"no life, for good":   {map[string]any{"expires_in": 0, "refresh_token": nil}, asked, scopes.TokenResponse, time.Time{}},
		"a spent life, text":  {map[string]any{"expires_in": "0"}, asked, scopes.TokenResponse, testNow},
		"spent, with an end":  {map[string]any{"expires_in": 0, "expires_at": "2026-05-01T12:01:00Z"}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"a life of halves":    {map[string]any{"expires_in": json.RawMessage("3599.5")}, asked, scopes.TokenResponse, testNow.Add(3599*time.Second + 500*time.Millisecond)},
		"a life by exponent":  {map[string]any{"expires_in": json.RawMessage("3.6e3")}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"too large to count":  {map[string]any{"expires_in": json.RawMessage("1e400")}, asked, scopes.TokenResponse, testNow.Add(10 * 365 * 24 * time.Hour)},
		"many digits":         {map[string]any{"expires_in": json.RawMessage("36000000000000000000000000")}, asked, scopes.TokenResponse, testNow.Add(10 * 365 * 24 * time.Hour)},
		"halves in words":     {map[string]any{"expires_in": " 60.0 "}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"a life of no type":   {map[string]any{"expires_in": []any{}, "expires_at": 1777636860}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"an end in words":     {map[string]any{"expires_in": nil, "expires_at": "1777636860"}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"an end of no type":   {map[string]any{"expires_in": nil, "expires_at": "soon"}, asked, scopes.TokenResponse, time.Time{}},
		"one string, a list":  {map[string]any{"scope": []any{"a:read,b:write"}}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"one string of two":   {map[string]any{"scope": []any{"a:read b:write"}}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"scopes in a string":  {map[string]any{"scope": nil, "scopes": "a:read c:read"}, scopes.NewSet("a:read", "c:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"scope of no use":     {map[string]any{"scope": 7, "scopes": []any{"a:read"}}, scopes.NewSet("a:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"permissions":         {map[string]any{"scope": nil, "permissions": []any{"a:read"}}, scopes.NewSet("a:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"others' permissions": {map[string]any{"scope": nil, "permissions": []any{"a:read", "admin"}}, asked, scopes.Assumed, testNow.Add(time.Hour)},
		"an endless life":     {map[string]any{"expires_in": int64(1) << 62}, asked, scopes.TokenResponse, testNow.Add(10 * 365 * 24 * time.Hour)},
		"a life in words":     {map[string]any{"expires_in": "60"}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"a life in fractions": {map[string]any{"expires_in": 60.0e0}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"a life that is none": {map[string]any{"expires_in": "soon"}, asked, scopes.TokenResponse, time.Time{}},
		"an end":              {map[string]any{"expires_in": nil, "expires_at": "2026-05-01T12:01:00Z"}, asked, scopes.TokenResponse, testNow.Add(time.Minute)},
		"an empty type":       {map[string]any{"token_type": ""}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"a type and a blank":  {map[string]any{"token_type": "bearer "}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"no token_type":       {map[string]any{"token_type": nil}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"commas":              {map[string]any{"scope": "a:read,c:read"}, scopes.NewSet("a:read", "c:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"commas and spaces":   {map[string]any{"scope": "a:read, b:write"}, asked, scopes.TokenResponse, testNow.Add(time.Hour)},
		"a comma of a scope":  {map[string]any{"scope": "x,y"}, scopes.NewSet("x,y"), scopes.TokenResponse, testNow.Add(time.Hour)},
		"another name":        {map[string]any{"scope": nil, "scopes": []any{"a:read"}}, scopes.NewSet("a:read"), scopes.TokenResponse, testNow.Add(time.Hour)},
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

// A JWT tells what it holds where nobody else does, and is believed in nothing else.
func TestScopesThatAJWTClaims(t *testing.T) {
	asked := scopes.NewSet("a:read", "b:write", "openid", "offline_access")
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for name, c := range map[string]struct {
		token   string
		said    any // scope of the response
		scopes  scopes.Set
		knownBy scopes.KnownBy
	}{
		"a string":          {jwt(`{"scope": "a:read c:read"}`), nil, scopes.NewSet("a:read", "c:read", "openid", "offline_access"), scopes.JWT},
		"a list":            {jwt(`{"scp": ["a:read"], "exp": 1}`), nil, scopes.NewSet("a:read", "openid", "offline_access"), scopes.JWT},
		"a string of scp":   {jwt(`{"scp": "a:read"}`), nil, scopes.NewSet("a:read", "openid", "offline_access"), scopes.JWT},
		"nothing":           {jwt(`{"scope": ""}`), nil, scopes.NewSet("openid", "offline_access"), scopes.JWT},
		"no claim":          {jwt(`{"sub": "x"}`), nil, asked, scopes.Assumed},
		"a claim of no use": {jwt(`{"scope": 7}`), nil, asked, scopes.Assumed},
		"no JSON":           {jwt(`scope`), nil, asked, scopes.Assumed},
		"no JWT":            {"a.b", nil, asked, scopes.Assumed},
		"no base64":         {"a.?.b", nil, asked, scopes.Assumed},
		"encrypted":         {"a.b.c.d.e", nil, asked, scopes.Assumed},
		"the server said":   {jwt(`{"scope": "a:read"}`), "b:write", scopes.NewSet("b:write", "offline_access"), scopes.TokenResponse},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = map[string]any{"access_token": c.token, "scope": c.said}
			login := newLogin(server, person)
			login.Scopes = asked
			got, err := login.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Scopes.String() != c.scopes.String() || got.KnownBy != c.knownBy {
				t.Errorf("scopes %q by %s, want %q by %s", got.Scopes, got.KnownBy, c.scopes, c.knownBy)
			}
		})
	}
}

// Where a server sends its token response as a form, absent is not empty either.
func TestTokenForms(t *testing.T) {
	asked := scopes.NewSet("a:read", "b:write")
	for body, want := range map[string]struct {
		scopes  scopes.Set
		knownBy scopes.KnownBy
	}{
		"access_token=acc&scope=a%3Aread%2Cb%3Awrite&token_type=bearer": {asked, scopes.TokenResponse},
		"access_token=acc&scope=&token_type=bearer":                     {scopes.Set{}, scopes.TokenResponse},
		"access_token=acc&token_type=bearer&expires_in=60":              {asked, scopes.Assumed},
	} {
		for _, kind := range []string{"application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""} {
			server, person := newAuthServer(t), newPerson(t)
			server.tokens = text(200, kind, body)
			got, err := newLogin(server, person).Run(t.Context())
			if err != nil || got.Access.Reveal() != "acc" || got.Scopes.String() != want.scopes.String() || got.KnownBy != want.knownBy {
				t.Errorf("%s as %q: %+v, %v", body, kind, got, err)
			}
			if expires := strings.Contains(body, "expires_in"); err == nil && got.ExpiresAt.IsZero() == expires {
				t.Errorf("%s as %q: it ends at %s", body, kind, got.ExpiresAt)
			}
		}
	}
}

// The forms in which servers send the same response.
func TestTokenBodies(t *testing.T) {
	const response = `{"access_token":"acc","refresh_token":"ref","expires_in":60,"scope":"a:read","big":123456789012345678901234567890}`
	for name, answer := range map[string]http.HandlerFunc{
		"JSON":                    text(200, "application/json", response),
		"a byte order mark":       text(200, "application/json; charset=utf-8", "\xef\xbb\xbf"+response),
		"as text":                 text(200, "text/plain", "\xef\xbb\xbf"+response),
		"as a page":               text(200, "text/html; charset=utf-8", "\n"+response),
		"as nothing":              text(200, "", response),
		"as bytes":                text(200, "application/octet-stream", response),
		"as a form that it isn't": text(200, "application/x-www-form-urlencoded", response),
		"201":                     text(201, "application/json", response),
		"in an object":            text(200, "application/json", `{"ok":true,"user":{"name":"x"},"authed":`+response+`}`),
		"in a list of one":        text(200, "application/json", `{"data":[`+response+`]}`),
	} {
		server, person := newAuthServer(t), newPerson(t)
		server.tokens = answer
		var details []string
		login := newLogin(server, person)
		login.UI.Detail = func(sentence string) { details = append(details, sentence) }
		got, err := login.Run(t.Context())
		if err != nil || got.Access.Reveal() != "acc" || got.Refresh.Reveal() != "ref" || got.Scopes.String() != "a:read" || !got.ExpiresAt.Equal(testNow.Add(time.Minute)) || got.TokenType != "Bearer" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if diff := cmp.Diff([]string{"the token response names no token_type, and is taken for Bearer"}, details); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Which of two tokens is meant is not guessed, and an error beside a token is one.
func TestTokensThatAreNotTaken(t *testing.T) {
	for body, problem := range map[string]string{
		`{"a":{"access_token":"x"},"b":{"access_token":"y"}}`:  "access_token is missing",
		`{"data":[{"access_token":"x"},{"access_token":"y"}]}`: "access_token is missing",
		`{"error":"invalid_grant","a":{"access_token":"x"}}`:   "invalid_grant",
		`{"access_token":"x","token_type":7}`:                  "not Bearer",
		`{"access_token":"x","token_type":"mac"}`:              `not Bearer but "mac"`,
		`{"access_token":"x","token_type":["DPoP"]}`:           `not Bearer but "DPoP"`,
	} {
		server, person := newAuthServer(t), newPerson(t)
		server.tokens = text(200, "application/json", body)
		if _, err := newLogin(server, person).Run(t.Context()); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A token that its server gives under another type than Bearer is used where the provider's file
// names that type.
func TestTokenTypeOfTheProvider(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.tokens = text(200, "application/json", `{"ok":true,"authed_user":{"scope":"a:read,b:write","access_token":"acc_1","token_type":"user"}}`)
	login := newLogin(server, person)
	login.Provider = &provider.Provider{Credentials: []provider.CredentialKind{{Prefix: "acc_", TokenType: "user"}}}
	got, err := login.Run(t.Context())
	if err != nil || got.Access.Reveal() != "acc_1" || got.Scopes.String() != "a:read b:write" || got.TokenType != "Bearer" {
		t.Errorf("%+v, %v", got, err)
	}
}

// How long a busy token endpoint asks to wait is told.
func TestTokenEndpointIsBusy(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.tokens = limitedFor("3600")
	_, err := newLogin(server, person).Run(t.Context())
	if busy, ok := errors.AsType[*guard.Error](err); !ok || busy.RetryAfter != time.Hour || len(server.sent()) != 1 {
		t.Errorf("%v after %v", err, server.sent())
	}
}

func TestTokenRefusals(t *testing.T) {
	secretInside := `{"access_token":"` + storetest.Marked + `","refresh_token":"` + storetest.Marked + `"`
	foreign := newAuthServer(t) // any request to it fails the test
	for name, c := range map[string]struct {
		tokens  http.HandlerFunc
		want    oauth.ResponseError // Problem: a part of it
		kind    guard.Kind          // where it is a [guard.Error] instead
		revoked []string
	}{
		"an error response":      {text(400, "application/json", `{"error":"invalid_grant","error_description":"bad\u001b[31m\ncode","error_uri":"https://e.example/x"}`), oauth.ResponseError{Code: "invalid_grant", Description: `bad\x1b[31m code`, URI: "https://e.example/x", Status: 400}, "", nil},
		"an error form":          {text(400, "application/x-www-form-urlencoded", "error=invalid_grant&error_description=no+such+code"), oauth.ResponseError{Code: "invalid_grant", Description: "no such code", Status: 400}, "", nil},
		"an error with 200":      {text(200, "application/json", `{"error":"server_error"}`), oauth.ResponseError{Code: "server_error", Status: 200}, "", nil},
		"an error with 503":      {text(503, "application/json", `{"error":"temporarily_unavailable"}`), oauth.ResponseError{Code: "temporarily_unavailable", Status: 503}, "", nil},
		"a 400 of no words":      {text(400, "text/html", "<h1>"+storetest.Marked+"</h1>"), oauth.ResponseError{Status: 400, Problem: "400 Bad Request, without an error code"}, "", nil},
		"a 500":                  {text(500, "text/html", "<h1>"+storetest.Marked+"</h1>"), oauth.ResponseError{}, guard.KindStatus, nil},
		"a 503 with a token":     {text(503, "application/json", secretInside+"}"), oauth.ResponseError{}, guard.KindStatus, nil},
		"HTML with 200":          {text(200, "text/html", "<html>"+storetest.Marked), oauth.ResponseError{Problem: "it is a page of HTML"}, "", nil},
		"JSON that ends":         {text(200, "application/json", secretInside), oauth.ResponseError{Problem: "it is JSON that ends in the middle"}, "", nil},
		"a token twice":          {text(200, "application/json", secretInside+`,"access_token":"x"}`), oauth.ResponseError{Problem: `it has "access_token" twice`}, "", nil},
		"no access token":        {text(200, "application/json", `{"token_type":"bearer","x":"`+storetest.Marked+`"}`), oauth.ResponseError{Problem: "its access_token is missing"}, "", nil},
		"a token of no type":     {text(200, "application/json", `{"access_token":{"x":"`+storetest.Marked+`"}}`), oauth.ResponseError{Problem: "its access_token is an object, not a string"}, "", nil},
		"words of its own shape": {text(400, "application/json", `{"error":{"code":"expired","message":"This code was used before."}}`), oauth.ResponseError{Status: 400, Problem: `"This code was used before."`}, "", nil},
		"words and no code":      {text(403, "application/json", `{"errors":[{"detail":"The client is suspended."}]}`), oauth.ResponseError{Status: 403, Problem: `"The client is suspended."`}, "", nil},
		"another token type":     {text(200, "application/json", secretInside+`,"token_type":"DPoP"}`), oauth.ResponseError{Problem: "Bearer"}, "", []string{storetest.Marked, storetest.Marked}},
		"a type of no type":      {text(200, "application/json", secretInside+`,"token_type":{}}`), oauth.ResponseError{Problem: "Bearer"}, "", []string{storetest.Marked, storetest.Marked}},
		"a line in the token":    {text(200, "application/json", `{"access_token":"a\r\nX: y","token_type":"bearer"}`), oauth.ResponseError{Problem: "characters"}, "", []string{"a\r\nX: y"}},
		"an endless response":    {text(200, "application/json", `{"access_token":"`+strings.Repeat("a", 2<<20)+`"}`), oauth.ResponseError{}, guard.KindInvalid, nil},
		"a redirect of the code": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, foreign.URL+"/steal", http.StatusTemporaryRedirect)
		}, oauth.ResponseError{}, guard.KindRedirect, nil},
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
			if got != nil || err == nil {
				t.Fatalf("%v, %v", got, err)
			}
			host := strings.TrimPrefix(server.URL, "http://")
			if trouble, ok := errors.AsType[*guard.Error](err); ok != (c.kind != "") || ok && (trouble.Kind != c.kind || trouble.Host != host) {
				t.Errorf("%v, want kind %q", err, c.kind)
			}
			if refusal, ok := errors.AsType[*oauth.ResponseError](err); ok {
				problem := refusal.Problem
				c.want.Endpoint, c.want.Host, refusal.Problem = oauth.TokenEndpoint, host, c.want.Problem
				if diff := cmp.Diff(&c.want, refusal); diff != "" || !strings.Contains(problem, c.want.Problem) {
					t.Errorf("%q %s", problem, diff)
				}
				refusal.Problem = problem
			}
			if !strings.Contains(err.Error(), host) || c.want.Status >= 500 && !strings.Contains(err.Error(), strconv.Itoa(c.want.Status)) {
				t.Errorf("neither who nor how: %v", err)
			}
			if shown := fmt.Sprintf("%v %+v %#v", err, err, err); storetest.Leaks(shown) || strings.Contains(shown, "\x1b") {
				t.Errorf("the error shows what it may not: %s", shown)
			}
			if finished == nil || person.last().body != "failed" {
				t.Error("the browser was not told")
			}
			if codes := slices.Index(append(server.sent(), "POST /revoke"), "POST /revoke"); codes != 1 {
				t.Errorf("a code was sent more than once: %v", server.sent())
			}
			if diff := cmp.Diff(c.revoked, server.revoked); diff != "" { // what is not used does not live on
				t.Error(diff)
			}
		})
	}
}

// The token responses of real services, as their documentation has them.
func TestRealTokenResponses(t *testing.T) {
	raw, err := os.ReadFile("testdata/token_responses.json")
	if err != nil {
		t.Fatal(err)
	}
	var samples []struct {
		Service, Case, Body string
		ContentType         string `json:"content_type"`
	}
	if err := json.Unmarshal(raw, &samples); err != nil || len(samples) < 25 {
		t.Fatalf("%d samples: %v", len(samples), err)
	}
	names := make(map[string]int)
	for _, sample := range samples {
		if sample.Body == "" { // only what others tell of it is known
			continue
		}
		names[sample.Service]++
		name := fmt.Sprintf("%s %d", sample.Service, names[sample.Service])
		t.Run(name, func(t *testing.T) {
			want, ok := realTokens[name]
			if !ok {
				t.Fatalf("nothing is expected of it: %s", sample.Body)
			}
			server, person := newAuthServer(t), newPerson(t)
			server.tokens = text(200, sample.ContentType, strings.NewReplacer("{ACCESS_TOKEN}", "acc", "{REFRESH_TOKEN}", "ref").Replace(sample.Body))
			login := newLogin(server, person)
			asked := scopes.NewSet(append(strings.Fields(want.scopes), "not:granted")...)
			login.Scopes = asked.Minus(scopes.NewSet("openid")) // their ID tokens are no real ones
			got, err := login.Run(t.Context())
			if want.problem != "" {
				if err == nil || !strings.Contains(err.Error(), want.problem) {
					t.Errorf("%v, want %q", err, want.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			granted := got.Scopes.String()
			if got.KnownBy == scopes.Assumed {
				granted = "assumed"
			}
			lifetime := time.Duration(0)
			if !got.ExpiresAt.IsZero() {
				lifetime = got.ExpiresAt.Sub(testNow)
			}
			if granted != want.scopes || lifetime != time.Duration(want.seconds)*time.Second || !got.Refresh.Empty() != want.refresh {
				t.Errorf("%q for %s, to be renewed %v; want %+v", granted, lifetime, !got.Refresh.Empty(), want)
			}
		})
	}
}

// What others send, each put together from what its service's documentation or clients say of it:
// the form is real, the values are not.
func TestOtherTokenResponses(t *testing.T) {
	const never, hour = time.Duration(0), time.Hour
	for name, tt := range map[string]struct {
		body     string
		asked    string
		granted  string // "assumed" where the response does not say
		lifetime time.Duration
		refresh  bool
	}{
		"scopes in an array":       {`{"access_token":"acc","expires_in":14124,"refresh_token":"ref","scope":["channel:moderate","chat:edit"],"token_type":"bearer"}`, "channel:moderate chat:edit", "channel:moderate chat:edit", 14124 * time.Second, true},
		"scopes in a string":       {`{"access_token":"acc","scopes":"pullrequest account","expires_in":7200,"refresh_token":"ref","token_type":"bearer","state":"authorization_code"}`, "account", "pullrequest account", 2 * hour, true},
		"in a list of one":         {`{"data":[{"access_token":"acc","user_id":"1020","permissions":"basic,manage_messages"}]}`, "basic manage_messages", "basic manage_messages", never, false},
		"under data":               {`{"data":{"access_token":"acc","expires_in":3600,"refresh_token":"ref","scope":"user.info.basic,video.list"},"message":"success"}`, "user.info.basic video.list", "user.info.basic video.list", hour, true},
		"an end in place of life":  {`{"access_token":"acc","token_type":"bearer","expires_at":"2026-05-01T13:00:00Z","merchant_id":"M","refresh_token":"ref","short_lived":false}`, "PAYMENTS_READ", "assumed", hour, true},
		"an end beside a life":     {`{"token_type":"Bearer","expires_at":1777640400,"expires_in":3600,"refresh_token":"ref","access_token":"acc","athlete":{"id":227615}}`, "read", "assumed", hour, true},
		"no end, a date of issue":  {`{"access_token":"acc","refresh_token":"ref","signature":"s","scope":"refresh_token api","instance_url":"https://x.example","id":"https://y.example/id/1","token_type":"Bearer","issued_at":"1777636800000"}`, "api refresh_token", "refresh_token api", never, true},
		"the token alone":          {`{"access_token":"acc"}`, "a", "assumed", never, false},
		"0 for never, scope null":  {`{"access_token":"acc","expires_in":0,"scope":null}`, "a", "assumed", never, false},
		"a list that limits":       {`{"access_token":"acc","expires_in":4169,"restricted_to":[],"refresh_token":"ref","token_type":"bearer"}`, "root_readwrite", "assumed", 4169 * time.Second, true},
		"a life in words":          {`{"access_token":"acc","refresh_token":"ref","expires_in":"3600","token_type":"Bearer","scope":"api"}`, "api", "api", hour, true},
		"commas where blanks went": {`{"access_token":"acc","expires_in":3600,"refresh_token_expires_in":31536059,"scope":"r_ads,rw_ads"}`, "r_ads rw_ads", "r_ads rw_ads", hour, false},
	} {
		server, person := newAuthServer(t), newPerson(t)
		server.tokens = text(200, "application/json", tt.body)
		login := newLogin(server, person)
		login.Scopes = scopes.NewSet(strings.Fields(tt.asked)...)
		got, err := login.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		granted, lifetime := got.Scopes.String(), never
		if got.KnownBy == scopes.Assumed {
			granted = "assumed"
		}
		if !got.ExpiresAt.IsZero() {
			lifetime = got.ExpiresAt.Sub(testNow)
		}
		if got.Access.Reveal() != "acc" || granted != tt.granted || lifetime != tt.lifetime || got.Renewable() != tt.refresh {
			t.Errorf("%s: %q for %s, renewable %v", name, granted, lifetime, got.Renewable())
		}
	}
}

// realTokens are what is in them.
var realTokens = map[string]struct {
	scopes  string // "assumed" where the response does not say
	seconds int    // that it lives; 0 where nobody says
	refresh bool
	problem string // why there is no token, for a provider's file to know better
}{
	"HubSpot 1":                        {"crm.objects.contacts.read oauth", 1800, true, ""},
	"Dropbox 1":                        {"account_info.read files.content.read files.metadata.read", 14400, true, ""},
	"Airtable 1":                       {"data.records:read data.records:write schema.bases:read", 3600, true, ""},
	"Notion 1":                         {"assumed", 0, true, ""},
	"Atlassian 1":                      {"read:jira-work read:jira-user offline_access", 3600, true, ""},
	"Figma 1":                          {"assumed", 7776000, true, ""},
	"Canva 1":                          {"asset:read design:meta:read design:permission:read folder:read", 14400, true, ""},
	"Stripe 1":                         {"read_write", 0, true, ""},
	"Shopify 1":                        {"write_orders read_customers", 86399, false, ""},
	"Shopify 2":                        {"read_products write_products", 3600, true, ""},
	"DigitalOcean 1":                   {"read write", 2592000, true, ""},
	"Vercel 1":                         {"assumed", 0, false, ""},
	"Sentry 1":                         {"org:read project:read", 2591999, true, ""},
	"PagerDuty 2":                      {"as_account-us.companysubdomain incidents.read services.read", 2592000, false, ""},
	"Spotify 1":                        {"playlist-read-private playlist-modify-private", 3600, false, ""},
	"Discord 1":                        {"identify", 604800, true, ""},
	"LinkedIn 1":                       {"r_basicprofile", 86400, true, ""},
	"YouTube Data API / Google APIs 1": {"https://www.googleapis.com/auth/drive", 3599, true, ""},
	"Slack 1":                          {"", 0, false, `its token_type is not Bearer but "user"`}, // see [TestTokenTypeOfTheProvider]
	"GitHub 1":                         {"repo gist", 0, false, ""},
	"GitLab 1":                         {"assumed", 7200, true, ""},
	"PostHog 1":                        {"event_definition:write", 3600, true, ""},
	"Okta 1":                           {"okta.users.read", 3600, false, ""},
	"Snyk 1":                           {"org.read org.project.read", 3600, true, ""},
	"Xero 1":                           {"openid profile email accounting.transactions offline_access", 1800, true, ""},
	"PagerDuty 1":                      {"openid write", 864000, true, ""},
	"Keycloak 1":                       {"openid profile email", 300, true, ""},
}
