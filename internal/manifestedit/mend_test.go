package manifestedit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/google/go-cmp/cmp"
)

// What an audit finds is fixed, and then there is nothing to fix.
func TestMend(t *testing.T) {
	text := []byte(audittest.ManifestOf(`  - scope: a:write # reads only
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
	e := audittest.Facts(t, "tool:a: a:read new", "tool:c: c", "tool:d: x:read y:write", "tool:e: e f")
	q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: e}
	q.Programs = []string{"one"}
	got, f, err := manifestedit.Fix(q, text, audit.Fixing{Write: true, Program: "one"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(text), "one: {scopes: []}", `one: {scopes: [{scope: new, level: recommended, why: "tool:a", used_by: ["tool:a"]}]}`, 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("--write only adds: %s", diff)
	}

	q.Programs = nil
	got, f, err = manifestedit.Fix(q, text, audit.Fixing{Write: true, Lower: true, Prune: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{}, audittest.Told(f.Findings)); diff != "" {
		t.Errorf("left: %s", diff)
	}
	want = audittest.ManifestOf(`  - scope: a:read # reads only
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
	q.Manifest = audittest.Decode(t, string(got))
	again, _, err := manifestedit.Fix(q, got, audit.Fixing{Write: true, Lower: true, Prune: true}, nil)
	if err != nil || string(again) != string(got) {
		t.Errorf("a second run changes something: %v", err)
	}
}

// --lower adds nothing that is undeclared, though the entry that it lowers would be a
// reason: a need of both.
func TestMendLowersAlone(t *testing.T) {
	text := []byte(audittest.ManifestOf("  - {scope: \"*\", level: optional, used_by: [\"tool:a\"]} # all\n"))
	for _, waived := range []string{"", "waive: [{kind: undeclared, scope: new, reason: soon}]\n"} {
		text := append(slices.Clone(text), waived...)
		q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, "tool:a: x:read y:read new")}
		got, f, err := manifestedit.Fix(q, text, audit.Fixing{Lower: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(string(text), `{scope: "*", level: optional, used_by: ["tool:a"]} # all`, `{scope: "x:read", level: optional, why: "tool:a", used_by: ["tool:a"]} # all
  - {scope: "y:read", level: optional, why: "tool:a", used_by: ["tool:a"]}`, 1)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Error(diff)
		}
		if left := f.Of(audit.Undeclared); (len(left) == 0) != (waived != "") {
			t.Errorf("left: %v", audittest.Told(left))
		}
	}
}

// --lower makes of each entry the lesser one, and lets one go only where others do its
// work and name its operations; where more than that would be lost, people decide.
func TestMendLower(t *testing.T) {
	for _, c := range []struct {
		name, entries string
		facts         []string
		want          string
		left          []string
	}{
		{
			name:    "either of two would do: one stays, as a read",
			entries: "  - {scope: \"a:write\", level: required}\n  - {scope: \"b:write\", level: required}\n",
			facts:   []string{"GET {api}/a: a:read|b:read", "called GET {api}/a"},
			want:    "  - {scope: \"b:read\", level: required}\n",
		},
		{
			name:    "either of two would do, and each names an operation",
			entries: "  - {scope: \"a:write\", level: required, used_by: [\"tool:t\"]}\n  - {scope: \"b:write\", level: required, used_by: [\"tool:u\"]}\n",
			facts:   []string{"tool:t: a:read|b:read", "tool:u: a:read|b:read"},
			want:    "  - {scope: \"a:read\", level: required, used_by: [\"tool:t\"]}\n  - {scope: \"b:read\", level: required, used_by: [\"tool:u\"]}\n",
		},
		{
			name:    "the star beside a write that is too much, too",
			entries: "  - {scope: \"*\", level: required}\n  - {scope: \"b:write\", level: optional}\n",
			facts:   []string{"tool:t: a:read", "tool:u: b:read", "uses *"},
			want:    "  - {scope: \"a:read\", level: required}\n  - {scope: \"b:read\", level: optional}\n",
		},
		{
			name:    "of two the more urgent stays",
			entries: "  - {scope: \"*\", level: optional}\n  - {scope: \"a:write\", level: required}\n",
			facts:   []string{"tool:t: a:read", "uses *"},
			want:    "  - {scope: \"a:read\", level: required}\n",
		},
		{
			name:    "two halves of two ways are not both given up",
			entries: "  - {scope: \"a:write\", level: optional}\n  - {scope: \"b:write\", level: optional}\n",
			facts:   []string{"tool:t: a:read b:write|a:write b:read", "uses *"},
			want:    "  - {scope: \"a:read\", level: optional}\n  - {scope: \"b:write\", level: optional}\n",
		},
		{
			name:    "what is required does not become optional",
			entries: "  - {scope: \"a:write\", level: required}\n  - {scope: \"a:read\", level: optional}\n",
			facts:   []string{"tool:t: a:read", "uses *"},
			want:    "  - {scope: \"a:write\", level: required}\n  - {scope: \"a:read\", level: optional}\n",
			left:    []string{"8 over_level a:write is asked for, where a:read would do; a:read is declared already, as optional"},
		},
		{
			name:    "an operation stays named",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"a:read\", level: optional, used_by: [\"tool:u\"]}\n",
			facts:   []string{"tool:t: a:read", "tool:u: a:read"},
			want:    "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"a:read\", level: optional, used_by: [\"tool:u\"]}\n",
			left:    []string{"8 over_level a:write is asked for, where what else is declared would do; but no other entry names tool:t"},
		},
		{
			name:    "of two that could go, and alone name an operation, one stays",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"a:admin\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"a:read\", level: optional}\n",
			facts:   []string{"tool:t: a:read"},
			want:    "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"a:read\", level: optional}\n",
			left:    []string{"8 over_level a:write is asked for, where what else is declared would do; but no other entry names tool:t"},
		},
		{
			name:    "too urgent and too wide",
			entries: "  - {scope: \"c:write\", level: required, used_by: [\"tool:t\"]}\n  - {scope: \"*\", level: optional, used_by: [\"tool:t\", \"tool:u\"]}\n",
			facts:   []string{"tool:t: c:read", "tool:u: ?"},
			want:    "  - {scope: \"c:read\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"*\", level: optional, used_by: [\"tool:t\", \"tool:u\"]}\n",
			left:    []string{"9 over_level * asks for everything"},
		},
		{
			name:    "both at once, though the need goes that says how urgent it is",
			entries: "  - {scope: \"a:admin\", level: required}\n  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\", \"tool:u\"]}\n",
			facts:   []string{"tool:t: a:write", "tool:u: a:read", "uses *"},
			want:    "  - {scope: \"a:write\", level: optional}\n",
		},
		{
			name:    "of what it lowers it keeps each operation that no other entry names",
			entries: "  - {scope: \"*\", level: optional, used_by: [\"tool:t\", \"tool:u\"]}\n  - {scope: c, level: optional}\n",
			facts:   []string{"tool:t: a:read b:read", "tool:u: c"},
			want: "  - {scope: \"a:read\", level: optional, why: \"tool:t\", used_by: [\"tool:t\", \"tool:u\"]}\n" +
				"  - {scope: \"b:read\", level: optional, why: \"tool:t\", used_by: [\"tool:t\"]}\n  - {scope: c, level: optional}\n",
		},
		{
			name:    "a name that another gives up is free for the next",
			entries: "  - {scope: \"a:write\", level: optional}\n  - {scope: \"a:admin\", level: required}\n",
			facts:   []string{"tool:t: a:write", "tool:u: a:read", "uses *"},
			want:    "  - {scope: \"a:write\", level: required}\n",
		},
		{
			name:    "the star goes where others do its work",
			entries: "  - {scope: \"a:write\", level: optional}\n  - {scope: \"*\", level: required}\n",
			facts:   []string{"tool:t: a:write", "tool:u: a:read", "uses *"},
			want:    "  - {scope: \"a:write\", level: optional}\n",
		},
		{
			name:    "what is required leans on nothing optional",
			entries: "  - {scope: \"p:write\", level: required}\n  - {scope: \"u:read\", level: optional}\n",
			facts:   []string{"GET {api}/a: u:read p:read|p:write", "called GET {api}/a", "tool:t: u:read", "uses *"},
			want:    "  - {scope: \"p:write\", level: required}\n  - {scope: \"u:read\", level: optional}\n",
		},
		{
			name:    "a recording alone takes nothing away",
			entries: "  - {scope: \"a:read\", level: required, used_by: [\"GET {api}/a\"]}\n  - {scope: \"b:read\", level: required}\n",
			facts:   []string{"seen 200 GET {api}/a"},
			want:    "  - {scope: \"a:read\", level: required, used_by: [\"GET {api}/a\"]}\n  - {scope: \"b:read\", level: required}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := func(entries string) string {
				return strings.Replace(audittest.ManifestOf(entries), "implies: [", `implies: [{scope: "{x}:admin", covers: ["{x}:write"]}, `, 1)
			}
			text := []byte(whole(c.entries))
			q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, c.facts...)}
			got, f, err := manifestedit.Fix(q, text, audit.Fixing{Lower: true, Prune: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole(c.want), string(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(append([]string{}, c.left...), audittest.Told(f.Findings)); diff != "" {
				t.Errorf("left: %s", diff)
			}
		})
	}
}

