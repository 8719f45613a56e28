package audit_test

import (
	"encoding/json"
	"errors"
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

func TestAuditJSON(t *testing.T) {
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/a\"]}\n  - {any_of: [b, c], level: optional, used_by: [\"tool:t\"]}\n"))
	granted := scopes.NewSet("a:write", "extra")
	f, err := audit.Audit(audit.Question{
		Manifest: m, Granted: &granted, Server: onList("a:write b a:read"),
		Evidence: audittest.Facts(t, "POST {api}/a: a:write", "GET {api}/a: a:read", "tool:t: b|c", "GET {api}/d: d:read", "seen 200 POST {api}/a", "seen 200 GET {api}/d", "seen 200 GET {api}/a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "findings": [
  {
   "kind": "undeclared",
   "scope": "d:read",
   "level": "recommended",
   "file": "scopes.yaml",
   "line": 1,
   "evidence": [
    "GET {api}/d needs d:read (facts:4)"
   ],
   "message": "d:read is needed by GET {api}/d, and not declared"
  }
 ],
 "matrix": [
  {"scope":"a:write","declared":true,"level":"required","covered_by":"","advertised":"yes","needed_by":["POST {api}/a"],"api":true,"mcp":false,"observed":true,"granted":"yes"},
  {"scope":"b","declared":true,"level":"optional","covered_by":"","advertised":"yes","needed_by":["tool:t"],"api":false,"mcp":true,"observed":false,"granted":"no"},
  {"scope":"c","declared":true,"level":"optional","covered_by":"","advertised":"no","needed_by":["tool:t"],"api":false,"mcp":true,"observed":false,"granted":"no"},
  {"scope":"a:read","declared":false,"level":"","covered_by":"a:write","advertised":"yes","needed_by":["GET {api}/a"],"api":true,"mcp":false,"observed":true,"granted":"yes"},
  {"scope":"d:read","declared":false,"level":"","covered_by":"","advertised":"no","needed_by":["GET {api}/d"],"api":true,"mcp":false,"observed":true,"granted":"no"}
 ],
 "waived": [],
 "notes": [],
 "least": {"scopes": ["a:write", "b", "d:read"], "exact": true, "kept": []}
}`
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		t.Fatalf("no JSON: %s", got)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Error(diff)
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

// What is declared for operations that no source describes stays in the least set's
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
	if got := f.Least.Scopes.String(); got != "a:write b" || !slices.Equal(f.Least.Kept, []string{"gateway"}) || len(f.Least.KeptNeeds) != 1 {
		t.Errorf("the least set is %q, and kept is %q", got, f.Least.Kept)
	}
}
