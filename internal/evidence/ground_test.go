package evidence_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func baseAt(name, url string) provider.Base { return provider.Base{Name: name, URL: url} }

// A document's own URLs choose the base: that of the server in use, that of another server of the provider,
// the issuer. Where none fits, the usual one or the only one counts, and the URL is told.
func TestBaseOfDocument(t *testing.T) {
	const issuer = "https://id.example"
	several := []provider.Base{baseAt("apis", "https://www.example"), baseAt("drive", "https://www.example/drive/v3"), baseAt("mail", "https://mail.example")}
	for _, c := range []struct {
		name      string
		bases     []provider.Base
		servers   string
		path      string
		want      string
		elsewhere string
	}{
		{"the host's", several, `[{"url": "https://MAIL.example:443/"}]`, "/v1/a", "{mail}/v1/a", ""},
		{"the longest", several, `[{"url": "https://www.example/drive/v3"}]`, "/files/{id}", "{drive}/files/{id}", ""},
		{"the path of the operation counts", several, `[{"url": "https://www.example"}]`, "/drive/v3/files/{a}:copy", "{drive}/files/{a}:copy", ""},
		{"at the end of a segment", several, `[{"url": "https://www.example"}]`, "/drive/v31", "{apis}/drive/v31", ""},
		{"the second server", several, `[{"url": "https://test.example/x"}, {"url": "https://mail.example"}]`, "/a", "{mail}/a", ""},
		{"variables have their defaults", several, `[{"url": "https://{h}.example", "variables": {"h": {"default": "mail"}}}]`, "/a", "{mail}/a", ""},
		{"none of several", several, `[{"url": "https://other.example/v2"}]`, "/a", "{api}/a", "https://other.example/v2"},
		{"another server's of the provider", []provider.Base{baseAt("api", "https://eu.example")}, `[{"url": "https://us.example/x"}]`, "/a", "{far}/x/a", ""},
		{"the only one", []provider.Base{baseAt("rest", "https://mine.example/api")}, `[{"url": "https://theirs.example/api"}]`, "/a", "{rest}/a", "https://theirs.example/api"},
		{"the usual one", append([]provider.Base{baseAt("api", "https://mine.example")}, several...), `[{"url": "https://theirs.example"}]`, "/a", "{api}/a", "https://theirs.example"},
		{"no server named, the only one", []provider.Base{baseAt("rest", "https://mine.example/api")}, `[{"url": "/api"}]`, "/a", "{rest}/a", ""},
		{"no base, no server named", nil, `[]`, "/a", "{issuer}/a", ""},
		{"no base, at the issuer", nil, `[{"url": "https://id.example/rest"}]`, "/a", "{issuer}/rest/a", ""},
		{"no base, elsewhere", nil, `[{"url": "https://api.example/v1/"}]`, "/a", "{api}/a", "https://api.example/v1"},
		{"a URL that holds a secret", nil, `[{"url": "https://me:hush@api.example/v1?key=hush"}]`, "/a", "{api}/a", "https://api.example/v1"},
		{"no URL at all", nil, `[{"url": "://"}, {"url": 1}, {}]`, "/a", "{issuer}/a", ""},
	} {
		server := provider.Server{Name: "one", Issuer: issuer, Bases: c.bases}
		other := provider.Server{Name: "two", Issuer: "https://id2.example", Bases: []provider.Base{baseAt("far", "https://us.example")}}
		o := evidence.OpenAPI{Server: server, Provider: &provider.Provider{Servers: []provider.Server{server, other}}}
		e, err := o.Read("doc.json", strings.NewReader(`{"openapi": "3.1.0", "servers": `+c.servers+`, "paths": {"`+c.path+`": {"get": {}}}}`))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := e.Requirements[0].Operation.String(); got != "GET "+c.want || strings.Join(e.Elsewhere, " ") != c.elsewhere {
			t.Errorf("%s: %s, %q", c.name, got, e.Elsewhere)
		}
	}
}

// A path or an operation can stand on a server of its own.
func TestBaseOfOperation(t *testing.T) {
	server := provider.Server{Bases: []provider.Base{baseAt("api", "https://api.example"), baseAt("uploads", "https://uploads.example")}}
	e, err := evidence.OpenAPI{Server: server}.Read("doc.yaml", strings.NewReader(`openapi: 3.1.0
servers: [{url: "https://api.example"}]
paths:
  /a:
    get: {}
    post: {servers: [{url: "https://uploads.example"}]}
  /b:
    servers: [{url: "https://uploads.example"}]
    put: {}
`))
	if diff := cmp.Diff([]string{"GET {api}/a: silent", "POST {uploads}/a: silent", "PUT {uploads}/b: silent"}, described(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// A server that is written relative to the document stands where that was fetched (OpenAPI 3.1 §4.8.5).
func TestBaseOfFetchedDocument(t *testing.T) {
	server := provider.Server{Issuer: "https://id.example", Bases: []provider.Base{baseAt("one", "https://one.example/v1"), baseAt("two", "https://two.example")}}
	e, err := evidence.OpenAPI{Server: server}.Read("https://one.example/docs/api.json", strings.NewReader(`{"openapi": "3.1.0", "servers": [{"url": "/v1"}], "paths": {"/a": {"get": {}}}}`))
	if diff := cmp.Diff([]string{"GET {one}/a: silent"}, described(e)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
