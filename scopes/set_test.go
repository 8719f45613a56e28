package scopes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestParseSet(t *testing.T) {
	for value, want := range map[string][]string{
		"":                        {},
		"   ":                     {},
		"a":                       {"a"},
		"b a b":                   {"b", "a"},
		" a  b ":                  {"a", "b"},
		"https://x/y a:b*":        {"https://x/y", "a:b*"},
		"a b c d e f g h i j a j": {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
	} {
		set, err := scopes.ParseSet(value)
		if err != nil {
			t.Errorf("ParseSet(%q): %v", value, err)
			continue
		}
		if diff := cmp.Diff(want, set.Slice()); diff != "" {
			t.Errorf("ParseSet(%q) (-want +got):\n%s", value, diff)
		}
	}
}

func TestParseSetRefuses(t *testing.T) {
	for value, at := range map[string]int{"a\tb": 1, "ab\n": 2, `a"`: 1, `\`: 0, "é": 0, "ok a\x7f": 1, "a\x00": 1} {
		_, err := scopes.ParseSet(value)
		var syntax *scopes.SyntaxError
		if !errors.As(err, &syntax) || syntax.At != at {
			t.Errorf("ParseSet(%q) = %v, want a SyntaxError at %d", value, err, at)
		}
	}
	if err := scopes.CheckScope(""); err == nil {
		t.Error("an empty scope is none")
	}
}

func TestSetOperations(t *testing.T) {
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("s%02d", len(many)-i)
	}
	a, b, large := scopes.NewSet("c", "a", "b", "a"), scopes.NewSet("d", "b"), scopes.NewSet(many...)
	for name, c := range map[string]struct{ got, want string }{
		"order":          {a.String(), "c a b"},
		"sorted":         {a.Sorted().String(), "a b c"},
		"sorting copies": {a.String(), "c a b"},
		"union":          {a.Union(b).String(), "c a b d"},
		"union of none":  {scopes.Set{}.Union(b).String(), "d b"},
		"minus":          {a.Minus(b).String(), "c a"},
		"minus large":    {large.Minus(large).String(), ""},
		"large sorted":   {large.Sorted().String(), strings.Join(slices.Sorted(slices.Values(many)), " ")},
		"where":          {large.Where(func(s string) bool { return s > "s18" }).String(), "s20 s19"},
		"all":            {strings.Join(slices.Collect(a.All()), " "), "c a b"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	if !a.Equal(scopes.NewSet("a", "b", "c")) || a.Equal(b) || a.Equal(a.Union(b)) || !large.Equal(large.Sorted()) {
		t.Error("Equal is about what is in the sets, in whatever order")
	}
	if !large.Sorted().Has("s07") || large.Has("s7") || !a.Has("a") || a.Has("") {
		t.Error("Has")
	}
}

func TestSetJSON(t *testing.T) {
	for want, set := range map[string]scopes.Set{`[]`: {}, `["b","a"]`: scopes.NewSet("b", "a", "b")} {
		got, err := json.Marshal(struct{ S scopes.Set }{set})
		if err != nil || string(got) != `{"S":`+want+`}` {
			t.Errorf("Marshal = %s, %v; want S %s", got, err, want)
		}
	}
}

// A set that several goroutines hold is safe to use in every way that it can be used.
func TestSetConcurrently(t *testing.T) {
	shared, _ := scopes.ParseSet("i h g f e d c b a")
	want := shared.Sorted().String()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got := shared.Sorted().String(); got != want {
				t.Errorf("sorted: %q, want %q", got, want)
			}
			slice := shared.Slice()
			slice[0] = "changed"
			shared.Union(scopes.NewSet("z")).Minus(shared).Has("z")
		})
	}
	wait.Wait()
	if shared.String() != "i h g f e d c b a" {
		t.Errorf("the shared set is now %q", shared)
	}
}
