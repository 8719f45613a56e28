package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/client"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/trust"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

var testNow = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// A person is a browser with someone before it who says yes, and remembers the pages.
type person struct {
	t      *testing.T
	client *http.Client
	mu     sync.Mutex
	pages  []page
	told   []string
}

type page struct {
	url    string
	status int
	header http.Header
	body   string
}

func newPerson(t *testing.T) *person {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &person{t: t, client: &http.Client{Transport: transport}}
}

// open goes to the authorization URL and wherever that leads. Like a real browser, it
// does not care for the end of the login.
func (p *person) open(ctx context.Context, _, authorizationURL string) error {
	return p.visit(context.WithoutCancel(ctx), authorizationURL)
}

func (p *person) visit(ctx context.Context, target string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	_, err = p.do(req)
	return err
}

// wayBack is where the server sends the browser after the consent; it does not go there.
func (p *person) wayBack(ctx context.Context, authorizationURL string) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authorizationURL, nil)
	if err != nil {
		return nil, err
	}
	response, err := p.client.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	return response.Location()
}

func (p *person) do(req *http.Request) (page, error) {
	resp, err := p.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	seen := page{resp.Request.URL.String(), resp.StatusCode, resp.Header, string(body)}
	p.mu.Lock()
	p.pages = append(p.pages, seen)
	p.mu.Unlock()
	return seen, err
}

func (p *person) tell(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, fmt.Sprintf(format, args...))
}

func (p *person) last() page {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pages) == 0 {
		p.t.Fatal("the browser has seen no page")
	}
	return p.pages[len(p.pages)-1]
}

func issuingProvider() *provider.Provider {
	return &provider.Provider{Credentials: []provider.CredentialKind{{Prefix: "acc_", Kind: scopes.AccessToken, Inspect: []provider.Inspection{{
		Introspection: true, Scopes: at("scope"), Reach: []provider.ReachMember{{Of: "project", Member: "scoped_teams"}, {Of: "organization", Member: "scoped_orgs"}},
	}}}}}
}

func newLogin(s *authServer, p *person) *oauth.Login {
	return &oauth.Login{
		Server: s.metadata(), Client: client.Public(testClient),
		Redirect: provider.Redirect{Host: "localhost", Path: "/callback"},
		Scopes:   scopes.NewSet("a:read", "b:write"),
		Provider: issuingProvider(), Now: func() time.Time { return testNow },
		UI: oauth.UI{Open: p.open, Tell: p.tell}, Timeout: time.Minute,
	}
}

// An optional member that cannot be read ends nothing, and whoever logs in is told of it.
func TestLoginTellsWhatItLeavesOut(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.answer = map[string]any{"scoped_teams": map[string]any{"7": true}}
	if _, err := newLogin(server, person).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "in the token response scoped_teams is an object, not an array of strings, and is left out"; !slices.Contains(person.told, want) {
		t.Errorf("told: %q", person.told)
	}
}

