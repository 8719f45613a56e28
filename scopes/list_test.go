package scopes_test

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// What separates scopes is not the same everywhere, and a comma may be part of one.
func TestListOf(t *testing.T) {
	for name, c := range map[string]struct {
		texts, asked, want []string
	}{
		"spaces":                        {[]string{"a:read b:write"}, nil, []string{"a:read", "b:write"}},
		"commas":                        {[]string{"a:read,b:write, c"}, nil, []string{"a:read", "b:write", "c"}},
		"blanks, and twice":             {[]string{"  b\ta\r\nb  "}, nil, []string{"b", "a"}},
		"what is no scope":              {[]string{"a \"b\" c\\d é e"}, nil, []string{"a", "e"}},
		"nothing":                       {[]string{""}, nil, []string{}},
		"several texts":                 {[]string{"a:read", "b,c", "a:read", "d e"}, nil, []string{"a:read", "b", "c", "d", "e"}},
		"a comma in a scope":            {[]string{"a,b", "c"}, []string{"a,b"}, []string{"a,b", "c"}},
		"a list of what was asked":      {[]string{"a,b"}, []string{"b"}, []string{"a", "b"}},
		"commas in what was not asked":  {[]string{"x,y"}, []string{"b"}, []string{"x,y"}},
		"commas, and nobody knows what": {[]string{"x,y"}, nil, []string{"x", "y"}},
	} {
		if got := scopes.ListOf(c.texts, scopes.NewSet(c.asked...)); !cmp.Equal(got.Slice(), c.want) {
			t.Errorf("%s: %q", name, got.Slice())
		}
	}
}
