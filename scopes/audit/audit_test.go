package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

func onList(words string) scopes.Advertisement {
	return scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(strings.Fields(words)...)}
}

// The table has a row for each scope that is declared, required or observed.
func TestAuditMatrix(t *testing.T) {
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/a\"]}\n  - {any_of: [b, c], level: optional, used_by: [\"tool:t\"]}\n"))
	granted := scopes.NewSet("a:write", "extra")
	f, err := audit.Audit(audit.Question{
		Manifest: m, Granted: &granted, Server: onList("a:write b a:read"),
		Evidence: audittest.Facts(t, "POST {api}/a: a:write", "GET {api}/a: a:read", "tool:t: b|c", "GET {api}/d: d:read", "seen 200 POST {api}/a", "seen 200 GET {api}/d", "seen 200 GET {api}/a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	const yes, no = scopes.AdvertisedYes, scopes.AdvertisedNo
	want := []audit.Row{
		{Scope: "a:write", Declared: true, Level: scopes.Required, Advertised: yes, NeededBy: []string{"POST {api}/a"}, API: true, Observed: true, Granted: audit.GrantedYes},
		{Scope: "b", Declared: true, Advertised: yes, NeededBy: []string{"tool:t"}, MCP: true, Granted: audit.GrantedNo},
		{Scope: "c", Declared: true, Advertised: no, NeededBy: []string{"tool:t"}, MCP: true, Granted: audit.GrantedNo},
		{Scope: "a:read", CoveredBy: "a:write", Advertised: yes, NeededBy: []string{"GET {api}/a"}, API: true, Observed: true, Granted: audit.GrantedYes},
		{Scope: "d:read", Advertised: no, NeededBy: []string{"GET {api}/d"}, API: true, Observed: true, Granted: audit.GrantedNo},
	}
	if diff := cmp.Diff(want, f.Matrix); diff != "" {
		t.Error(diff)
	}
	if f.Least.Scopes.String() != "a:write b d:read" {
		t.Errorf("the small set is %v", f.Least.Scopes)
	}
}

// The order of the sources and of what they say does not matter.
func TestAuditOrder(t *testing.T) {
	lines := []string{"GET {api}/a: a:read|b", "GET {api}/b: b c", "POST {api}/a: a:write", "tool:t: x y", "tool:u: x|y", "seen 403 GET {api}/z z", "seen 200 GET {api}/a", "seen 200 POST {api}/a", "seen 200 GET {api}/b"}
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: q, level: optional, used_by: [\"tool:t\", \"tool:u\"]}\n"))
	show := func(f audit.Findings) string {
		for i := range f.Findings { // the place within the source depends on its order
			for j, line := range f.Findings[i].Evidence {
				f.Findings[i].Evidence[j], _, _ = strings.Cut(line, " (")
			}
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, lines...)})
	if err != nil {
		t.Fatal(err)
	}
	want := show(first)
	slices.Reverse(lines)
	second, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, lines...)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, show(second)); diff != "" {
		t.Error(diff)
	}
}

func TestAuditUnknownProgram(t *testing.T) {
	var unknown *manifest.UnknownProgramError
	_, err := audit.Audit(audit.Question{Manifest: audittest.Decode(t, audittest.ManifestOf("  []\n")), Programs: []string{"x"}})
	if !errors.As(err, &unknown) || unknown.Program != "x" {
		t.Error(err)
	}
	f, err := audit.Audit(audit.Question{Manifest: audittest.Decode(t, audittest.ManifestOf("  []\n"))})
	if err != nil || len(f.Findings) > 0 {
		t.Errorf("without evidence: %v, %v", f.Findings, err)
	}
}

// What is declared for operations that no source describes stays in the small set's
// company: a gateway has no document, and its scope is needed all the same.
func TestAuditKeepsWhatNoSourceDescribes(t *testing.T) {
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/a\"]}\n"+
		"  - {scope: gateway, level: required, used_by: [\"POST {api}/v1/messages\"]}\n"+
		"  - {scope: \"a:read\", level: optional, used_by: [\"GET {api}/unknown\"]}\n"+
		"  - {scope: none, level: optional, used_by: [\"tool:other\"]}\n"))
	f, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, "POST {api}/a: a:write", "tool:other: b")})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Least.Scopes.String(); got != "a:write b" || len(f.Least.Kept) != 1 || f.Least.Kept[0].Name() != "gateway" {
		t.Errorf("the small set is %q, and kept is %v", got, f.Least.Kept)
	}
}

