package scopes_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, needs, granted       string
		required, optional, excess string
		covered                    []scopes.Coverage
	}{
		{name: "all granted", needs: "!a b", granted: "b a"},
		{name: "nothing granted", needs: "!a b !c|d", granted: "", required: "a c|d", optional: "b"},
		{name: "one lacks", needs: "!a b", granted: "a", optional: "b"},
		{name: "implied", needs: "!x:read", granted: "x:write", excess: "x:write", covered: []scopes.Coverage{{Scope: "x:read", By: "x:write"}}},
		{name: "not the other way", needs: "!x:write", granted: "x:read", required: "x:write"},
		{
			name: "everything", needs: "!x:read !y:write", granted: "*", excess: "*",
			covered: []scopes.Coverage{{Scope: "x:read", By: "*"}, {Scope: "y:write", By: "*"}},
		},
		{name: "everything but the inner ones", needs: "!inner:read", granted: "*", required: "inner:read", excess: "*"},
		{name: "any of: one", needs: "!a|b", granted: "b"},
		{name: "any of: neither", needs: "!a|b", granted: "c", required: "a|b", excess: "c"},
		{name: "any of: implied", needs: "!a|x:read", granted: "x:write", excess: "x:write", covered: []scopes.Coverage{{Scope: "x:read", By: "x:write"}}},
		{name: "any of: the very scope before an implied one", needs: "x:read|b", granted: "x:write b", excess: "x:write"},
		{name: "any of: all alternatives are declared", needs: "a|b", granted: "a b"},
		{name: "read is no excess where write is declared", needs: "!x:write", granted: "x:write x:read"},
		{name: "excess is sorted", needs: "!m", granted: "z m a", excess: "a z"},
		{name: "no needs", granted: "a", excess: "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			granted, err := scopes.ParseSet(c.granted)
			if err != nil {
				t.Fatal(err)
			}
			gap := scopes.Compare(needs(c.needs), scopes.Grant{Scopes: granted}, usual(t))
			got := []string{strings.Join(gap.Missing.Required, " "), strings.Join(gap.Missing.Optional, " "), gap.Excess.String()}
			if diff := cmp.Diff([]string{c.required, c.optional, c.excess}, got); diff != "" {
				t.Errorf("required, optional, excess (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]scopes.Coverage{}, c.covered...), gap.Covered); diff != "" {
				t.Errorf("covered (-want +got):\n%s", diff)
			}
			if named := len(gap.Missing.Required) + len(gap.Missing.Recommended) + len(gap.Missing.Optional); len(gap.Lost) != named {
				t.Errorf("%d needs lost, %d names missing", len(gap.Lost), named)
			}
			if gap.Assumed {
				t.Error("the server said what it granted: nothing is assumed")
			}
		})
	}
}

func TestCompareAssumed(t *testing.T) {
	grant := scopes.Grant{Scopes: scopes.NewSet("a"), KnownBy: scopes.Assumed}
	if gap := scopes.Compare(needs("!a"), grant, scopes.Implications{}); !gap.Assumed || len(gap.Lost) != 0 {
		t.Errorf("gap %+v: want nothing missing, and that said to be assumed", gap)
	}
}

// A tool is hidden when any scope that it needs lacks, and named once.
func TestHiddenTools(t *testing.T) {
	entry := func(scope string, tools ...string) scopes.Need {
		e := scopes.Need{AnyOf: []string{scope}, Level: scopes.Recommended}
		for _, tool := range tools {
			e.UsedBy = append(e.UsedBy, scopes.Operation{Tool: tool})
		}
		return e
	}
	list := []scopes.Need{entry("a", "t2", "t1"), entry("b", "t1", "t3"), entry("c", "t4", "t3")}
	gap := scopes.Compare(list, scopes.Grant{Scopes: scopes.NewSet("c")}, scopes.Implications{})
	if diff := cmp.Diff([]string{"t2", "t1", "t3"}, gap.HiddenTools); diff != "" {
		t.Errorf("hidden tools (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, gap.Missing.Recommended); diff != "" {
		t.Errorf("recommended (-want +got):\n%s", diff)
	}
}
