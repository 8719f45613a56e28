package oauth_test

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A service that writes scopes in its own way is written to, and read, in that way.
func TestScopesAsTheServiceWritesThem(t *testing.T) {
	asked := scopes.NewSet("a:read", "b:write", "offline")
	for name, c := range map[string]struct {
		facts     provider.ScopeFacts
		response  any
		parameter string // "-" for none
		granted   string
	}{
		"as everybody does":        {provider.ScopeFacts{}, "a:read b:write", "a:read b:write offline", "a:read b:write"},
		"commas":                   {provider.ScopeFacts{Separator: provider.Separator{Request: ",", Response: ","}}, "a:read,c:read", "a:read,b:write,offline", "a:read c:read"},
		"bars":                     {provider.ScopeFacts{Separator: provider.Separator{Response: "|"}}, "a:read|b:write", "a:read b:write offline", "a:read b:write"},
		"one is silent":            {provider.ScopeFacts{Silent: scopes.NewSet("offline", "other")}, "a:read", "a:read b:write offline", "a:read offline"},
		"one that stands for them": {provider.ScopeFacts{NoRequest: true, Instead: scopes.NewSet("all", "offline"), Silent: scopes.NewSet("all", "offline", "b:write")}, "a:read", "all offline", "a:read all offline"},
		"silent, not requested":    {provider.ScopeFacts{NoRequest: true, Silent: scopes.NewSet("offline")}, "a:read", "-", "a:read"},
		"set at the server":        {provider.ScopeFacts{NoRequest: true}, "a:read z:read", "-", "a:read z:read"},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = map[string]any{"scope": c.response}
			login := newLogin(server, person)
			login.Scopes, login.Provider = asked, &provider.Provider{Scopes: c.facts}
			got, err := login.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			parameter := "-"
			if sent := server.lastAsked(); sent.Has("scope") {
				parameter = sent.Get("scope")
			}
			if parameter != c.parameter || got.Scopes.String() != c.granted {
				t.Errorf("asked for %q, granted %q; want %q and %q", parameter, got.Scopes, c.parameter, c.granted)
			}
		})
	}
}

// A token response names the account where the provider's file says; what stands there is fit for a line, and
// no token.
func TestAccountOfATokenResponse(t *testing.T) {
	for name, c := range map[string]struct {
		owner any
		want  string
	}{
		"a name":                           {map[string]any{"user": map[string]any{"name": "Ada"}}, "Ada"},
		"nobody":                           {nil, ""},
		"of another type":                  {map[string]any{"user": []any{"Ada"}}, ""},
		"a name that would clear a screen": {map[string]any{"user": map[string]any{"name": "\x1b[2Jroot"}}, `\x1b[2Jroot`},
		"the token":                        {map[string]any{"user": map[string]any{"name": "pha_made-up-0123456789"}}, "***"},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = map[string]any{"access_token": "pha_made-up-0123456789", "owner": c.owner}
			login := newLogin(server, person)
			login.Provider = &provider.Provider{TokenResponse: provider.TokenResponse{Account: provider.Path{{Name: "owner"}, {Name: "user"}, {Name: "name"}}}}
			got, err := login.Run(t.Context())
			if err != nil || got.Account != c.want {
				t.Errorf("%q, %v; want %q", got.Account, err, c.want)
			}
		})
	}
}

// What a token response says, or leaves out, means what the file says of the kind of token.
func TestTokenResponseOfAKind(t *testing.T) {
	asked := scopes.NewSet("a:read", "b:write")
	for name, c := range map[string]struct {
		kind     provider.CredentialKind
		response any
		granted  string
		knownBy  scopes.KnownBy
	}{
		"nothing is nothing":         {provider.CredentialKind{}, "", "", scopes.TokenResponse},
		"nothing says nothing":       {provider.CredentialKind{EmptyUnknown: true}, "", "a:read b:write", scopes.Assumed},
		"blanks say nothing":         {provider.CredentialKind{EmptyUnknown: true}, []any{" "}, "a:read b:write", scopes.Assumed},
		"something says something":   {provider.CredentialKind{EmptyUnknown: true}, "a:read", "a:read", scopes.TokenResponse},
		"permissions, and nothing":   {provider.CredentialKind{Permissions: true}, "", "", scopes.Permissions},
		"permissions, and no member": {provider.CredentialKind{Permissions: true}, nil, "", scopes.Permissions},
		"permissions, and something": {provider.CredentialKind{Permissions: true}, "a:read", "", scopes.Permissions},
	} {
		t.Run(name, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.answer = map[string]any{"scope": c.response}
			login := newLogin(server, person)
			c.kind.Kind = scopes.AccessToken
			login.Scopes, login.Provider = asked, &provider.Provider{Credentials: []provider.CredentialKind{c.kind}}
			got, err := login.Run(t.Context())
			if err != nil || got.Scopes.String() != c.granted || got.KnownBy != c.knownBy {
				t.Errorf("%q by %s, %v; want %q by %s", got.Scopes, got.KnownBy, err, c.granted, c.knownBy)
			}
		})
	}
}
