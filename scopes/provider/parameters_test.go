package provider_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const withParameters = `
parameters: {host: git.example.com, tenant: main, region: null, port: localhost}
servers:
  main:
    issuer: https://{host}/login/{tenant}
    api: https://api.{host}/v1/
    token_endpoint: https://{host}/token?tenant={tenant}
    files: http://{port}:8010/files
  fixed: {issuer: "https://id.example"}
  regional: {issuer: "https://{region}-id.example.com", mail: "https://mail.{region}.example.com"}
client: {id: app, secret: {variable: APP_SECRET}}
`

func parametric(t *testing.T, parameters string) (*provider.Provider, error) {
	t.Helper()
	m, err := manifest.Decode("dir/scopes.yaml", []byte("version: 1\nname: a\nprovider: {use: ./p.yaml, parameters: "+parameters+"}\nscopes: []\n"),
		func(string) ([]byte, error) { return []byte(withParameters), nil })
	if err != nil {
		return nil, err
	}
	return m.Provider, nil
}

// What a manifest says of a parameter stands in every URL of a server, and its hosts are those that come out.
func TestParameters(t *testing.T) {
	p, err := parametric(t, `{host: "Git.Own.example:8443", tenant: Team_1}`)
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Server{
		Name: "main", Issuer: "https://git.own.example:8443/login/Team_1",
		Bases:    []provider.Base{{Name: "api", URL: "https://api.git.own.example:8443/v1"}, {Name: "files", URL: "http://localhost:8010/files"}},
		Metadata: map[string]any{"token_endpoint": "https://git.own.example:8443/token?tenant=Team_1"},
	}
	if diff := cmp.Diff(want, p.Servers[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"git.own.example:8443", "api.git.own.example:8443", "localhost:8010", "id.example"}, p.Hosts()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	// A client is registered where it was: its id and its secret go to no host that a parameter names.
	if id, at := p.Client.IDFor("main"), p.Client.SecretFor("main"); id != "" || at != (provider.SecretSource{}) {
		t.Errorf("at another host: id %q, secret in %s", id, at)
	}
	if id, at := p.Client.IDFor("fixed"), p.Client.SecretFor("fixed"); id != "app" || at.Variable != "APP_SECRET" {
		t.Errorf("at the file's own host: id %q, secret in %s", id, at)
	}
	if s, open := p.OpenServer("regional"); !open || s.Parameter != "region" {
		t.Errorf("regional lacks a region: %+v", s)
	}
	if diff := cmp.Diff([]string{"issuer", "api", "files", "mail"}, p.BaseNames()); diff != "" {
		t.Errorf("bases (-want +got):\n%s", diff)
	}
	p, err = parametric(t, `{region: eu}`)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := p.Lookup("regional"); !ok || s.Issuer != "https://eu-id.example.com" || p.Client.IDFor("regional") != "app" || p.Client.IDFor("main") != "app" {
		t.Errorf("a parameter without a default: %+v", s)
	}
}

// A value is what its place takes, and can lead nowhere else.
func TestParameterValues(t *testing.T) {
	good := map[string][]string{
		"host":   {"a", "A.example", "git.example.com:1", "127.0.0.1", "xn--bcher-kva.example"},
		"tenant": {"common", "a.b", "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "~x"},
		"region": {"eu", "eu-1", "EU"},
		"port":   {"localhost", "127.0.0.1"},
	}
	bad := map[string][]string{
		"host":   {"a/b", "a?b", "a#b", "u@a", "a@b.example", "a b", "a\\b", "a:0", "a:99999", "a:", ":1", ".", "a.", "ä.example", "%61", "[::1", "2130706433", "a\nb", "https://a", "{tenant}", "-", "..", "a..b"},
		"tenant": {"..", ".", "...", "a/b", "a%2fb", "a b", "a?b", "a#b", "a&b=c", "ü", "{host}", strings.Repeat("a", 256)},
		"region": {"a.b", "a:1", "a/b", "-a", "a-", "", "a_b@c", "[::1]", strings.Repeat("a", 64)},
		"port":   {"localhost:1", "git.example", "a/b"},
	}
	for name, values := range good {
		for _, value := range values {
			if _, err := parametric(t, "{"+name+": '"+value+"'}"); err != nil {
				t.Errorf("%s: %q: %v", name, value, err)
			}
		}
	}
	for name, values := range bad {
		for _, value := range values {
			_, err := parametric(t, "{"+name+": '"+strings.ReplaceAll(value, "\n", "\n\n")+"'}")
			if err == nil || !strings.HasPrefix(err.Error(), "dir/scopes.yaml:3:") {
				t.Errorf("%s: %q: %v, want a mistake at its place", name, value, err)
			}
		}
	}
}

// An issuer that the file does not name can be one of its servers with other values.
func TestElsewhere(t *testing.T) {
	p, err := provider.Decode("p.yaml", []byte(withParameters))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := p.Elsewhere("https://git.own.example/login/team/")
	if u, _ := s.Base("api"); !ok || u != "https://api.git.own.example/v1" || s.Metadata["token_endpoint"] != "https://git.own.example/token?tenant=team" {
		t.Errorf("%v: %+v", ok, s)
	}
	for _, other := range []string{
		"https://git.own.example", "https://git.own.example/login/a/b", "https://git.own.example/login/", "https://u@x/login/a", "https://x/y/login/a",
		"http://git.own.example/login/a", "https://id.example", "https://git.own.example/login/..", "",
	} {
		if s, ok := p.Elsewhere(other); ok {
			t.Errorf("%q is %+v", other, s)
		}
	}
}
