package scopes_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// What an audit finds is mended, and then there is nothing to mend.
func TestMend(t *testing.T) {
	text := []byte(manifestOf(`  - scope: a:write # reads only
    level: required
    used_by: ["tool:a"]
  # nobody needs it, and only it names tool:c
  - {scope: gone, level: optional, used_by: ["tool:c"]}
  - {scope: c, level: optional}
  - {scope: "*", level: optional, used_by: ["tool:d"]}
  - {scope: e, level: required, used_by: ["tool:e"]}
  - {scope: f, level: optional, used_by: ["tool:e"]}
programs:
  one: {scopes: []}
waive:
  - {kind: unused, scope: kept, reason: soon}
`))
	e := facts(t, "tool:a: a:read new", "tool:c: c", "tool:d: x:read y:write", "tool:e: e f")
	q := scopes.AuditQuestion{Manifest: decode(t, string(text)), Evidence: e}
	q.Programs = []string{"one"}
	got, f, err := scopes.Mend(q, text, scopes.Mending{Write: true, Program: "one"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(text), "one: {scopes: []}", `one: {scopes: [{scope: new, level: recommended, why: "tool:a", used_by: ["tool:a"]}]}`, 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("--write only adds: %s", diff)
	}

	q.Programs = nil
	got, f, err = scopes.Mend(q, text, scopes.Mending{Write: true, Lower: true, Prune: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{}, told(f.Findings)); diff != "" {
		t.Errorf("left: %s", diff)
	}
	want = manifestOf(`  - scope: a:read # reads only
    level: required
    used_by: ["tool:a"]
  # nobody needs it, and only it names tool:c
  - {scope: "x:read", level: optional, why: "tool:d", used_by: ["tool:d"]}
  - {scope: "y:write", level: optional, why: "tool:d", used_by: ["tool:d"]}
  - {scope: e, level: optional, used_by: ["tool:e"]}
  - {scope: f, level: optional, used_by: ["tool:e"]}
  - {scope: new, level: recommended, why: "tool:a", used_by: ["tool:a"]}
programs:
  one: {scopes: []}
waive:
  - {kind: unused, scope: kept, reason: soon}
`)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	q.Manifest = decode(t, string(got))
	again, _, err := scopes.Mend(q, got, scopes.Mending{Write: true, Lower: true, Prune: true}, nil)
	if err != nil || string(again) != string(got) {
		t.Errorf("a second run changes something: %v", err)
	}
}

// --lower adds nothing that is undeclared, though the entry that it lowers would be a
// reason: a need of both.
func TestMendLowersAlone(t *testing.T) {
	text := []byte(manifestOf("  - {scope: \"*\", level: optional, used_by: [\"tool:a\"]} # all\n"))
	for _, waived := range []string{"", "waive: [{kind: undeclared, scope: new, reason: soon}]\n"} {
		text := append(slices.Clone(text), waived...)
		q := scopes.AuditQuestion{Manifest: decode(t, string(text)), Evidence: facts(t, "tool:a: x:read y:read new")}
		got, f, err := scopes.Mend(q, text, scopes.Mending{Lower: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(string(text), `{scope: "*", level: optional, used_by: ["tool:a"]} # all`, `{scope: "x:read", level: optional, why: "tool:a", used_by: ["tool:a"]} # all
  - {scope: "y:read", level: optional, why: "tool:a", used_by: ["tool:a"]}`, 1)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Error(diff)
		}
		if left := f.Of(scopes.Undeclared); (len(left) == 0) != (waived != "") {
			t.Errorf("left: %v", told(left))
		}
	}
}