// A scope of the small set that takes the place of declared needs has the highest of their
// levels, the reason of that one, and their operations.
func TestAuditSmallSetKeepsLevelsAndReasons(t *testing.T) {
	const reads = `  - {scope: "books:read", level: required, why: shows the catalogue, used_by: ["GET {api}/books"]}` + "\n"
	facts := []string{"GET {api}/books: books:read", "POST {api}/books: books:write", "DELETE {api}/books/{id}: books:write"}
	for _, c := range []struct {
		name, entries string
		facts         []string
		want          []string
	}{
		{
			"a write for a read", reads, append(facts, "called GET {api}/books", "called POST {api}/books"),
			[]string{"books:write required: shows the catalogue [GET {api}/books, POST {api}/books]"},
		},
		{
			"a write that is declared, and less urgently", reads + `  - {scope: "books:write", level: recommended, why: buys, used_by: ["POST {api}/books"]}`, facts,
			[]string{"books:write required: shows the catalogue; buys [POST {api}/books, GET {api}/books]"},
		},
		{
			"a write that is as urgent keeps its reason", reads + `  - {scope: "books:write", level: required, why: buys, used_by: ["POST {api}/books"]}`, facts,
			[]string{"books:write required: buys; shows the catalogue [POST {api}/books, GET {api}/books]"},
		},
		{
			"a read for a write", `  - {scope: "books:write", level: optional, why: shows it, used_by: ["GET {api}/books"]}`, facts,
			[]string{"books:read optional: shows it [GET {api}/books]"},
		},
		{
			"what is new beside what is optional", `  - {scope: "books:read", level: optional, why: shows it, used_by: ["GET {api}/books"]}`, append(facts, "called GET {api}/books", "called DELETE {api}/books/7"),
			[]string{"books:write recommended: shows it [GET {api}/books, DELETE {api}/books/{id}]"},
		},
		{
			"two reasons, the more urgent one first", `  - {scope: "books:read", level: recommended, why: shows it, used_by: ["GET {api}/books"]}` + "\n" + `  - {scope: "books:write", level: required, why: sells it, used_by: ["DELETE {api}/books/{id}"]}`,
			append(facts, "called GET {api}/books", "called DELETE {api}/books/7"),
			[]string{"books:write required: sells it; shows it [DELETE {api}/books/{id}, GET {api}/books]"},
		},
		{
			"of many reasons, two", `  - {scope: x, level: optional, why: one, used_by: ["tool:t"]}` + "\n" + `  - {scope: v, level: optional, why: two, used_by: ["tool:t"]}` + "\n" + `  - {scope: w, level: required, why: three, used_by: ["tool:t"]}`,
			[]string{"tool:t: v|w|x|y", "tool:u: y", "uses *"},
			[]string{"y required: three; one; and 1 more [tool:t, tool:u]"},
		},
		{
			"several for everything", `  - {scope: "*", level: required, why: all of it, used_by: ["tool:t", "tool:u"]}`,
			[]string{"tool:t: a:read", "tool:u: b:read"},
			[]string{"a:read required: all of it [tool:t]", "b:read required: all of it [tool:u]"},
		},
		{
			"one of two ways", `  - {any_of: [x, y], level: required, why: one of them, used_by: ["tool:t"]}`,
			[]string{"tool:t: x|y", "tool:u: y", "uses *"},
			[]string{"y required: one of them [tool:t, tool:u]"},
		},
		{
			"another way", `  - {scope: x, level: required, why: so, used_by: ["tool:t"]}`,
			[]string{"tool:t: x|y", "tool:u: y", "uses *"},
			[]string{"y required: so [tool:t, tool:u]"},
		},
		{
			"an operation that no source knows", `  - {scope: "a:read", level: required, why: so, used_by: ["GET {api}/unknown"]}`,
			[]string{"tool:t: a:write", "uses *"},
			[]string{"a:write required: so [tool:t, GET {api}/unknown]"},
		},
		{
			"what is not needed leaves nothing behind", reads + `  - {scope: c, level: required, why: no, used_by: ["tool:c"]}`, append(facts, "called GET {api}/books", "tool:c: -"),
			[]string{"books:read required: shows the catalogue [GET {api}/books]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := audit.Audit(audit.Question{Manifest: audittest.Decode(t, audittest.ManifestOf(c.entries)), Evidence: audittest.Facts(t, c.facts...)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range f.Least.Needs {
				var uses []string
				for _, op := range n.UsedBy {
					uses = append(uses, op.String())
				}
				got = append(got, fmt.Sprintf("%s %s: %s [%s]", n.Name(), n.Level, n.Why, strings.Join(uses, ", ")))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The small set holds what a waiver keeps, and lacks what one refuses, whatever covers it.
func TestLeastHeedsWaivers(t *testing.T) {
	const waive = "waive:\n  - {kind: over_level, scope: \"a:write\", reason: the content}\n  - {kind: undeclared, scope: email, reason: nobody reads it}\n  - {kind: unused, scope: later, reason: next month}\n  - {kind: unused, scope: gone, reason: never declared}\n"
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, why: x}\n  - {scope: later, level: optional, why: y}\n")+waive)
	f, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, "GET {api}/a: a:read", "GET {api}/me: me email", "GET {api}/b: email|b", "called GET {api}/a", "called GET {api}/me", "called GET {api}/b")})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Least.Scopes.String(); got != "a:write b later me" || len(f.Least.Needs) != 4 || len(f.Least.Kept) > 0 {
		t.Errorf("%q %v %v", got, f.Least.Needs, f.Least.Kept)
	}
}