func TestLogin(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	server.iss = server.URL
	server.answer = map[string]any{"scope": "a:read", "scoped_teams": []any{7, 12345678}, "scoped_orgs": []any{"o-1"}, "region": "eu"}
	login := newLogin(server, person)
	login.Authorize = []provider.Parameter{{Name: "access_level", Value: "project & more"}}
	login.Hosts = []string{"api.example.com"}
	login.ServerFrom = "region"
	var finished *credential.Credential
	login.UI.Finish = func(_ context.Context, c *credential.Credential, err error) http.Handler {
		finished = c
		return text(200, "text/html", fmt.Sprintf("granted %s, error %v", c.Scopes, err))
	}
	got, err := login.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &credential.Credential{
		Access: credential.NewSecret("acc_1"), Refresh: credential.NewSecret("refresh-1"),
		Grant: scopes.Grant{
			Kind: scopes.AccessToken, Prefix: "acc_***", ExpiresAt: testNow.Add(time.Hour), KnownBy: scopes.TokenResponse,
			Server: "eu", Scopes: scopes.NewSet("a:read"), Reach: []scopes.Reach{{Of: "project", IDs: []string{"7", "12345678"}}, {Of: "organization", IDs: []string{"o-1"}}},
		},
		TokenType: "Bearer", Issuer: server.URL, ClientID: testClient,
		ObtainedAt: testNow, Asked: scopes.NewSet("a:read", "b:write"), Hosts: []string{"api.example.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if finished != got {
		t.Error("Finish was not given the credential")
	}
	if page := person.last(); page.body != "granted a:read, error <nil>" || page.status != 200 {
		t.Errorf("the last page: %+v", page)
	}
	asked := server.lastAsked()
	if asked.Get("scope") != "a:read b:write" || asked.Get("access_level") != "project & more" || asked.Has("resource") || asked.Has("nonce") {
		t.Errorf("asked: %v", asked)
	}
	if diff := cmp.Diff([]string{"POST /token"}, server.sent()); diff != "" {
		t.Errorf("requests of a login: %s", diff)
	}
	if len(person.told) != 0 {
		t.Errorf("told: %q", person.told)
	}
	grant := got.Grant
	if grant.Server != "eu" || grant.Prefix != "acc_***" || grant.KnownBy != scopes.TokenResponse {
		t.Errorf("Grant = %+v", grant)
	}
}

func TestLoginResources(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.Resources = []string{"https://api.example.com/a?b", "https://mcp.example.com"}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(login.Resources, server.lastAsked()["resource"]); diff != "" {
		t.Error(diff)
	}
}

// Without prompt=consent an OpenID server may ignore offline_access; that a refresh token came is
// the proof of it, at the login and at a renewal, whatever scope says.
func TestOfflineAccess(t *testing.T) {
	for name, tt := range map[string]struct {
		asked, authorize, refresh string
		prompt, granted           string
	}{
		"asked, and it came":     {"a:read offline_access", "", "ref", "consent", "a:read offline_access"},
		"asked, and none came":   {"a:read offline_access", "", "", "consent", "a:read"},
		"not asked, and it came": {"a:read", "", "ref", "", "a:read"},
		"the file has a prompt":  {"a:read offline_access", "login", "ref", "login", "a:read offline_access"},
	} {
		server, person := newAuthServer(t), newPerson(t)
		server.answer = map[string]any{"scope": "a:read", "refresh_token": tt.refresh}
		login := newLogin(server, person)
		login.Scopes = scopes.NewSet(strings.Fields(tt.asked)...)
		if tt.authorize != "" {
			login.Authorize = []provider.Parameter{{Name: "prompt", Value: tt.authorize}}
		}
		c, err := login.Run(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		if got := server.lastAsked().Get("prompt"); got != tt.prompt || c.Scopes.String() != tt.granted {
			t.Errorf("%s: prompt %q, granted %q", name, got, c.Scopes)
		}
		if asked := c.Holding(scopes.Grant{Scopes: scopes.NewSet("b:read")}); asked.Scopes.Has("offline_access") != strings.Contains(tt.granted, "offline_access") {
			t.Errorf("%s: after an inspection %q", name, asked.Scopes)
		}
	}
}

func TestLoginTransportErrors(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		gone := newAuthServer(t)
		login.Server.TokenEndpoint = gone.URL + "/token"
		gone.Close()
		_, err := login.Run(t.Context())
		if trouble, ok := errors.AsType[*guard.Error](err); !ok || trouble.Kind != guard.KindUnreachable {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a foreign token endpoint", func(t *testing.T) {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Server.TokenEndpoint = "https://thief.example.com/token"
		_, err := login.Run(t.Context())
		if untrusted, ok := errors.AsType[*trust.UntrustedHostError](err); !ok || untrusted.Hosts[0] != "thief.example.com" {
			t.Errorf("err = %v", err)
		}
	})
}

// A server that does not say that it uses PKCE gets no login, unless the provider's file says so.
func TestServerWithoutPKCE(t *testing.T) {
	for name, c := range map[string]struct {
		listed []string
		pkce   bool
		ok     bool
	}{
		"no list":                       {nil, false, false},
		"no list, and the file says so": {nil, true, true},
		"an empty list":                 {[]string{}, true, false},
		"another":                       {[]string{"plain"}, true, false},
		"both":                          {[]string{"plain", "S256"}, false, true},
	} {
		server := &metadata.AuthorizationServer{AuthorizationEndpoint: "https://id.example/authorize", CodeChallengeMethodsSupported: c.listed}
		if err := oauth.CheckServer(server, false, c.pkce); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// PKCE's list is one of safety; without S256 in it nobody is sent to the server.
func TestLoginRefusesTheServer(t *testing.T) {
	for name, methods := range map[string][]string{"plain": {"plain"}, "nothing": {}} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Server.CodeChallengeMethodsSupported = methods
		_, err := login.Run(t.Context())
		if unsupported, ok := errors.AsType[*oauth.ProtocolError](err); !ok || !strings.Contains(unsupported.Problem, "code_challenge_methods_supported") {
			t.Errorf("%s: %v", name, err)
		}
		if len(person.pages) != 0 {
			t.Errorf("%s: a browser was opened", name)
		}
	}
}

// The other lists are hints: a client that the user named is tried, and where the server refuses
// it, what the list said stands beside the server's own words.
func TestLoginTriesWhatTheListsLeaveOut(t *testing.T) {
	for name, list := range map[string][]string{"other methods": {"client_secret_basic", "client_secret_post"}, "nothing": {}} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Server.TokenEndpointAuthMethodsSupported = list
		login.Server.ResponseTypesSupported, login.Server.GrantTypesSupported = list, list
		if _, err := login.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for code, tt := range map[string]struct{ token, says string }{
		"invalid_client":            {"invalid_client", `"client_secret_basic" for token_endpoint_auth_methods_supported, and not "none"`},
		"unauthorized_client":       {"unauthorized_client", `"client_credentials" for grant_types_supported, and not "authorization_code"`},
		"invalid_grant":             {"invalid_grant", "\"invalid_grant\""},
		"unsupported_response_type": {"", `"id_token" for response_types_supported, and not "code"`},
	} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Server.TokenEndpointAuthMethodsSupported = []string{"client_secret_basic"}
		login.Server.GrantTypesSupported, login.Server.ResponseTypesSupported = []string{"client_credentials"}, []string{"id_token"}
		if tt.token == "" {
			server.refusal = url.Values{"error": {code}}
		}
		server.tokens = func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, map[string]any{"error": code}) }
		_, err := login.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", code, err)
		}
		if listed := strings.Contains(err.Error(), "metadata"); listed == (code == "invalid_grant") {
			t.Errorf("%s: a list is named: %t", code, listed)
		}
	}
}

