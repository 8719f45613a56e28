package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

// loggedIn is a login of a server, with what its token response said.
func loggedIn(access, issuer, clientID string, granted ...string) *credential.Credential {
	return &credential.Credential{
		Access: credential.NewSecret(access), Issuer: issuer, ClientID: clientID,
		Grant: scopes.Grant{Kind: scopes.AccessToken, KnownBy: scopes.TokenResponse, Scopes: scopes.NewSet(granted...)},
	}
}

// Who asks is what the provider's file says: the token itself, or the client by its id.
func TestIntrospectionCaller(t *testing.T) {
	const token = storetest.Marked
	for name, tt := range map[string]struct {
		access, clientID string
		ids              map[string]string // of the provider's file
		elsewhere        bool              // another server gave the token
		authorization    string
		body             string
	}{
		"bearer, form":                {"acc_" + token, "c 1", nil, false, "Bearer acc_" + token, "token=acc_" + token},
		"bearer, JSON":                {"jsn_" + token, "c 1", nil, false, "Bearer jsn_" + token, `{"token":"jsn_` + token + `"}`},
		"client, form":                {"cli_" + token, "c 1", nil, false, "", "client_id=c+1&token=cli_" + token},
		"client, JSON":                {"cjs_" + token, "c 1", nil, false, "", `{"client_id":"c 1","token":"cjs_` + token + `"}`},
		"the login's client":          {"cli_" + token, "own", map[string]string{"here": "file"}, false, "", "client_id=own&token=cli_" + token},
		"another server's login":      {"cli_" + token, "own", map[string]string{"here": "file"}, true, "", "client_id=file&token=cli_" + token},
		"a token in a key's place":    {"cli_" + token, "", map[string]string{"here": "file"}, true, "", "client_id=file&token=cli_" + token},
		"nobody knows a client's id":  {"cli_" + token, "", nil, false, "", "token=cli_" + token},
		"a client's id beside bearer": {"acc_" + token, "", map[string]string{"here": "file"}, false, "Bearer acc_" + token, "token=acc_" + token},
	} {
		t.Run(name, func(t *testing.T) {
			var authorization, body string
			inspector := inspecting(t, func(w http.ResponseWriter, r *http.Request) {
				sent, _ := io.ReadAll(r.Body)
				authorization, body = r.Header.Get("Authorization"), string(sent)
				text(200, "application/json", `{"active":true,"scope":"a:read","granted":["a:read"]}`)(w, r)
			})
			inspector.Provider.Client.IDs = tt.ids
			issuer := inspector.Server.Issuer
			if tt.elsewhere {
				issuer = "https://elsewhere.example"
			}
			if _, err := inspector.Inspect(t.Context(), loggedIn(tt.access, issuer, tt.clientID)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.authorization, tt.body}, []string{authorization, body}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Only "active": false says that a token is dead. A refusal says so where the token itself was
// what asked; of a client that may not ask it says nothing about the token.
func TestIntrospectionRefused(t *testing.T) {
	const unknownClient = `{"error":"invalid_client","error_description":"Client authentication failed."}`
	for name, tt := range map[string]struct {
		answer         http.HandlerFunc
		client, itself credential.Standing
		says           string
	}{
		"inactive":              {text(200, "application/json", `{"active":false}`), credential.StandingNotKnown, credential.StandingNotKnown, "not active"},
		"active":                {text(200, "application/json", `{"active":true,"scope":"a:read"}`), credential.StandingKnown, credential.StandingKnown, ""},
		"inactive, with a 400":  {text(400, "application/json", `{"active":false}`), credential.StandingNoAnswer, credential.StandingNoAnswer, "400"},
		"inactive, with a 500":  {text(500, "application/json", `{"active":false}`), credential.StandingNoAnswer, credential.StandingNoAnswer, "500"},
		"400":                   {text(400, "application/json", `{"error":"invalid_request"}`), credential.StandingNoAnswer, credential.StandingNoAnswer, `400 Bad Request, "invalid_request"`},
		"401, of the client":    {text(401, "application/json", unknownClient), credential.StandingNoAnswer, credential.StandingNoAnswer, `401 Unauthorized, "invalid_client", "Client authentication failed."`},
		"401, of another cause": {text(401, "application/json", `{"error":"request_unauthorized"}`), credential.StandingNoAnswer, credential.StandingNoAnswer, "request_unauthorized"},
		"401, of the token":     {text(401, "application/json", `{"error":"invalid_token"}`), credential.StandingNoAnswer, credential.StandingNotKnown, "401"},
		"401, by a challenge":   {challenging(`Bearer error="invalid_token"`), credential.StandingNoAnswer, credential.StandingNotKnown, "401"},
		"401, too little":       {challenging(`Bearer error="insufficient_scope"`), credential.StandingNoAnswer, credential.StandingNoAnswer, "401"},
		"401, wants a client":   {challenging(`Basic realm="clients"`), credential.StandingNoAnswer, credential.StandingNoAnswer, "401"},
		"401, wants either":     {challenging(`Basic realm="clients", Bearer`), credential.StandingNoAnswer, credential.StandingNotKnown, "401"},
		"401, empty":            {text(401, "", ""), credential.StandingNoAnswer, credential.StandingNotKnown, "401"},
		"401, a page":           {text(401, "text/html", "<html>sign in"), credential.StandingNoAnswer, credential.StandingNoAnswer, "HTML"},
		"403":                   {text(403, "application/json", unknownClient), credential.StandingNoAnswer, credential.StandingNoAnswer, `403 Forbidden, "invalid_client", "Client authentication failed."`},
		"404":                   {text(404, "application/json", `{}`), credential.StandingNoAnswer, credential.StandingNoAnswer, "404"},
		"405":                   {text(405, "text/plain", `no`), credential.StandingNoAnswer, credential.StandingNoAnswer, "405"},
		"503":                   {text(503, "text/plain", `no`), credential.StandingNoAnswer, credential.StandingNoAnswer, "503"},
		"a page":                {text(200, "text/html", "<html>"), credential.StandingNoAnswer, credential.StandingNoAnswer, "HTML"},
		"active is a word":      {text(200, "application/json", `{"active":"no"}`), credential.StandingNoAnswer, credential.StandingNoAnswer, `"active"`},
		"active is left out":    {text(200, "application/json", `{}`), credential.StandingNoAnswer, credential.StandingNoAnswer, `"active"`},
		"active is null":        {text(200, "application/json", `{"active":null}`), credential.StandingNoAnswer, credential.StandingNoAnswer, `"active"`},
		"an error, with a 200":  {text(200, "application/json", unknownClient), credential.StandingNoAnswer, credential.StandingNoAnswer, `"active"`},
		"a redirect":            {http.RedirectHandler("/login", http.StatusFound).ServeHTTP, credential.StandingNoAnswer, credential.StandingNoAnswer, "redirect"},
		"nothing of a response": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, credential.StandingNoAnswer, credential.StandingNoAnswer, "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			for prefix, want := range map[string]credential.Standing{"cli_": tt.client, "acc_": tt.itself} {
				inspector := inspecting(t, tt.answer)
				own := inspector.Inquire(t.Context(), loggedIn(prefix+storetest.Marked, inspector.Server.Issuer, "client"))[0]
				if own.Standing != want {
					t.Errorf("%s: %s (%v), want %s", prefix, own.Standing, own.Err, want)
				}
				if own.Err != nil && (!strings.Contains(own.Err.Error(), tt.says) || storetest.Leaks(own.Err.Error())) {
					t.Errorf("%s: %q does not say %q", prefix, own.Err, tt.says)
				}
			}
		})
	}
}

// challenging is a 401 with a challenge and nothing else.
func challenging(challenge string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// An advertising server has what its metadata may name, each with its own response.
func advertising(t *testing.T, introspect, userinfo http.HandlerFunc) (inspector *oauth.Inspector, requested *[]string) {
	t.Helper()
	requested = new([]string)
	known := &metadata.AuthorizationServer{}
	mux := http.NewServeMux()
	serve := func(path string, handler http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			*requested = append(*requested, r.Method+" "+path+" "+r.PostFormValue("client_id")+r.Header.Get("Authorization"))
			handler(w, r)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	if introspect != nil {
		serve("/introspect", introspect)
		known.IntrospectionEndpoint = server.URL + "/introspect"
	}
	if userinfo != nil {
		serve("/userinfo", userinfo)
		known.UserinfoEndpoint = server.URL + "/userinfo"
	}
	at := testServer("here", server.URL)
	return &oauth.Inspector{
		Provider: &provider.Provider{Servers: []provider.Server{at}}, Server: at,
		Metadata: func(context.Context, provider.Server) (*metadata.AuthorizationServer, error) { return known, nil },
		Wait:     func(context.Context, time.Duration) error { return nil },
	}, requested
}

func TestAdvertisedInspection(t *testing.T) {
	const token = storetest.Marked
	const introspected, bearer = "POST /introspect client", "GET /userinfo Bearer " + token
	ok := func(body string) http.HandlerFunc { return text(200, "application/json", body) }
	refused := text(401, "application/json", `{"error":"invalid_client"}`)
	for name, tt := range map[string]struct {
		introspect, userinfo http.HandlerFunc
		held                 string
		standing             credential.Standing
		scopes, knownBy      string
		requested            []string
	}{
		"nothing advertised":               {nil, nil, "openid a:read", credential.StandingNotAsked, "", "", nil},
		"introspection":                    {ok(`{"active":true,"scope":"a:read"}`), ok(`{"sub":"1"}`), "openid a:read", credential.StandingKnown, "a:read", "introspection", []string{introspected}},
		"introspection, no scopes":         {ok(`{"active":true}`), nil, "openid a:read", credential.StandingKnown, "openid a:read", "token_response", []string{introspected}},
		"introspection, dead":              {ok(`{"active":false}`), ok(`{"sub":"1"}`), "openid a:read", credential.StandingNotKnown, "", "", []string{introspected}},
		"introspection, in trouble":        {text(503, "", ""), ok(`{"sub":"1"}`), "openid a:read", credential.StandingNoAnswer, "", "", []string{introspected}},
		"introspection, a page":            {text(200, "text/html", "<html>"), ok(`{"sub":"1"}`), "openid a:read", credential.StandingNoAnswer, "", "", []string{introspected}},
		"not for this client":              {refused, nil, "openid a:read", credential.StandingNotAsked, "", "", []string{introspected}},
		"not for this client, no openid":   {refused, ok(`{"sub":"1"}`), "a:read", credential.StandingNotAsked, "", "", []string{introspected}},
		"not for this client, userinfo":    {refused, ok(`{"sub":"1"}`), "openid a:read", credential.StandingKnown, "openid a:read", "token_response", []string{introspected, bearer}},
		"userinfo":                         {nil, ok(`{"sub":"1"}`), "openid a:read", credential.StandingKnown, "openid a:read", "token_response", []string{bearer}},
		"userinfo, signed":                 {nil, text(200, "application/jwt", "e30.e30.x"), "openid a:read", credential.StandingKnown, "openid a:read", "token_response", []string{bearer}},
		"userinfo, dead":                   {nil, text(401, "application/json", `{"error":"invalid_token"}`), "openid a:read", credential.StandingNotKnown, "", "", []string{bearer}},
		"userinfo, dead, without a word":   {nil, text(401, "", ""), "openid a:read", credential.StandingNotKnown, "", "", []string{bearer}},
		"userinfo, too little":             {nil, challenging(`Bearer error="insufficient_scope", scope="openid"`), "openid a:read", credential.StandingNotAsked, "", "", []string{bearer}},
		"userinfo, not allowed":            {nil, text(403, "application/json", `{"error":"insufficient_scope"}`), "openid a:read", credential.StandingNotAsked, "", "", []string{bearer}},
		"userinfo, in trouble":             {nil, text(500, "", ""), "openid a:read", credential.StandingNoAnswer, "", "", []string{bearer}},
		"userinfo, a page":                 {nil, text(200, "text/html", "<html>"), "openid a:read", credential.StandingNoAnswer, "", "", []string{bearer}},
		"userinfo, of nobody":              {nil, ok(`{}`), "openid a:read", credential.StandingNoAnswer, "", "", []string{bearer}},
		"userinfo, for a grant without it": {nil, ok(`{"sub":"1"}`), "a:read", credential.StandingNotAsked, "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			inspector, requested := advertising(t, tt.introspect, tt.userinfo)
			own := inspector.Inquire(t.Context(), loggedIn(token, inspector.Server.Issuer, "client", strings.Fields(tt.held)...))[0]
			got := []string{string(own.Standing), own.Grant.Scopes.String(), string(own.Grant.KnownBy)}
			if diff := cmp.Diff([]string{string(tt.standing), tt.scopes, tt.knownBy}, got); diff != "" {
				t.Errorf("%v: %s", own.Err, diff)
			}
			if diff := cmp.Diff(tt.requested, *requested); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of an API key no server is asked in a way that its provider's file does not name: not every
// server may see it.
func TestAdvertisedInspectionIsForLogins(t *testing.T) {
	inspector, requested := advertising(t, text(200, "application/json", `{"active":true}`), nil)
	_, err := inspector.Inspect(t.Context(), bare(testAPIKey))
	if _, none := errors.AsType[*oauth.NoInspectionError](err); !none || len(*requested) > 0 {
		t.Errorf("%v after %q", err, *requested)
	}
}