// What the server does not list is declared so that it is asked for all the same.
func TestMendUnlisted(t *testing.T) {
	listed := scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet("a:read", "*")}
	for entries, want := range map[string]string{
		"  []\n": "  - scope: a:read\n    level: recommended\n    why: tool:t\n    used_by: [\"tool:t\"]\n" +
			"  - scope: hidden:read\n    level: recommended\n    advertised: false\n    why: tool:u\n    used_by: [\"tool:u\"]\n",
		"  - {scope: \"*\", level: required, used_by: [\"tool:t\", \"tool:u\"]}\n": "  - {scope: \"a:read\", level: required, why: \"tool:t\", used_by: [\"tool:t\"]}\n" +
			"  - {scope: \"hidden:read\", level: required, advertised: false, why: \"tool:u\", used_by: [\"tool:u\"]}\n",
	} {
		text := []byte(audittest.ManifestOf(entries))
		q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, "tool:t: a:hidden|a:read", "tool:u: hidden:read", "uses *"), Server: listed}
		got, _, err := manifestedit.Fix(q, text, audit.Fixing{Write: true, Lower: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(audittest.ManifestOf(want), string(got)); diff != "" {
			t.Error(diff)
		}
	}
}

// What a waiver says will not be declared covers nothing: what else is needed is added.
func TestMendBesideWaiver(t *testing.T) {
	for _, c := range []struct {
		name   string
		facts  []string
		add    string // the scopes of the entries that --write adds
		waived []string
	}{
		{"it would cover what is needed, too", []string{"tool:get: a:read", "tool:create: a:write"}, "a:read", []string{"a:write is needed by tool:create, and not declared"}},
		{"it lacks beside something else", []string{"tool:create: a:write b"}, "b", []string{"a:write is needed by tool:create, and not declared"}},
		{"there is another way, which another need has", []string{"tool:t: a:write|c", "tool:u: c"}, "c", nil},
		{"one need would take just that, and another what it covers", []string{"tool:t: a:write|c", "tool:u: a:read|c"}, "a:read", []string{"a:write, or c in its place, is needed by tool:t, and not declared"}},
		{"there is another way, and it is the one that is waived", []string{"tool:t: a:write|c"}, "", []string{"a:write, or c in its place, is needed by tool:t, and not declared"}},
	} {
		text := []byte(audittest.ManifestOf("  []\nwaive: [{kind: undeclared, scope: \"a:write\", reason: reads only}]\n"))
		q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, append(c.facts, "uses *")...)}
		got, f, err := manifestedit.Fix(q, text, audit.Fixing{Write: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var add []string
		for _, e := range audittest.Decode(t, string(got)).Scopes {
			add = append(add, e.Name())
		}
		if diff := cmp.Diff(c.add, strings.Join(add, " ")); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		var waived []string
		for _, one := range f.Waived {
			waived = append(waived, one.Message)
		}
		if diff := cmp.Diff(c.waived, waived); diff != "" || len(f.Findings) > 0 {
			t.Errorf("%s: left %q, waived %s", c.name, audittest.Told(f.Findings), diff)
		}
	}
}

