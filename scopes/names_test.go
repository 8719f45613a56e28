package scopes_test

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes"
)

// A scope that comes back under another name of its own is held, and one that is implied by it too.
func TestScopesByOtherNames(t *testing.T) {
	rules, err := scopes.NewImplications([]scopes.Rule{{Scope: "Mail.ReadWrite", Covers: []string{"Mail.Read"}}, {Scope: "admin:{x}", Covers: []string{"read:{x}"}}})
	if err != nil {
		t.Fatal(err)
	}
	google := scopes.Names{Same: map[string]string{"email": "https://g.example/auth/userinfo.email"}}
	graph := scopes.Names{Prefix: "https://graph.example/", AnyCase: true}
	for _, c := range []struct {
		names      scopes.Names
		held, need string
		by         string // "" where it is not held
	}{
		{google, "https://g.example/auth/userinfo.email", "email", "https://g.example/auth/userinfo.email"},
		{google, "email", "https://g.example/auth/userinfo.email", "email"},
		{google, "https://g.example/auth/userinfo.profile", "email", ""},
		{google, "EMAIL", "email", ""},
		{graph, "https://graph.example/Mail.Read", "Mail.Read", "https://graph.example/Mail.Read"},
		{graph, "mail.read", "https://graph.example/Mail.Read", "mail.read"},
		{graph, "https://graph.example/Mail.ReadWrite", "Mail.Read", "https://graph.example/Mail.ReadWrite"},
		{graph, "mail.readwrite", "https://graph.example/Mail.Read", "mail.readwrite"},
		{graph, "Mail.Read", "Mail.ReadWrite", ""},
		{graph, "https://other.example/Mail.Read", "Mail.Read", ""},
		{graph, "https://graph.example/", "Mail.Read", ""},
		{scopes.Names{}, "mail.read", "Mail.Read", ""},
	} {
		imp := rules.WithNames(c.names)
		if by, ok := imp.CoveredBy(scopes.NewSet("x", c.held), c.need); by != c.by || ok != (c.by != "") {
			t.Errorf("%s of %s by %+v: %q, %v", c.need, c.held, c.names, by, ok)
		}
	}
}