func TestLoginProtectsItsParameters(t *testing.T) {
	for _, name := range []string{"redirect_uri", "state", "client_id", "code_challenge", "scope", "request_uri", "resource", "client_secret"} {
		server, person := newAuthServer(t), newPerson(t)
		login := newLogin(server, person)
		login.Authorize = []provider.Parameter{{Name: name, Value: "https://thief.example.com"}}
		_, err := login.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(name)) || len(server.sent())+len(person.pages) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoginRegisters(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.Client = client.Client{}
	if _, err := login.Run(t.Context()); !errors.Is(err, oauth.ErrNoClientID) {
		t.Errorf("err = %v", err)
	}
	var registered string
	login.Register = func(_ context.Context, redirectURI string, _ client.Client) (client.Client, error) {
		registered = redirectURI
		return client.Public(testClient), nil
	}
	c, err := login.Run(t.Context())
	if err != nil || c.ClientID != testClient {
		t.Fatalf("%+v, %v", c, err)
	}
	if registered == "" || registered != server.lastAsked().Get("redirect_uri") {
		t.Errorf("registered %q, used %q", registered, server.lastAsked().Get("redirect_uri"))
	}
}

// Where nothing comes back for a while, the person is told, once, which redirect URI is waited for: the
// server's own page may say that it is wrong.
func TestLoginSaysWhatItWaitsFor(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.Quiet = time.Nanosecond
	told := make(chan string, 10)
	login.UI.Tell = func(format string, args ...any) { told <- fmt.Sprintf(format, args...) }
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		sentence := <-told
		if want := strings.TrimSuffix(startURL, path.Base(startURL)) + `callback; an error page`; !strings.Contains(sentence, want) || !strings.Contains(sentence, `the client "`+testClient+`"`) {
			t.Errorf("told %q, want %q", sentence, want)
		}
		return person.open(ctx, startURL, authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(told) != 0 {
		t.Errorf("told more: %q", <-told)
	}
}

// The documents say that a login waits ten minutes.
func TestLoginWaitsTenMinutes(t *testing.T) {
	server, person := newAuthServer(t), newPerson(t)
	login := newLogin(server, person)
	login.Timeout = 0
	login.UI.Open = func(ctx context.Context, startURL, authorizationURL string) error {
		end, ok := ctx.Deadline()
		if left := time.Until(end); !ok || left > 10*time.Minute || left < 10*time.Minute-10*time.Second {
			t.Errorf("it waits for %s", left)
		}
		return person.open(ctx, startURL, authorizationURL)
	}
	if _, err := login.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
