package audit_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

func onList(words string) scopes.Advertisement {
	return scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(strings.Fields(words)...)}
}

func TestAudit(t *testing.T) {
	for _, c := range []struct {
		name     string
		entries  string
		facts    []string
		server   string
		programs []string
		want     []string
	}{
		{
			name:    "all is well",
			entries: `  - {scope: "a:write", level: required, used_by: ["POST {api}/a", "tool:t"]}`,
			facts:   []string{"POST {api}/a: a:write", "GET {api}/a: a:read", "tool:t: a:read"},
		},
		{
			name:    "undeclared: an operation that used_by names needs more",
			entries: "  - {scope: \"a:read\", level: required, used_by: [\"GET {api}/a/{id}\"]}\n  - {scope: b, level: optional,\n     used_by: [\"GET {api}/b\"]}",
			facts:   []string{"GET {api}/a/{pk}: a:read", "GET {api}/b: b c:read", "GET {api}/unused: z"},
			want:    []string{"10 undeclared c:read is needed by GET {api}/b, and not declared"},
		},
		{
			name:    "undeclared: a listed call, and used_by does not count then",
			entries: `  - {scope: "a", level: required, used_by: ["GET {api}/a"]}`,
			facts:   []string{"GET {api}/a: a", "POST {api}/b/{id}: b", "called POST {api}/b/7"},
			want: []string{
				"1 undeclared b is needed by POST {api}/b/{id}, and not declared",
				"8 unused a is declared, and no evidence needs it",
			},
		},
		{
			name:    "undeclared: a recorded call, and one that was refused",
			entries: `  - {scope: "a", level: required, used_by: ["GET {api}/a"]}`,
			facts:   []string{"GET {api}/a: a", "GET {api}/b: b", "seen 200 GET {api}/b", "seen 403 GET {api}/c c:write", "seen 403 GET {api}/d"},
			want: []string{
				"1 undeclared b is needed by GET {api}/b, and not declared",
				"1 undeclared c:write is needed by GET {api}/c, and not declared",
			},
		},
		{
			name:    "undeclared: a read that a write covers, which lacks too",
			entries: `  - {scope: "k", level: required, used_by: ["GET {api}/a", "POST {api}/a"]}`,
			facts:   []string{"GET {api}/a: k a:read", "POST {api}/a: k a:write"},
			want: []string{
				"8 undeclared a:read is needed by GET {api}/a, and not declared; a:write, which is needed too, covers it",
				"8 undeclared a:write is needed by POST {api}/a, and not declared",
			},
		},
		{
			name:    "an implied scope, a star and an alternative are declared enough",
			entries: "  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/a\"]}\n  - {any_of: [b, c], level: required, used_by: [\"GET {api}/b\"]}",
			facts:   []string{"POST {api}/a: a:write a:read", "GET {api}/b: b|c|d"},
		},
		{
			name:    "undeclared: only one of the alternatives would do",
			entries: "  - {any_of: [b, c], level: required, used_by: [\"GET {api}/b\"]}",
			facts:   []string{"GET {api}/b: b"},
			want:    []string{"8 undeclared b is needed by GET {api}/b, and not declared for certain: it is one of several alternatives, of which only one is asked for"},
		},
		{
			name:    "only the programs that are named count",
			entries: "  - {scope: a, level: required, used_by: [\"tool:t\"]}\nprograms:\n  one: {scopes: [{scope: b, level: optional, used_by: [\"tool:t\"]}]}\n  two: {scopes: [{scope: c, level: optional, used_by: [\"tool:u\"]}]}",
			facts:   []string{"tool:t: a b", "tool:u: c d"},
			want:    []string{"8 undeclared b is needed by tool:t, and not declared without --program one"},
		},
		{
			name:     "and then they do",
			entries:  "  - {scope: a, level: required, used_by: [\"tool:t\"]}\nprograms:\n  one: {scopes: [{scope: b, level: recommended, used_by: [\"tool:t\"]}]}\n  two: {scopes: [{scope: c, level: optional, used_by: [\"tool:u\"]}]}",
			facts:    []string{"tool:t: a b", "tool:u: c d"},
			programs: []string{"one"},
		},
		{
			name:    "unused: no used_by, or the operation needs something else",
			entries: "  - {scope: a, level: optional}\n  - {scope: b, level: optional, used_by: [\"tool:t\"]}\n  - {scope: c, level: optional, used_by: [\"tool:t\", \"GET {api}/c\"]}",
			facts:   []string{"tool:t: c", "GET {api}/c: -"},
			want: []string{
				"8 unused a is declared, and no evidence needs it",
				"9 unused b is declared, and no evidence needs it",
			},
		},
		{
			name:    "unused: only what names an operation, while it is not known what a listed call needs",
			entries: "  - {scope: a, level: required}\n  - {scope: \"b:write\", level: optional}\n  - {scope: c, level: optional, used_by: [\"GET {api}/b\"]}",
			facts:   []string{"GET {api}/b: b:read", "called GET {api}/b", "called GET {api}/strange"},
			want:    []string{"10 unused c is declared, and no evidence needs it"},
		},
		{
			name:    "unused: not while a source leaves open what a listed call needs",
			entries: "  - {scope: a, level: required}\n  - {scope: \"*\", level: optional}",
			facts:   []string{"GET {api}/a: ?", "GET {api}/b: b:read", "called GET {api}/a", "called GET {api}/b"},
			want:    []string{"9 over_level * asks for everything"},
		},
		{
			name:    "unused: not while a tool or a recorded call is not known",
			entries: "  - {scope: a, level: required}\n  - {scope: \"b:write\", level: optional}",
			facts:   []string{"tool:t: b:read", "tool:u: ?", "uses *", "seen 200 GET {api}/a"},
		},
		{
			name:    "unused: a call that some entry names is accounted for",
			entries: "  - {scope: a, level: required}\n  - {scope: b, level: optional, used_by: [\"GET {api}/b\"]}",
			facts:   []string{"called GET {api}/b"},
			want:    []string{"8 unused a is declared, and no evidence needs it"},
		},
		{
			name:    "unproved: nobody knows the operation, or says what it needs",
			entries: "  - {scope: a, level: optional, used_by: [\"tool:t\"]}\n  - {scope: b, level: optional, used_by: [\"GET {api}/b\"]}\n  - {scope: c, level: optional, used_by: [\"tool:u\", \"tool:v\"]}",
			facts:   []string{"GET {api}/b: ?", "tool:u: c"},
			want: []string{
				"8 unproved no source confirms that a is needed",
				"9 unproved no source confirms that b is needed",
				"10 unproved c is declared for an operation, which no source confirms",
			},
		},
		{
			name:    "a listed or recorded call confirms its used_by, where no document says more",
			entries: "  - {scope: a, level: optional, used_by: [\"GET {api}/a\"]}\n  - {scope: b, level: optional, used_by: [\"POST {api}/b/{id}\"]}",
			facts:   []string{"called GET {api}/a", "called POST {api}/b/7"},
		},
		{
			name:    "where calls are listed, what else was recorded is someone else's",
			entries: `  - {scope: "a", level: required, used_by: ["GET {api}/a"]}`,
			facts:   []string{"GET {api}/a: a", "GET {api}/b: b", "called GET {api}/a", "seen 200 GET {api}/b"},
		},
		{
			name:    "--tools stand for the manifest's",
			entries: "  - {scope: a, level: optional, used_by: [\"tool:a-get\"]}\n  - {scope: b, level: optional, used_by: [\"tool:b-get\"]}",
			facts:   []string{"tool:a-get: a", "tool:b-get: b", "tool:b-list: b2", "uses b-*"},
			want: []string{
				"1 undeclared b2 is needed by tool:b-list, and not declared",
				"8 unused a is declared, and no evidence needs it",
			},
		},
		{
			name:    "over_level: a write of which only reads are needed",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\"]}\n  - {scope: \"b:write\", level: optional, used_by: [\"tool:u\"]}\n  - {scope: \"b:read\", level: optional, used_by: [\"tool:u\"]}\n  - {scope: \"c:write\", level: optional, used_by: [\"tool:v\"]}",
			facts:   []string{"tool:t: a:read", "tool:u: b:read", "tool:v: c:read|c:write"},
			want: []string{
				"8 over_level a:write is asked for, where a:read would do",
				"9 over_level b:write is asked for, where what else is declared would do",
				"11 over_level c:write is asked for, where c:read would do",
			},
		},
		{
			name:    "over_level: not where some use may write",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"tool:t\", \"POST {api}/a\"]}\n  - {scope: \"b:write\", level: optional, used_by: [\"tool:t\", \"POST {api}/b\"]}",
			facts:   []string{"tool:t: a:read b:read", "seen 200 POST {api}/b"},
			want:    nil,
		},
		{
			name:    "over_level: only reads were recorded",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"GET {api}/a\", \"POST {api}/a\"]}\n  - {scope: \"b:write\", level: optional, used_by: [\"GET {api}/b\", \"POST {api}/b\"]}",
			facts:   []string{"seen 200 GET {api}/a", "seen 200 GET {api}/b", "seen 201 POST {api}/b", "word a:read", "word b:read"},
			want:    []string{"8 over_level a:write is asked for, where a:read would do"},
		},
		{
			name:    "over_level: the star",
			entries: "  - {scope: \"*\", level: required, used_by: [\"tool:t\", \"tool:u\"]}",
			facts:   []string{"tool:t: a:read b:write", "tool:u: a:read"},
			server:  "a:read b:write",
			want:    []string{"8 over_level * asks for everything, where a:read, b:write would do"},
		},
		{
			name:    "over_level: the star that something needs",
			entries: "  - {scope: \"*\", level: required, used_by: [\"tool:t\"]}",
			facts:   []string{"tool:t: *"},
		},
		{
			name:    "over_level: required, and only optional features use it",
			entries: "  - {scope: a, level: required, used_by: [\"tool:t\"]}\n  - {scope: b, level: optional, used_by: [\"tool:t\"]}\n  - {scope: c, level: required, used_by: [\"tool:u\"]}\n  - {scope: d, level: recommended, used_by: [\"tool:u\"]}",
			facts:   []string{"tool:t: a b", "tool:u: c d"},
			want:    []string{"8 over_level a is required, and only optional features use it"},
		},
		{
			name:    "unknown_scope: near words, and nothing else is said of it",
			entries: "  - {scope: introspection, level: required}\n  - {scope: \"dashbord:read\", level: optional}\n  - {scope: hidden, level: optional, advertised: false, used_by: [\"GET {api}/h\"]}\n  - {scope: seen, level: optional, used_by: [\"tool:t\"]}",
			facts:   []string{"tool:t: seen", "called GET {api}/h"},
			server:  "dashboard:read dashboard:write",
			want: []string{
				"8 unknown_scope introspection is no scope that the server or the evidence knows",
				"9 unknown_scope dashbord:read is no scope that the server or the evidence knows; did you mean dashboard:read?",
			},
		},
		{
			name:    "unknown_scope: a tool's name",
			entries: "  - {scope: \"vision-scanners:read\", level: optional}",
			facts:   []string{"tool:vision-scanners-list: replay_scanner:read"},
			server:  "a",
			want:    []string{"8 unknown_scope vision-scanners:read is no scope that the server or the evidence knows; a tool is called so (vision-scanners-list), and a tool's name is no scope; did you mean replay_scanner:read?"},
		},
		{
			name:    "unknown_scope: not without a list",
			entries: "  - {scope: introspection, level: required}",
			facts:   []string{"GET {api}/a: -", "called GET {api}/a"},
			want:    []string{"8 unused introspection is declared, and no evidence needs it"},
		},
		{
			name:    "unknown_scope: a tool's name goes before a similar word",
			entries: "  - {scope: \"vision-scanners:read\", level: optional}",
			facts:   []string{"tool:vision-scanners-list: replay_scanner:read"},
			server:  "vision_alert:read vision_scanner:read",
			want:    []string{"8 unknown_scope vision-scanners:read is no scope that the server or the evidence knows; a tool is called so (vision-scanners-list), and a tool's name is no scope; did you mean replay_scanner:read?"},
		},
		{
			name:    "a refusal that named nothing proves nothing of what is declared",
			entries: "  - {scope: \"survey:write\", level: optional, used_by: [\"GET {api}/p/{id}\"]}\n  - {any_of: [x, y], level: optional, used_by: [\"GET {api}/p/{id}\"]}",
			facts:   []string{"seen 403 GET {api}/p/{id} survey:write x y named", "seen 401 GET {api}/p/{id} survey:write x y"},
			want:    []string{"8 unproved no source confirms that survey:write is needed", "9 unproved no source confirms that x|y is needed"},
		},
		{
			name:    "a refusal proves what it named, and what the manifest does not connect with the call",
			entries: "  - {scope: a, level: optional, used_by: [\"GET {api}/p/{id}\"]}",
			facts:   []string{"seen 403 GET {api}/p/{id} a b named b", "seen 403 GET {api}/p/{id} a c", "GET {api}/p/{pk}: a"},
			want: []string{
				"8 undeclared b is needed by GET {api}/p/{pk}, and not declared",
				"8 undeclared c is needed by GET {api}/p/{pk}, and not declared",
			},
		},
		{
			name:    "a call that failed shows no reading, and confirms nothing",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"GET {api}/a\"]}",
			facts:   []string{"seen 500 GET {api}/a", "seen 404 GET {api}/a", "word a:read"},
			want:    []string{"8 unproved no source confirms that a:write is needed"},
		},
		{
			name:    "a write that failed was a write all the same",
			entries: "  - {scope: \"a:write\", level: optional, used_by: [\"GET {api}/a\", \"POST {api}/a\"]}",
			facts:   []string{"seen 200 GET {api}/a", "seen 500 POST {api}/a", "word a:read"},
		},
		{
			name:    "without any evidence nothing is unused",
			entries: "  - {scope: a, level: required}\n  - {scope: b, level: required, used_by: [\"GET {api}/b\"]}",
			want:    []string{"9 unproved no source confirms that b is needed"},
		},
		{
			name:    "an empty list of calls says nothing",
			entries: "  - {scope: b, level: required, used_by: [\"GET {api}/b\"]}",
			facts:   []string{"GET {api}/b: b", "lists nothing"},
		},
		{
			name:    "a list of tools says nothing of other calls",
			entries: "  - {scope: b, level: required, used_by: [\"GET {api}/b\"]}\n  - {scope: c, level: optional, used_by: [\"tool:t\"]}",
			facts:   []string{"GET {api}/b: b", "tool:t: c", "called tool:t"},
		},
		{
			name:    "a selection of which no tool is known selects nothing",
			entries: "  - {scope: c, level: optional, used_by: [\"tool:t\"]}",
			facts:   []string{"tool:t: c", "uses zzz"},
		},
		{
			name:    "a star fits a slash in a tool's name",
			entries: "  - {scope: c, level: optional, used_by: [\"tool:x/y\"]}",
			facts:   []string{"tool:x/y: c", "uses x*"},
		},
		{
			name:    "undeclared: an alternative is told as one",
			entries: "  - {scope: z, level: optional, used_by: [\"GET {api}/a\"]}",
			facts:   []string{"GET {api}/a: z wide|z narrow", "GET {api}/b: narrow2|wide2", "called GET {api}/a", "called GET {api}/b", "GET {api}/other: wide", "GET {api}/more: wide2"},
			want: []string{
				"1 undeclared narrow2, or wide2 in its place, is needed by GET {api}/b, and not declared",
				"8 undeclared narrow is needed by GET {api}/a, and not declared",
			},
		},
		{
			name:    "over_level: the star, though it is one of the ways",
			entries: "  - {scope: \"*\", level: required, used_by: [\"tool:t\"]}",
			facts:   []string{"tool:t: a b|*"},
			want:    []string{"8 over_level * asks for everything, where a, b would do"},
		},
		{
			name:    "a concrete path goes before one with a variable",
			entries: "  - {scope: a, level: required, used_by: [\"GET {api}/users/@me/\"]}",
			facts:   []string{"GET {api}/users/{id}: b", "GET {api}/users/@me: a"},
		},
		{
			name:    "waived, until it is over",
			entries: "  - {scope: a, level: optional}\n  - {scope: b, level: optional}\n  - {any_of: [c, d], level: optional}\nwaive:\n  - {kind: unused, scope: a, reason: later, until: 2026-11-22}\n  - {kind: unused, scope: b, reason: later, until: 2026-11-23}\n  - {kind: unused, scope: d, reason: later}\n  - {kind: unproved, scope: a, reason: later}\n",
			facts:   []string{"GET {api}/a: -", "called GET {api}/a"},
			want: []string{
				"8 unused a is declared, and no evidence needs it",
				"12 expired_waiver the waiver of unused for a ended on 2026-11-22",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := audit.Question{Manifest: audittest.Decode(t, audittest.ManifestOf(c.entries)), Programs: c.programs, Evidence: audittest.Facts(t, c.facts...),
				Today: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)}
			if c.server != "" {
				q.Server = onList(c.server)
			}
			f, err := audit.Audit(q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{}, c.want...), audittest.Told(f.Findings)); diff != "" {
				t.Error(diff)
			}
			for _, one := range f.Findings {
				if one.File != "scopes.yaml" || one.Evidence == nil || one.Message == "" {
					t.Errorf("%+v", one)
				}
			}
		})
	}
}

func TestAuditJSON(t *testing.T) {
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/a\"]}\n  - {any_of: [b, c], level: optional, used_by: [\"tool:t\"]}\n"))
	granted := scopes.NewSet("a:write", "extra")
	f, err := audit.Audit(audit.Question{Manifest: m, Granted: &granted, Server: onList("a:write b a:read"),
		Evidence: audittest.Facts(t, "POST {api}/a: a:write", "GET {api}/a: a:read", "tool:t: b|c", "GET {api}/d: d:read", "seen 200 POST {api}/a", "seen 200 GET {api}/d", "seen 200 GET {api}/a")})
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
