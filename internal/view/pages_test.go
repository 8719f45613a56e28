package view

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

const described = `version: 1
name: shelf
provider:
  servers: {one: {issuer: "https://id.example", metadata: none, authorization_endpoint: "https://id.example/a", token_endpoint: "https://id.example/t"}}
  scopes: {table: [{scope: repo, about: "<b>all</b> repositories"}, gist]}
scopes:
  - {scope: repo, level: required, why: reads}
  - {scope: gist, level: optional, why: writes}
`

// Whoever is about to agree reads what a scope allows, in the service's own words, which are text and no markup.
func TestStartPageSaysWhatIsAllowed(t *testing.T) {
	m, err := manifest.Decode("scopes.yaml", []byte(described), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ambit.New(m, ambit.Options{Env: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	(&Pages{}).Start(plan, "https://id.example/a").ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	page := w.Body.String()
	if !strings.Contains(page, "allows: &lt;b&gt;all&lt;/b&gt; repositories") || strings.Count(page, "allows:") != 1 {
		t.Error(page)
	}
}
