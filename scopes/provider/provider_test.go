package provider_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func posthog(t *testing.T) *provider.Provider {
	t.Helper()
	p, err := provider.Builtin("posthog")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProviderLookUps(t *testing.T) {
	p := posthog(t)
	for word, want := range map[string]string{"us": "us", "https://eu.posthog.com": "eu", "https://eu.posthog.com/": "eu", "http://localhost:8010": "dev", "": "", "asia": "", "https://us.posthog.com.evil.example": ""} {
		if s, ok := p.Lookup(word); s.Name != want || ok != (want != "") {
			t.Errorf("Lookup(%q) = %q, %v; want %q", word, s.Name, ok, want)
		}
	}
	if diff := cmp.Diff([]string{"cloud", "us", "eu", "dev"}, p.ServerNames()); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"issuer", "api", "gateway", "mcp"}, p.BaseNames()); diff != "" {
		t.Errorf("bases (-want +got):\n%s", diff)
	}
	if p.File != "" || p.Name != "posthog" || p.DefaultServer != "cloud" || p.ServerFrom != "posthog_region" {
		t.Errorf("File %q, Name %q, DefaultServer %q, ServerFrom %q", p.File, p.Name, p.DefaultServer, p.ServerFrom)
	}
	if p.Client.IDFor("eu") == p.Client.IDFor("us") || p.Client.IDFor("asia") != "" {
		t.Error("client ids by server")
	}
	if id := (provider.Client{ID: "x"}).IDFor("any"); id != "x" {
		t.Errorf("one id for every server: %q", id)
	}
}

