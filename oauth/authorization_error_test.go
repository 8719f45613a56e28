package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

func TestDenial(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.refusal = url.Values{"error": {"access_denied"}, "error_description": {"The \x1b[2Juser\r\nsaid no\u202e" + strings.Repeat("!", 600)}, "error_uri": {"https://example.com/why"}}
	c, err := newLogin(server, person).Run(t.Context())
	refusal, ok := errors.AsType[*oauth.AuthorizationError](err)
	if !ok || c != nil {
		t.Fatalf("%v, %v", c, err)
	}
	if !refusal.Denied() || refusal.InvalidScope() || refusal.URI != "https://example.com/why" {
		t.Errorf("%+v", refusal)
	}
	if !strings.HasPrefix(refusal.Description, `The \x1b[2Juser said no\u202e!!!`) || len(refusal.Description) > 600 {
		t.Errorf("description = %q", refusal.Description)
	}
	if len(server.sent()) != 0 {
		t.Errorf("requests after a denial: %v", server.sent())
	}
	if body := person.last().body; !strings.Contains(body, "access_denied") {
		t.Errorf("the page does not tell: %q", body)
	}
}

// Whichever endpoint refuses a scope, the login goes on with the others.
func TestNarrow(t *testing.T) {
	for _, at := range []string{"authorization endpoint", "token endpoint"} {
		t.Run(at, func(t *testing.T) {
			server, person := newAuthServer(t), newPerson(t)
			server.refuse = func(scope string) url.Values {
				if strings.Contains(scope, "b:write") && at == "authorization endpoint" {
					return url.Values{"error": {"invalid_scope"}, "error_description": {"unknown: 'b:write'."}}
				}
				return nil
			}
			server.tokens = func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(server.lastAsked().Get("scope"), "b:write") {
					text(400, "application/json", `{"error":"invalid_scope","error_description":"unknown: 'b:write'."}`)(w, r)
					return
				}
				server.token(w, r)
			}
			login := newLogin(server, person)
			var dropped scopes.Set
			login.UI.Narrow = func(refusal *oauth.AuthorizationError) (scopes.Set, bool) {
				dropped = refusal.NamedScopes(login.Scopes)
				return login.Scopes.Minus(dropped), true
			}
			c, err := login.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.Scopes.String() != "a:read" || dropped.String() != "b:write" {
				t.Errorf("granted %q, dropped %q", c.Scopes, dropped)
			}
			if len(person.pages) != 1 || person.last().status != 200 {
				t.Errorf("the browser was not led on: %+v", person.pages)
			}
			if server.asked[0].Get("state") == server.asked[1].Get("state") || server.asked[0].Get("code_challenge") == server.asked[1].Get("code_challenge") {
				t.Error("the second request used values of the first")
			}
		})
	}
}

func TestNarrowOnlyOnce(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.refusal = url.Values{"error": {"invalid_scope"}}
	login := newLogin(server, person)
	asked := 0
	login.UI.Narrow = func(*oauth.AuthorizationError) (scopes.Set, bool) {
		asked++
		return scopes.NewSet("a:read"), true
	}
	_, err := login.Run(t.Context())
	if refusal, ok := errors.AsType[*oauth.AuthorizationError](err); !ok || !refusal.InvalidScope() || asked != 1 {
		t.Errorf("err = %v, asked %d times", err, asked)
	}
	login.UI.Narrow = func(*oauth.AuthorizationError) (scopes.Set, bool) { return scopes.Set{}, false }
	if _, err := login.Run(t.Context()); err == nil {
		t.Error("a refusal that nobody wants to go on from must end the login")
	}
}

func TestNamedScopes(t *testing.T) {
	asked := scopes.NewSet("query", "query:read", "b:write", "https://www.example.com/auth/x", "openid", "*")
	for description, want := range map[string]string{
		"The scope 'query:read' is invalid.":                    "query:read",
		"unknown scope: query:read":                             "query:read",
		"unknown scopes b:write,query:read":                     "query:read b:write",
		"b:write, query:read, other:read":                       "query:read b:write",
		"[query:read] is not allowed":                           "query:read",
		"You may not use query.":                                "query",
		"You may not use query: it is reserved":                 "query",
		"query:reader is unknown":                               "",
		"my_query:read is unknown":                              "",
		"https://www.example.com/auth/x is not allowed.":        "https://www.example.com/auth/x",
		"https://www.example.com/auth/x/y is not allowed":       "",
		"the scope is invalid":                                  "",
		"the requested scope is invalid, unknown, or malformed": "",
		"":           "",
		"query:read": "query:read",
	} {
		refusal := &oauth.AuthorizationError{Code: "invalid_scope", Description: description}
		if got := refusal.NamedScopes(asked).String(); got != want {
			t.Errorf("%q names %q, want %q", description, got, want)
		}
	}
}

func TestIssuerOfTheResponse(t *testing.T) {
	for name, c := range map[string]struct {
		iss      string
		promised bool
		ok       bool
	}{
		"none, none promised": {"", false, true},
		"none, promised":      {"", true, false},
		"right":               {"self", true, true},
		"wrong":               {"https://thief.example.com", true, false},
		"wrong, not promised": {"https://thief.example.com", false, false},
		"a final slash":       {"self/", true, false},
	} {
		for _, refusal := range []url.Values{nil, {"error": {"invalid_scope"}}} {
			server, person := newAuthServer(t), newPerson(t)
			server.iss = strings.Replace(c.iss, "self", server.URL, 1)
			server.refusal = refusal
			login := newLogin(server, person)
			login.Server.AuthorizationResponseISSParameterSupported = c.promised
			login.UI.Narrow = func(*oauth.AuthorizationError) (scopes.Set, bool) {
				if !c.ok {
					t.Errorf("%s: what another server said was believed", name)
				}
				return scopes.Set{}, false
			}
			_, err := login.Run(t.Context())
			_, mixed := errors.AsType[*oauth.IssuerError](err)
			if mixed == c.ok || c.ok && refusal == nil && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !c.ok && len(server.sent()) != 0 {
				t.Errorf("%s: the code was sent: %v", name, server.sent())
			}
		}
	}
}
