package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// registering is a registration at a server that answers so, with the requests that it was sent.
func registering(t *testing.T, answers ...http.HandlerFunc) (*oauth.Registration, *[]map[string]any) {
	t.Helper()
	var sent []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		var asked map[string]any
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		sent = append(sent, asked)
		answers[min(len(sent), len(answers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	known := &metadata.AuthorizationServer{Issuer: "https://id.example", RegistrationEndpoint: server.URL}
	return &oauth.Registration{Server: known, Name: "ambit", Scopes: scopes.NewSet("a:read", "b:write")}, &sent
}

const redirect = "http://127.0.0.1:1/callback"

// Whoever goes away while the server registers the client gets it all the same; one who went away
// before asks for none, and none is asked for anew where the request was refused meanwhile.
func TestRegisterOutlivesTheEnd(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	registration, sent := registering(t, func(w http.ResponseWriter, r *http.Request) {
		end()
		text(201, "application/json", `{"client_id":"new-client"}`)(w, r)
	})
	if got, err := registration.Register(ctx, redirect); err != nil || got.ID != "new-client" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := registration.Register(ctx, redirect); !errors.Is(err, context.Canceled) || len(*sent) != 1 {
		t.Errorf("%v, %d requests", err, len(*sent))
	}
	ctx, end = context.WithCancel(t.Context())
	registration, sent = registering(t, func(w http.ResponseWriter, r *http.Request) {
		end()
		text(400, "application/json", `{"error":"invalid_client_metadata"}`)(w, r)
	})
	if _, err := registration.Register(ctx, redirect); err == nil || len(*sent) != 1 {
		t.Errorf("%v, %d requests", err, len(*sent))
	}
}

func TestRegister(t *testing.T) {
	registration, sent := registering(t, text(201, "application/json", `{"client_id":"new-client","token_endpoint_auth_method":"none"}`))
	got, err := registration.Register(t.Context(), redirect)
	if err != nil {
		t.Fatal(err)
	}
	want := &client.Registered{
		Client: client.Client{ID: "new-client", Method: provider.AuthNone, ByServer: true}, Issuer: "https://id.example",
		RedirectURIs: []string{redirect, "http://127.0.0.1/callback"}, Scopes: registration.Scopes,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wire := map[string]any{ // RFC 7591 §2
		"redirect_uris": []any{redirect, "http://127.0.0.1/callback"}, "client_name": "ambit", "scope": "a:read b:write",
		"token_endpoint_auth_method": "none", "grant_types": []any{"authorization_code", "refresh_token"},
		"response_types": []any{"code"}, "application_type": "native",
	}
	if diff := cmp.Diff([]map[string]any{wire}, *sent); diff != "" {
		t.Error(diff)
	}
}

// The server sets the method; what is asked for is what it lists, without a secret where it can be.
func TestRegisteredMethod(t *testing.T) {
	const basic, post = `"client_secret":"s","token_endpoint_auth_method":"client_secret_basic"`, `"client_secret":"s","token_endpoint_auth_method":"client_secret_post"`
	end := time.Unix(1900000000, 0).UTC()
	for name, tt := range map[string]struct {
		named    provider.AuthMethod
		listed   []string
		response string // but for client_id
		asked    string
		want     provider.AuthMethod
		secret   string
		end      time.Time
	}{
		"no list":                      {"", nil, ``, "none", provider.AuthNone, "", time.Time{}},
		"none is listed":               {"", []string{"client_secret_basic", "none"}, ``, "none", provider.AuthNone, "", time.Time{}},
		"a secret all the same":        {"", []string{"none"}, basic, "none", provider.AuthBasic, "s", time.Time{}},
		"basic is listed":              {"", []string{"client_secret_post", "client_secret_basic"}, basic + `,"client_secret_expires_at":0`, "client_secret_basic", provider.AuthBasic, "s", time.Time{}},
		"post is listed":               {"", []string{"client_secret_post"}, post + `,"client_secret_expires_at":1900000000`, "client_secret_post", provider.AuthPost, "s", end},
		"only others are listed":       {"", []string{"private_key_jwt"}, ``, "none", provider.AuthNone, "", time.Time{}},
		"the file names one":           {provider.AuthPost, []string{"none"}, post, "client_secret_post", provider.AuthPost, "s", time.Time{}},
		"a secret, and no method":      {"", []string{"client_secret_post"}, `"client_secret":"s"`, "client_secret_post", provider.AuthPost, "s", time.Time{}},
		"a secret with a blank":        {"", nil, `"client_secret":"two words","token_endpoint_auth_method":"client_secret_post"`, "none", provider.AuthPost, "two words", time.Time{}},
		"a secret that nobody wanted":  {"", nil, `"client_secret":"s"`, "none", provider.AuthBasic, "s", time.Time{}},
		"a secret that is of no use":   {"", nil, `"client_secret":"s","token_endpoint_auth_method":"none"`, "none", provider.AuthNone, "", time.Time{}},
		"what manages it is not kept":  {"", nil, `"registration_access_token":"r","registration_client_uri":"https://id.example/r"`, "none", provider.AuthNone, "", time.Time{}},
		"an end of no form is not one": {"", nil, basic + `,"client_secret_expires_at":"soon"`, "none", provider.AuthBasic, "s", time.Time{}},
	} {
		registration, sent := registering(t, text(201, "application/json", `{"client_id":"c"`+strings.TrimSuffix(","+tt.response, ",")+`}`))
		registration.Method, registration.Server.TokenEndpointAuthMethodsSupported = tt.named, tt.listed
		got, err := registration.Register(t.Context(), redirect)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (*sent)[0]["token_endpoint_auth_method"] != tt.asked {
			t.Errorf("%s: asked for %v", name, (*sent)[0]["token_endpoint_auth_method"])
		}
		if got.Method != tt.want || got.Secret.Reveal() != tt.secret || !got.ExpiresAt.Equal(tt.end) {
			t.Errorf("%s: %s, %q, %s", name, got.Method, got.Secret.Reveal(), got.ExpiresAt)
		}
	}
}

// Some servers count their clients: an id that is a number is that text.
func TestRegisteredNumber(t *testing.T) {
	registration, _ := registering(t, text(201, "application/json", `{"client_id":90071992547409931}`))
	if got, err := registration.Register(t.Context(), redirect); err != nil || got.ID != "90071992547409931" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a registration could do without does not end it: it is asked once more, and not again.
func TestRegisterWithoutWhatIsOptional(t *testing.T) {
	const refused = `{"error":"invalid_client_metadata","error_description":"application_type"}`
	good := text(201, "application/json", `{"client_id":"c"}`)
	for name, tt := range map[string]struct {
		answers  []http.HandlerFunc
		requests int
		code     string
	}{
		"refused once":      {[]http.HandlerFunc{text(400, "application/json", refused), good}, 2, ""},
		"unprocessable":     {[]http.HandlerFunc{text(422, "text/plain", "no scope"), good}, 2, ""},
		"a redirect URI":    {[]http.HandlerFunc{text(400, "application/json", `{"error":"invalid_redirect_uri"}`), good}, 2, ""},
		"refused twice":     {[]http.HandlerFunc{text(400, "application/json", refused)}, 2, "invalid_client_metadata"},
		"nobody may":        {[]http.HandlerFunc{text(403, "application/json", `{"error":"access_denied"}`), good}, 1, "access_denied"},
		"a token is wanted": {[]http.HandlerFunc{text(401, "application/json", `{"error":"invalid_token"}`), good}, 1, "invalid_token"},
		"accepted at first": {[]http.HandlerFunc{good}, 1, ""},
	} {
		registration, sent := registering(t, tt.answers...)
		got, err := registration.Register(t.Context(), redirect)
		if len(*sent) != tt.requests {
			t.Errorf("%s: %d requests", name, len(*sent))
		}
		if refused, ok := errors.AsType[*oauth.ResponseError](err); ok != (tt.code != "") || ok && refused.Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && tt.requests == 2 && got.Scopes.Len() != 0 {
			t.Errorf("%s: registered for %s, of which the server knows nothing", name, got.Scopes)
		}
		if tt.requests == 2 {
			want := map[string]any{
				"redirect_uris": []any{redirect}, "client_name": "ambit", "token_endpoint_auth_method": "none",
				"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"},
			}
			if diff := cmp.Diff(want, (*sent)[1]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestRegisterFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
		says   string
	}{
		"a refusal":       {text(400, "application/json", `{"error":"invalid_redirect_uri","error_description":"no\nhttp"}`), "invalid_redirect_uri", `"no http"`},
		"no words":        {text(403, "text/html", "<html>"), "", "403"},
		"no client id":    {text(201, "application/json", `{}`), "", "client_id"},
		"HTML":            {text(200, "text/html", "<html>"), "", "its response is a page of HTML"},
		"a wrong type":    {text(201, "application/json", `{"client_id":{}}`), "", "client_id"},
		"a line in it":    {text(201, "application/json", `{"client_id":"a\r\nb"}`), "", "client_id"},
		"no secret":       {text(201, "application/json", `{"client_id":"a","token_endpoint_auth_method":"client_secret_basic"}`), "", "no usable client_secret"},
		"an unusable one": {text(201, "application/json", `{"client_id":"a","client_secret":"`+storetest.Marked+`\n","token_endpoint_auth_method":"client_secret_post"}`), "", "no usable client_secret"},
		"another method":  {text(201, "application/json", `{"client_id":"a","client_secret":"`+storetest.Marked+`","token_endpoint_auth_method":"private_key_jwt"}`), "", `by "private_key_jwt"`},
	} {
		registration, _ := registering(t, c.answer)
		_, err := registration.Register(t.Context(), "http://localhost/")
		refusal, ok := errors.AsType[*oauth.ResponseError](err)
		if !ok || refusal.Endpoint != oauth.RegistrationEndpoint || refusal.Code != c.code || !strings.Contains(err.Error(), c.says) || storetest.Leaks(err.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	foreign := &metadata.AuthorizationServer{RegistrationEndpoint: "https://thief.example.com/"}
	_, err := (&oauth.Registration{Server: foreign}).Register(t.Context())
	if _, ok := errors.AsType[*trust.UntrustedHostError](err); !ok {
		t.Errorf("err = %v", err)
	}
}

// Only the server's own word says that a client is forgotten.
func TestForgotten(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   bool
	}{
		"invalid_client":      {text(401, "application/json", `{"error":"invalid_client"}`), true},
		"unauthorized_client": {text(400, "application/json", `{"error":"unauthorized_client"}`), true},
		"the code is wrong":   {text(400, "application/json", `{"error":"invalid_grant"}`), false},
		"no words":            {text(401, "text/html", ""), false},
		"in trouble":          {text(503, "application/json", `{"error":"invalid_client"}`), false},
		"not there":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
	} {
		server := newAuthServer(t)
		who := client.Client{ID: testClient, Secret: credential.NewSecret("s"), Method: provider.AuthBasic}
		server.client = who
		server.tokens = func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			server.authenticate(r, form)
			tt.answer(w, r)
		}
		if got := (&oauth.Registration{Server: server.metadata()}).Forgotten(t.Context(), who, redirect); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A client that the server does not know any more gives way to another, once: the browser is led on
// to the new request.
func TestLoginRegistersAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		another  client.Client
		refusals int // of the token endpoint, before all is well
		asked    []string
		ok       bool
	}{
		"another":           {client.Public(testClient), 1, []string{"", "old"}, true},
		"unknown too":       {client.Public(testClient), 2, []string{"", "old"}, false},
		"there is no other": {client.Public("old"), 1, []string{"", "old"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			refusals := tt.refusals
			server.tokens = func(w http.ResponseWriter, r *http.Request) {
				if refusals--; refusals >= 0 {
					reply(w, 401, map[string]any{"error": "invalid_client"})
					return
				}
				server.token(w, r)
			}
			server.anyClient = true
			login := newLogin(server, person)
			login.Client = client.Client{}
			var asked []string
			login.Register = func(_ context.Context, _ string, unknown client.Client) (client.Client, error) {
				asked = append(asked, unknown.ID)
				if unknown.ID == "" {
					return client.Public("old"), nil
				}
				return tt.another, nil
			}
			c, err := login.Run(t.Context())
			if !slices.Equal(asked, tt.asked) || (err == nil) != tt.ok {
				t.Fatalf("%q, %v", asked, err)
			}
			if tt.ok && (c.ClientID != testClient || server.lastAsked().Get("client_id") != testClient) {
				t.Errorf("logged in as %q", c.ClientID)
			}
		})
	}
}