func TestHosts(t *testing.T) {
	want := []string{
		"oauth.posthog.com", "us.posthog.com", "gateway.us.posthog.com", "mcp.posthog.com", "eu.posthog.com", "gateway.eu.posthog.com",
		"localhost:8010", "localhost:3308", "localhost:8787",
	}
	if diff := cmp.Diff(want, posthog(t).Hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	p := provider.Provider{Credentials: []provider.CredentialKind{
		{Inspect: []provider.Inspection{{URL: "https://Key.Example:8443/me"}}}, {Inspect: []provider.Inspection{{URL: "{api}/me"}}},
	}}
	if diff := cmp.Diff([]string{"key.example:8443"}, p.Hosts()); diff != "" {
		t.Errorf("hosts that only an inspection names (-want +got):\n%s", diff)
	}
}

func TestHostOf(t *testing.T) {
	for raw, want := range map[string]string{
		"https://A.example/x": "a.example", "https://a.example:443": "a.example", "http://a.example:80": "a.example",
		"https://a.example:80": "a.example:80", "http://[::1]:8010/": "[::1]:8010", "https://[::1]": "[::1]",
		"https://good.example@evil.example/": "evil.example", "/path": "", "a.example": "", "": "", "https://": "", "https://a b/": "",
	} {
		if got := provider.HostOf(raw); got != want {
			t.Errorf("HostOf(%q) = %q, want %q", raw, got, want)
		}
	}
}

// What stands behind a base may not make another host of it.
func TestExpand(t *testing.T) {
	s := provider.Server{Issuer: "https://id.example/", Bases: []provider.Base{{Name: "api", URL: "https://api.example/v2"}}}
	for template, want := range map[string]string{
		"{api}/me": "https://api.example/v2/me", "{api}": "https://api.example/v2", "{issuer}/x": "https://id.example/x",
		"https://other.example/me": "https://other.example/me",
		"{gateway}/me":             "", "{api}.evil.example/me": "", "{api}@evil.example": "", "{api": "", "{}": "",
	} {
		if got, ok := s.Expand(template); got != want || ok != (want != "") {
			t.Errorf("Expand(%q) = %q, %v; want %q", template, got, ok, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	p := posthog(t)
	for key, want := range map[string]scopes.Kind{
		"phx_a": "personal_api_key", "pha_a": scopes.AccessToken, "phc_a": "project_key", "phs_a": "project_secret_key",
		"sk-a": scopes.UnknownKind, "": scopes.UnknownKind, "PHX_a": scopes.UnknownKind,
	} {
		if got := p.KindOf(key); got.Kind != want || got.Label == "" {
			t.Errorf("KindOf(%q) = %+v, want %s", key, got, want)
		}
	}
	if len(p.KindOf("sk-a").Inspect) == 0 {
		t.Error("an unknown credential is asked about as the file says")
	}
	if p.KindOf("phc_a").Serves("gateway") || p.KindOf("phs_a").Serves("gateway") || !p.KindOf("phs_a").Serves("api") || !p.KindOf("pha_a").Serves("gateway") {
		t.Error("which kind serves which base")
	}
	nested := provider.Provider{Credentials: []provider.CredentialKind{{Prefix: "a_b_", Kind: scopes.AccessToken}, {Prefix: "a_", Kind: "project_key"}}}
	if got := nested.KindOf("a_b_c").Kind; got != scopes.AccessToken {
		t.Errorf("the longest prefix tells: %s", got)
	}
}

// A service names its kinds of credential, and what limits one, in its own words.
func TestForeignKinds(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", []byte(`version: 1
name: runner
provider:
  servers: {main: {issuer: "https://auth.example", api: "https://api.example"}}
  default_server: main
  client: {id: c, redirect: {host: localhost, path: /callback}}
  credentials:
    - {prefix: glpat-, kind: project_access_token, label: a project access token, env: [GL_TOKEN], inspect: {url: "{api}/self", scopes: scopes, reach: {repository: repos}}}
    - {prefix: gldt-, kind: deploy_token, label: a deploy token, programs: never}
    - {prefix: user-, kind: user_token, label: a user token, renewable: true}
scopes:
  - {scope: read_api, level: required, why: tests, used_by: ["GET {api}/x"]}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := m.Provider
	meant, ok := p.ForPrograms()
	if !ok || meant.Kind != "project_access_token" || meant.Renewable || meant.Reach()[0].Of != "repository" {
		t.Errorf("for programs: %+v", meant)
	}
	if k := p.KindOf("gldt-1"); k.Programs != provider.ProgramsNever || k.Renewable {
		t.Errorf("a deploy token: %+v", k)
	}
	if k := p.KindOfToken("user-1"); k.Kind != "user_token" || !k.Renewable {
		t.Errorf("what a login obtained, told by its prefix: %+v", k)
	}
	if k := p.KindOfToken("opaque"); k.Kind != scopes.AccessToken || !k.Renewable || k.Label != "an OAuth access token" {
		t.Errorf("what a login obtained, told by nothing: %+v", k)
	}
	if k := p.KindOf("opaque"); k.Kind != scopes.UnknownKind || k.Renewable {
		t.Errorf("what someone handed over, told by nothing: %+v", k)
	}
}

// An override leaves what it does not name: of a server, and of the client, too. Who gives an issuer means that server.
func TestOverride(t *testing.T) {
	const file = "../manifest/testdata/good/use_override.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Decode(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, builtin := m.Provider, posthog(t)
	if p.Name != "posthog" || p.File != file {
		t.Errorf("Name %q, File %q: a built-in provider that a file changed is that file's", p.Name, p.File)
	}
	if diff := cmp.Diff([]string{"cloud", "us", "eu", "dev"}, p.ServerNames()); diff != "" || p.DefaultServer != "us" {
		t.Errorf("default server %q, servers (-want +got):\n%s", p.DefaultServer, diff)
	}
	if diff := cmp.Diff([]string{"127.0.0.1:8010", "[::1]:3308", "localhost:8787"}, (&provider.Provider{Servers: p.Servers[1:2]}).Hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if p.Client.IDFor("us") != builtin.Client.IDFor("us") || p.Client.Redirect.Ports[0] != 8020 || len(p.Credentials) != len(builtin.Credentials) {
		t.Error("what is not overridden stays")
	}
	if by, ok := p.Implies.CoveredBy(scopes.NewSet("x:write"), "x:read"); !ok || by != "x:write" {
		t.Error("the implications stay")
	}
	if builtin.DefaultServer != "cloud" {
		t.Error("the built-in provider changed")
	}
}

// What a file says under use is laid over the other's, member by member; null takes a server, or a member of one,
// away.
func TestLaidOver(t *testing.T) {
	const file = `
parameters: {host: git.example}
servers:
  one: {issuer: "https://{host}", api: "https://{host}/api", mcp: "https://mcp.example/x", metadata: none, ask_on_401: true, authorization_endpoint: "https://{host}/a", token_endpoint: "https://{host}/t", scopes_supported: [a]}
  two: {issuer: https://two.example, api: https://two.example/api}
  keys: {issuer: https://keys.example, login: none}
default_server: two
client: {id: {one: c1, two: c2}, redirect: {host: localhost, path: /back, ports: [1000]}}
scopes: {listed: partial, separator: {request: ",", response: ";"}, same: {a: A}, added: [x], resources: {mcp: {except: ["x:{y}"]}}}
token_response: {ok: ok, codes: {bad: invalid_grant}}
refusal_body: {api: '{"a": "{message}"}', mcp: '{"m": "{message}"}'}
`
	for name, c := range map[string]struct {
		over string
		want func(p *provider.Provider) any
		is   any
	}{
		"an endpoint":         {"servers: {one: {token_endpoint: https://git.example/other}}", func(p *provider.Provider) any { return p.Servers[0].Metadata["token_endpoint"] }, "https://git.example/other"},
		"the endpoint beside": {"servers: {one: {token_endpoint: https://git.example/other}}", func(p *provider.Provider) any { return p.Servers[0].Metadata["authorization_endpoint"] }, "https://git.example/a"},
		"the other servers":   {"servers: {one: {api: https://git.example/v2}}", func(p *provider.Provider) any { return p.ServerNames() }, []string{"one", "two", "keys"}},
		"the default":         {"servers: {one: {api: https://git.example/v2}}", func(p *provider.Provider) any { return p.DefaultServer }, "two"},
		"a base":              {"servers: {one: {api: https://git.example/v2}}", func(p *provider.Provider) any { return p.Servers[0].Bases }, []provider.Base{{"api", "https://git.example/v2"}, {"mcp", "https://mcp.example/x"}}},
		"a base taken away":   {"servers: {one: {mcp: null}}", func(p *provider.Provider) any { return p.Servers[0].Bases }, []provider.Base{{"api", "https://git.example/api"}}},
		"words taken away": {"servers: {one: {metadata: null, ask_on_401: null, scopes_supported: null}}", func(p *provider.Provider) any {
			return []bool{p.Servers[0].NoDocument, p.Servers[0].AskOn401, p.Servers[0].Gives("scopes_supported")}
		}, []bool{false, false, false}},
		"a login after all":    {"servers: {keys: {login: null}}", func(p *provider.Provider) any { return []bool{p.Servers[2].NoLogin, p.Servers[2].NoDocument} }, []bool{false, false}},
		"a server taken away":  {"servers: {two: null}", func(p *provider.Provider) any { return append(p.ServerNames(), p.DefaultServer) }, []string{"one", "keys", "one"}},
		"one server more":      {"servers: {own: {issuer: https://own.example}}", func(p *provider.Provider) any { return append(p.ServerNames(), p.DefaultServer) }, []string{"one", "two", "keys", "own", "own"}},
		"one more, no default": {"servers: {own: {issuer: https://own.example}}\ndefault_server: one", func(p *provider.Provider) any { return p.DefaultServer }, "one"},
		"an issuer of one":     {"servers: {one: {issuer: https://own.example}}", func(p *provider.Provider) any { return p.DefaultServer }, "one"},
		"an issuer of all":     {"servers: {one: {issuer: https://own.example}, two: {issuer: https://two.own.example}}", func(p *provider.Provider) any { return p.DefaultServer }, "two"},
		"a parameter too": {"servers: {one: {mcp: https://own.example}}\nparameters: {host: other.example}", func(p *provider.Provider) any {
			return []string{p.Servers[0].Issuer, p.Client.IDFor("one"), p.Client.IDFor("two")}
		}, []string{"https://other.example", "", "c2"}},
		"ports":    {"client: {redirect: {ports: [2000]}}", func(p *provider.Provider) any { return p.Client.Redirect }, provider.Redirect{Host: "localhost", Path: "/back", Ports: []int{2000}}},
		"any port": {"client: {redirect: {ports: []}}", func(p *provider.Provider) any { return p.Client.Redirect.URIs() }, []string{"http://localhost/back"}},
		"scopes": {"scopes: {added: [y], separator: {request: ' '}, same: {b: B}}", func(p *provider.Provider) any {
			return []any{p.Scopes.Partial, p.Scopes.Added.String(), p.Scopes.Separator, p.Scopes.Names.Same}
		}, []any{true, "y", provider.Separator{Response: ";"}, map[string]string{"a": "A", "b": "B"}}},
		"a resource's list": {"scopes: {resources: {mcp: {listed: partial}}}", func(p *provider.Provider) any {
			mcp, api := p.Scopes.OfResource("mcp", scopes.Advertisement{}), p.Scopes.OfResource("api", scopes.Advertisement{})
			return []bool{mcp.Partial, mcp.Except.Has("x:y"), api.Partial}
		}, []bool{true, true, false}},
		"token responses":       {"token_response: {codes: {worse: invalid_client}}", func(p *provider.Provider) any { return []any{p.TokenResponse.OK.String(), p.TokenResponse.Codes} }, []any{"ok", map[string]string{"bad": "invalid_grant", "worse": "invalid_client"}}},
		"the shape of an error": {"refusal_body: {mcp: '{}'}", func(p *provider.Provider) any { return []string{p.RefusalShape("api", ""), p.RefusalShape("mcp", "")} }, []string{`{"a": "{message}"}`, "{}"}},
		"named hosts":           {"servers: {one: {mcp: https://own.example/x}, two: {api: 'https://{host}/y'}}", func(p *provider.Provider) any { return p.OwnHosts[len(p.OwnHosts)-2:] }, []string{"own.example", "git.example"}},
	} {
		open := func(string) ([]byte, error) { return []byte(file), nil }
		m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: a\nprovider:\n  use: ./p.yaml\n  "+strings.ReplaceAll(c.over, "\n", "\n  ")+"\nscopes: []\n"), open)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.is, c.want(m.Provider)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Kinds that share a prefix are told by what stands behind it; a longer prefix goes before any pattern.
func TestKindsOfOnePrefix(t *testing.T) {
	p, err := provider.Decode("p.yaml", []byte(`
servers: {one: {issuer: https://id.example}}
credentials:
  - {prefix: key_, kind: rest}
  - {prefix: key_, pattern: "key_.{4}", kind: short}
  - {prefix: key_, pattern: "key_[a-z]+", kind: letters}
  - {prefix: key_live_, kind: live}
  - {pattern: "[a-z_]+", kind: words}
  - {kind: other}
`))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]scopes.Kind{"key_1234": "short", "key_abcd": "short", "key_abcde": "letters", "key_12345": "rest", "key_live_": "live", "live_key": "words", "LIVE": "other"} {
		if got := p.KindOf(key).Kind; got != want {
			t.Errorf("%s is a %q, want %q", key, got, want)
		}
	}
}

// How a service takes a client's secret is good for any client; how one client proves itself is not
// good for another.
func TestMethodOfAService(t *testing.T) {
	for _, c := range []struct {
		about, file, over string
		want              provider.AuthMethod
	}{
		{"the service's", "{token_endpoint_auth_method: client_secret_post}", "{id: a, secret: {variable: S}}", provider.AuthPost},
		{"of a client that has none", "{token_endpoint_auth_method: client_secret_post}", "{id: a}", provider.AuthPost},
		{"another client's", "{id: a, secret: {variable: S}, token_endpoint_auth_method: client_secret_post}", "{id: b, secret: {variable: S}}", ""},
		{"of a client with a key", "{token_endpoint_auth_method: client_secret_post}", "{id: a, private_key: {file: k}}", ""},
	} {
		open := func(string) ([]byte, error) {
			return []byte("servers: {s: {issuer: https://id.example}}\nclient: " + c.file), nil
		}
		m, err := manifest.Decode("scopes.yaml", []byte("version: 1\nname: a\nprovider: {use: ./p.yaml, client: "+c.over+"}\nscopes: []\n"), open)
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
		} else if got := m.Provider.Client.Method; got != c.want {
			t.Errorf("%s: method %q, want %q", c.about, got, c.want)
		}
	}
}

// A provider file is looked up beside the manifest, and not at all where it may not be.
func TestProviderFilePlace(t *testing.T) {
	text := []byte("version: 1\nname: a\nprovider: ./p.yaml\nscopes: []\n")
	var asked string
	open := func(path string) ([]byte, error) {
		asked = path
		return []byte("servers: {s: {issuer: https://id.example}}"), nil
	}
	m, err := manifest.Decode("some/directory/scopes.yaml", text, open)
	if err != nil || asked != "some/directory/p.yaml" || m.Provider.File != asked {
		t.Errorf("asked for %q: %v", asked, err)
	}
	if _, err := manifest.Decode("scopes.yaml", text, nil); err == nil {
		t.Error("without a way to read files, a provider file is a mistake")
	}
}

func TestIssuerProvider(t *testing.T) {
	text, _ := os.ReadFile("../manifest/testdata/good/smallest.yaml")
	p := audittest.Decode(t, string(text)).Provider
	if s, ok := p.Lookup(p.DefaultServer); !ok || s.Issuer != "https://id.example/tenant" || p.Name != s.Issuer || p.File != "" {
		t.Errorf("provider %+v", p)
	}
}

// A prefix tells before a pattern, the longest first, and patterns tell in the file's order; each is
// for all of the credential.
func TestKindOfByPattern(t *testing.T) {
	p := provider.Provider{Credentials: []provider.CredentialKind{
		{Kind: "rest"},
		{Pattern: "[0-9a-f]{64}|x", Kind: "hex"},
		{Pattern: "[0-9a-z]{64}", Kind: "word"},
		{Pattern: "(?i)AA.*", Kind: "capitals"},
		{Prefix: "aab", Kind: "longer"},
		{Prefix: "aa", Kind: "shorter"},
	}}
	hex := strings.Repeat("0123456789abcdef", 4)
	for credential, want := range map[string]scopes.Kind{
		hex: "hex", "x": "hex", hex[:63] + "z": "word", hex + "0": "rest", " " + hex: "rest", hex + "\n": "rest", "xx": "rest", "": "rest",
		"aab" + hex[3:]: "longer", "aac": "shorter", "AAC": "capitals",
	} {
		if got := p.KindOf(credential).Kind; got != want {
			t.Errorf("KindOf(%q) = %s, want %s", credential, got, want)
		}
	}
	if got := p.KindOfToken(hex); got.Kind != "hex" || got.Renewable {
		t.Errorf("a pattern tells a token: %+v", got)
	}
	if got := p.KindOfToken("other"); got.Kind != scopes.AccessToken || !got.Renewable {
		t.Errorf("what nothing tells is a token all the same: %+v", got)
	}
}

// Where a service does not look at PKCE, the secret of the client is what protects a code: one that
// everybody knows, or none, does not.
func TestServiceWithoutPKCE(t *testing.T) {
	for client, safe := range map[string]bool{
		"{pkce: none, id: a, secret: {variable: S}}":  true,
		"{pkce: none, id: a, private_key: {file: k}}": true,
		"{pkce: S256, id: a}":                         true,
		"{id: a, secret: {variable: S}}":              false,
		"{pkce: none}":                                false, // it would register itself
	} {
		p, err := provider.Decode("p.yaml", []byte("servers: {s: {issuer: https://id.example}}\nclient: "+client))
		if err != nil {
			t.Error(client, err)
		} else if p.Client.ProtectsCode("s") != safe {
			t.Errorf("%s: a code is protected: %t", client, !safe)
		}
	}
	for _, client := range []string{"{pkce: none, id: a}", "{pkce: none, id: a, public_secret: known}"} {
		if _, err := provider.Decode("p.yaml", []byte("servers: {s: {issuer: https://id.example}}\nclient: "+client)); err == nil || !strings.Contains(err.Error(), "only a client with a secret of its own") {
			t.Error(client, err)
		}
	}
}
