package scopes_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
)

func FuzzParseSet(f *testing.F) {
	for _, value := range []string{"", "a", "a b a", "  a  b", "a\tb", `a"b`, "é", "a b c d e f g h i j k a"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		set, err := scopes.ParseSet(value)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("the error %q is more than a line", err)
			}
			return
		}
		again, err := scopes.ParseSet(set.String())
		if err != nil || again.String() != set.String() {
			t.Errorf("%q becomes %q becomes %q: %v", value, set, again, err)
		}
		seen := make(map[string]bool)
		for scope := range set.All() {
			if seen[scope] || !set.Has(scope) || scopes.CheckScope(scope) != nil {
				t.Errorf("%q holds %q twice, or not, or wrongly", set, scope)
			}
			seen[scope] = true
		}
	})
}

func FuzzParseOperation(f *testing.F) {
	for _, text := range []string{"GET {api}/a/{id}/", "tool:a", "tool:", "GET {api}", "PUT {a}/{b}.{c}", "GET /a", "POST {api}/a?b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		use, err := scopes.ParseOperation(text)
		if err != nil {
			return
		}
		if use.String() != text {
			t.Errorf("%q becomes %q", text, use)
		}
		if (use.Tool == "") == (use.Method == "") {
			t.Errorf("%q is a tool or an operation, and not both: %#v", text, use)
		}
		if use.Tool == "" && !strings.ContainsAny(use.Path, "{}") && len(scopes.NewOperations([]scopes.Operation{use}).Match(use)) == 0 {
			t.Errorf("%q does not match its own path", text)
		}
	})
}
