package scopes_test

import (
	"encoding/json"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// Absent is not empty, and what separates scopes is not the same everywhere.
func TestReadList(t *testing.T) {
	for member, want := range map[string]struct {
		list []string
		said bool
	}{
		`"a:read b:write"`:                   {[]string{"a:read", "b:write"}, true},
		`"a:read,b:write, c"`:                {[]string{"a:read", "b:write", "c"}, true},
		`"  b\ta\r\nb  "`:                    {[]string{"b", "a"}, true},
		`"a \"b\" c\\d é e"`:                 {[]string{"a", "e"}, true},
		`""`:                                 {[]string{}, true},
		`["a:read", "b,c", "a:read", "d e"]`: {[]string{"a:read", "b", "c", "d", "e"}, true},
		`["a", 7, null, ["b"], {"c": "d"}]`:  {[]string{"a"}, true},
		`[]`:                                 {[]string{}, true},
		`null`:                               {[]string{}, false},
		`true`:                               {[]string{}, false},
		`7`:                                  {[]string{}, false},
		`{"a": "b"}`:                         {[]string{}, false},
	} {
		var value any
		if err := json.Unmarshal([]byte(member), &value); err != nil {
			t.Fatal(member, err)
		}
		got, said := scopes.ReadList(value)
		if said != want.said || !cmp.Equal(got.Slice(), want.list) {
			t.Errorf("%s: %q, %v", member, got.Slice(), said)
		}
	}
	if _, said := scopes.ReadList(nil); said {
		t.Error("what is absent was said")
	}
}
