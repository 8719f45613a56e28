package scopes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func implications(t *testing.T, rules ...scopes.Rule) scopes.Implications {
	t.Helper()
	imp, err := scopes.NewImplications(rules)
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

// usual are the rules of an API whose writes cover reads and whose * covers both.
func usual(t *testing.T) scopes.Implications {
	return implications(t,
		scopes.Rule{Scope: "{x}:write", Covers: []string{"{x}:read"}},
		scopes.Rule{Scope: "*", Covers: []string{"{x}:read", "{x}:write"}, Except: scopes.NewSet("inner:read", "inner:write")},
	)
}

func TestCovering(t *testing.T) {
	hub := implications(t, // one that has families in place of actions
		scopes.Rule{Scope: "repo", Covers: []string{"repo:{x}", "public_repo"}},
		scopes.Rule{Scope: "admin:{x}", Covers: []string{"write:{x}"}},
		scopes.Rule{Scope: "write:{x}", Covers: []string{"read:{x}"}},
		scopes.Rule{Scope: "{x}.all", Covers: []string{"{x}.readonly", "{x}.file"}},
		scopes.Rule{Scope: "{a}:{b}:rw", Covers: []string{"{a}:{b}:r", "{b}:{a}:r"}},
	)
	for _, c := range []struct {
		imp  scopes.Implications
		need string
		want []string
	}{
		{usual(t), "x:read", []string{"x:write", "*"}},
		{usual(t), "x:write", []string{"*"}},
		{usual(t), "*", nil},
		{usual(t), "x:delete", nil},
		{usual(t), "x:y:read", nil}, // a variable ends at a colon
		{usual(t), ":read", nil},    // and stands for something
		{usual(t), "inner:read", []string{"inner:write"}},
		{hub, "repo:status", []string{"repo"}},
		{hub, "repo", nil},
		{hub, "read:org", []string{"write:org", "admin:org"}},
		{hub, "drive.file", []string{"drive.all"}},
		{hub, ".file", nil},
		{hub, "m:n:r", []string{"m:n:rw", "n:m:rw"}}, // both patterns fit, in two ways
		{scopes.Implications{}, "x:read", nil},
	} {
		got := slices.Collect(c.imp.Covering(c.need))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("Covering(%q) (-want +got):\n%s", c.need, diff)
		}
	}
}

func TestCoveredBy(t *testing.T) {
	for _, c := range []struct{ held, need, by string }{
		{"x:read x:write", "x:read", "x:read"},
		{"* x:write", "x:read", "x:write"}, // the nearest
		{"*", "x:read", "*"},
		{"x:read", "x:write", ""},
		{"y:write", "x:read", ""},
		{"*", "inner:write", ""},
		{"*", "inner:read", ""},
		{"", "x:read", ""},
	} {
		held, _ := scopes.ParseSet(c.held)
		if by, ok := usual(t).CoveredBy(held, c.need); by != c.by || ok != (c.by != "") {
			t.Errorf("with %q, %s is covered by %q, %v; want %q", c.held, c.need, by, ok, c.by)
		}
	}
}

// What a rule excepts it does not cover by a detour either.
func TestExceptionOnTheWay(t *testing.T) {
	imp := implications(t,
		scopes.Rule{Scope: "{x}:write", Covers: []string{"{x}:read"}},
		scopes.Rule{Scope: "*", Covers: []string{"{x}:write"}, Except: scopes.NewSet("inner:write")},
	)
	if by, ok := imp.CoveredBy(scopes.NewSet("*"), "inner:read"); ok {
		t.Errorf("inner:read is covered by %q, though * does not cover inner:write", by)
	}
}

func TestImplicationsRefused(t *testing.T) {
	for name, rules := range map[string][]scopes.Rule{
		"itself":                {{Scope: "a", Covers: []string{"a"}}},
		"two steps":             {{Scope: "a", Covers: []string{"b"}}, {Scope: "b", Covers: []string{"a"}}},
		"by pattern":            {{Scope: "{x}:write", Covers: []string{"{x}:read"}}, {Scope: "{y}:read", Covers: []string{"{y}:write"}}},
		"growing":               {{Scope: "{x}:a", Covers: []string{"{x}b:a"}}},
		"growing in front":      {{Scope: "a:{x}", Covers: []string{"a:b{x}"}}},
		"growing, two steps":    {{Scope: "{x}", Covers: []string{"{x}:a"}}, {Scope: "{x}:a", Covers: []string{"{x}a"}}},
		"behind a start":        {{Scope: "s", Covers: []string{"a"}}, {Scope: "a", Covers: []string{"b"}}, {Scope: "b", Covers: []string{"a"}}},
		"through a wide word":   {{Scope: "all", Covers: []string{"{x}"}}},
		"variable not named":    {{Scope: "{x}:write", Covers: []string{"read"}}},
		"open brace":            {{Scope: "{x", Covers: []string{"a"}}},
		"closing brace":         {{Scope: "x}", Covers: []string{"a"}}},
		"no name":               {{Scope: "{}", Covers: []string{"a"}}},
		"two in one part":       {{Scope: "{a}{b}", Covers: []string{"{a}:{b}"}}},
		"bad scope":             {{Scope: "a b", Covers: []string{"c"}}},
		"bad covered scope":     {{Scope: "a", Covers: []string{"é"}}},
		"five variables at all": {{Scope: "{a}:{b}:{c}:{d}:{e}", Covers: nil}},
	} {
		if _, err := scopes.NewImplications(rules); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A pattern that only adds parts comes to an end, and is allowed.
func TestGrowingByPartsEnds(t *testing.T) {
	imp := implications(t,
		scopes.Rule{Scope: "{x}", Covers: []string{"{x}:a"}},
		scopes.Rule{Scope: "{x}:a", Covers: []string{"{x}:a:b"}},
	)
	if diff := cmp.Diff([]string{"w:a", "w"}, slices.Collect(imp.Covering("w:a:b"))); diff != "" {
		t.Errorf("Covering (-want +got):\n%s", diff)
	}
}

// Rules whose ways or words multiply from step to step cost no more than others:
// each scope is looked at once, and at most 64 are.
func TestMultiplyingRules(t *testing.T) {
	var ways, words []scopes.Rule
	for i := range 40 {
		from, to := fmt.Sprintf("w%d", i), fmt.Sprintf("w%d", i+1)
		ways = append(ways, scopes.Rule{Scope: from, Covers: []string{to}}, scopes.Rule{Scope: from, Covers: []string{to}})
		from, to = fmt.Sprintf(":%d", i), fmt.Sprintf("{x}:%d", i+1)
		words = append(words, scopes.Rule{Scope: "{x}a" + from, Covers: []string{to}}, scopes.Rule{Scope: "{x}b" + from, Covers: []string{to}})
	}
	if got := slices.Collect(implications(t, ways...).Covering("w40")); len(got) != 40 || got[0] != "w39" {
		t.Errorf("%d scopes cover w40 (%s), want the 40 before it", len(got), strings.Join(got, " "))
	}
	if got := slices.Collect(implications(t, words...).Covering("q:40")); len(got) != 64 || got[0] != "qa:39" {
		t.Errorf("%d scopes cover q:40, want the nearest 64", len(got))
	}
}