// A recording that does not tell for want of what a call was refused proves a scope until
// some entry names both, and from then on it is left as it is: whatever is fixed, a second
// run has nothing to do.
func TestMendWhatARecordingLeavesOpen(t *testing.T) {
	for _, c := range []struct {
		name, entries string
		facts         []string
		want, left    string
	}{
		{
			name: "what --write adds is not pruned", entries: "  []\n",
			facts: []string{"GET {api}/a: -", "called GET {api}/a", "seen 403 GET {api}/b/{id} b:write"},
			want:  "  - scope: b:write\n    level: recommended\n    why: GET {api}/b/{id}\n    used_by: [\"GET {api}/b/{id}\"]\n",
			left:  "unproved b:write",
		},
		{
			name: "nor lowered", entries: "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n",
			facts: []string{"GET {api}/b/{id}: b:read", "seen 403 GET {api}/b/{id} b:write"},
			want:  "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n",
		},
		{
			name: "nor, where it was seen to succeed, too", entries: "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n",
			facts: []string{"word b:read", "seen 200 GET {api}/b/{id} b:write", "seen 403 GET {api}/b/{id} b:write"},
			want:  "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n",
		},
		{
			name: "a document says that it needs something else", entries: "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n  - {scope: c, level: optional}\n",
			facts: []string{"GET {api}/b/{id}: c", "seen 403 GET {api}/b/{id} b:write"},
			want:  "  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b/{id}\"]}\n  - {scope: c, level: optional}\n",
			left:  "unproved b:write",
		},
	} {
		text := []byte(audittest.ManifestOf(c.entries))
		q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, c.facts...)}
		got, f, err := manifestedit.Fix(q, text, audit.Fixing{Write: true, Lower: true, Prune: true}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(audittest.ManifestOf(c.want), string(got)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		var left []string
		for _, one := range f.Findings {
			left = append(left, string(one.Kind)+" "+one.Scope)
		}
		if strings.Join(left, ", ") != c.left {
			t.Errorf("%s: left %q", c.name, left)
		}
	}
}

// However long the chain of needs of which each is the only one to name what the next is for,
// they all go at once.
func TestMendChain(t *testing.T) {
	entries, lines := "", []string{}
	for i := range 60 {
		entries += fmt.Sprintf("  - {scope: s%d, level: optional, used_by: [\"tool:t%d\"]}\n", i, i+1)
		lines = append(lines, fmt.Sprintf("tool:t%d: s%d", i+1, i+1))
	}
	text := []byte(audittest.ManifestOf(entries))
	q := audit.Question{Manifest: audittest.Decode(t, string(text)), Evidence: audittest.Facts(t, lines...)}
	got, _, err := manifestedit.Fix(q, text, audit.Fixing{Prune: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Replace(audittest.ManifestOf(""), "scopes:\n", "scopes: []\n", 1), string(got)); diff != "" {
		t.Error(diff)
	}
}
