package scopes_test

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes"
)

// Of what nobody lists, nothing is missing and nothing is too much; of what nobody was asked about,
// everything may be.
func TestCompareUnlisted(t *testing.T) {
	needs := []scopes.Need{{AnyOf: []string{"a:read"}, Level: scopes.Required}, {AnyOf: []string{"b:read"}, Level: scopes.Optional}}
	for by, unknown := range map[scopes.KnownBy]bool{scopes.Permissions: true, scopes.Accepted: true, scopes.SelfInspection: false, scopes.Assumed: false, "": false} {
		gap := scopes.Compare(needs, scopes.Grant{KnownBy: by, Scopes: scopes.NewSet("c:read")}, scopes.Implications{})
		if gap.Unknown != unknown || (len(gap.Lost) == 0) != unknown || (len(gap.Missing.Required) == 0) != unknown || (gap.Excess.Len() == 0) != unknown {
			t.Errorf("%q: %+v", by, gap)
		}
	}
}
