package oauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Who is logged in is asked at userinfo, then where the provider's file says; what stands in the way
// is told, and ends nothing.
func TestIdentify(t *testing.T) {
	const hostile = `\u001b[2Jroot\nerror:`
	openID, reads := scopes.NewSet("openid"), scopes.NewSet("me:write")
	for name, tt := range map[string]struct {
		held             scopes.Set
		known, subject   string // by the ID token
		userinfo, whoami string // bodies; "" is 500
		member           string
		want, asked      string
		told             string
	}{
		"the ID token said it":             {held: openID, known: "ann", want: "ann"},
		"the address":                      {held: openID, userinfo: `{"sub":"7","name":"Ann","preferred_username":"ann","email":"ann@example.com"}`, want: "ann@example.com", asked: "/userinfo"},
		"the user's name":                  {held: openID, userinfo: `{"sub":"7","name":"Ann","preferred_username":"ann","email":" "}`, want: "ann", asked: "/userinfo"},
		"the name":                         {held: openID, userinfo: `{"sub":"7","name":"Ann","email":{}}`, want: "Ann", asked: "/userinfo"},
		"userinfo tells no name":           {held: openID.Union(reads), userinfo: `{"sub":"7"}`, whoami: `{"user":{"login":"ann"}}`, want: "ann", asked: "/userinfo /me/"},
		"only an identifier":               {held: openID, userinfo: `{"sub":"7"}`, want: "7", asked: "/userinfo"},
		"userinfo of another":              {held: openID, subject: "8", userinfo: `{"sub":"7","email":"eve@example.com"}`, want: "8", asked: "/userinfo", told: `a "sub" that is not that of the ID token`},
		"userinfo fails":                   {held: openID.Union(reads), whoami: `{"user":{"login":"ann"}}`, want: "ann", asked: "/userinfo /me/", told: "500 Internal"},
		"without openid":                   {held: reads, whoami: `{"user":{"login":"ann"}}`, want: "ann", asked: "/me/"},
		"without the scope of whoami":      {held: scopes.NewSet("x"), whoami: `{"user":{"login":"ann"}}`},
		"whoami fails":                     {held: reads, asked: "/me/", told: "500 Internal"},
		"whoami is another's page":         {held: reads, whoami: `<html>`, asked: "/me/", told: "page of HTML"},
		"whoami has no such member":        {held: reads, whoami: `{"user":"ann"}`, asked: "/me/", told: `"user.login"`},
		"a name that would clear a screen": {held: reads, whoami: `{"user":{"login":"` + hostile + `"}}`, want: `\x1b[2Jroot error:`, asked: "/me/"},
		"a name without an end":            {held: reads, whoami: `{"user":{"login":"` + strings.Repeat("a", 1000) + `"}}`, want: strings.Repeat("a", 200) + "…", asked: "/me/"},
		"an identifier without an end":     {held: openID, userinfo: `{"sub":"` + strings.Repeat("a", 1000) + `"}`, asked: "/userinfo"},
	} {
		var asked []string
		inspector := inspecting(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			body := map[string]string{"/userinfo": tt.userinfo, "/me/": tt.whoami}[r.URL.Path]
			if body == "" || r.Header.Get("Authorization") != "Bearer "+storetest.Marked {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			text(200, "application/json", body)(w, r)
		})
		inspector.Metadata = func(_ context.Context, s provider.Server) (*metadata.AuthorizationServer, error) {
			return &metadata.AuthorizationServer{UserinfoEndpoint: s.Issuer + "/userinfo"}, nil
		}
		inspector.Provider.Whoami = provider.Whoami{Scope: "me:read", Ask: provider.Inspection{URL: "{api}/me/", Account: provider.Place{Path: provider.Path{{Name: "user"}, {Name: "login"}}}}}
		inspector.Provider.Implies, _ = scopes.NewImplications([]scopes.Rule{{Scope: "{x}:write", Covers: []string{"{x}:read"}}})
		before := bare(storetest.Marked)
		before.Scopes, before.Issuer, before.Account, before.Subject = tt.held, inspector.Server.Issuer, tt.known, tt.subject
		got, err := inspector.Identify(t.Context(), before)
		if got.Account != tt.want || strings.Join(asked, " ") != tt.asked || before.Account != tt.known {
			t.Errorf("%s: %q, asked %q", name, got.Account, asked)
		}
		switch {
		case (err != nil) != (tt.told != ""), err != nil && !strings.Contains(err.Error(), tt.told), err != nil && storetest.Leaks(err.Error()):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key that was handed over is not asked about at userinfo, which is for tokens.
func TestIdentifyKey(t *testing.T) {
	inspector := inspecting(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked: %s", r.URL.Path) })
	key := &credential.Credential{Access: credential.NewSecret(testAPIKey), Grant: scopes.Grant{Scopes: scopes.NewSet("openid")}}
	if got, err := inspector.Identify(t.Context(), key); err != nil || got.Account != "" {
		t.Errorf("%q, %v", got.Account, err)
	}
}
