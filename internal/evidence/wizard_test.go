package evidence_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/evidence"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

// advertised is what the real server's metadata lists.
func advertised(t testing.TB) scopes.Advertisement {
	t.Helper()
	text, err := os.ReadFile("../../scopes/testdata/metadata/oauth-authorization-server.json")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), `"scopes_supported": [`)
	list, _, _ = strings.Cut(list, "]")
	var words []string
	for word := range strings.SplitSeq(list, ",") {
		words = append(words, strings.Trim(word, " \n\""))
	}
	return scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(words...)}
}

func wizard(t testing.TB) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Decode("scopes.yaml", ambit.ExampleManifest, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wizardEvidence is the tools' sample and the list of calls, with or without the document.
func wizardEvidence(t testing.TB, calls, document bool) *audit.Evidence {
	t.Helper()
	e, err := evidence.Tools{}.Read("mcp-tools-sample.json", open(t, "mcp-tools-sample.json"))
	if err != nil {
		t.Fatal(err)
	}
	if calls {
		more, err := evidence.Calls{}.Read("wizard-calls.txt", open(t, "wizard-calls.txt"))
		if err != nil {
			t.Fatal(err)
		}
		e.Merge(more)
	}
	if document {
		e.Merge(readOpenAPI(t, evidence.OpenAPI{Server: serverAt("https://us.posthog.com")}, "posthog-shaped.openapi.yaml"))
	}
	return &e
}

func said(list []audit.Finding) []string {
	lines := []string{}
	for _, f := range list {
		lines = append(lines, string(f.Kind)+" "+f.Scope+": "+f.Message)
	}
	return lines
}

// The manifest in the root passes its own audit: against the tools that it names and the
// list of the wizard's calls, and, for each program, against the document.
func TestRootManifestPasses(t *testing.T) {
	m := wizard(t)
	check := func(e *audit.Evidence, programs ...string) audit.Findings {
		t.Helper()
		f, err := audit.Audit(audit.Question{Manifest: m, Programs: programs, Evidence: e, Server: advertised(t), Today: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if failing := f.Of(audit.FailingKinds()...); len(failing) > 0 {
			t.Errorf("programs %v: %q", programs, said(failing))
		}
		return f
	}
	all := check(wizardEvidence(t, true, false), m.ProgramNames()...)
	if got := said(all.Of(audit.Unused, audit.Unproved)); len(got) > 0 {
		t.Errorf("all programs, by the list of calls: %q", got)
	}
	whole := check(wizardEvidence(t, true, true), m.ProgramNames()...)
	if diff := cmp.Diff([]string{}, said(whole.Findings)); diff != "" {
		t.Errorf("all programs, by the list and the document: %s", diff)
	}
	check(wizardEvidence(t, false, true))
	for _, p := range m.ProgramNames() {
		check(wizardEvidence(t, false, true), p)
	}
}

// Mistakes that the field has made are caught.
func TestRootManifestWithKnownMistakes(t *testing.T) {
	text := strings.Replace(string(ambit.ExampleManifest), "scopes:\n", `scopes:
  - {scope: introspection, level: required, why: asks what a token holds}
  - {scope: "vision-scanners:read", level: recommended, why: reads scanners, used_by: ["tool:vision-scanners-impact-retrieve"]}
`, 1)
	text = strings.Replace(text, "  - scope: insight:write\n", "  - scope: insights:write\n", 1)
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := audit.Audit(audit.Question{Manifest: m, Evidence: wizardEvidence(t, false, true), Server: advertised(t)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range f.Of(audit.FailingKinds()...) {
		got = append(got, strings.Join(append([]string{string(one.Kind), one.Scope}, one.Near...), " "))
	}
	want := []string{
		"unknown_scope introspection",
		"undeclared replay_scanner:read", // on the line of the used_by that names the tool
		"unknown_scope vision-scanners:read replay_scanner:read",
		"unknown_scope insights:write insight:write",
		"undeclared insight:write",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff, said(f.Findings))
	}
}

// The program's call that nobody declared is found, with the document's line.
func TestUndeclaredCall(t *testing.T) {
	e := wizardEvidence(t, false, true)
	calls, err := evidence.Calls{}.Read("calls.txt", strings.NewReader("GET /api/users/@me/\nPOST /api/projects/7/vision/scanners/\n"))
	if err != nil {
		t.Fatal(err)
	}
	e.Merge(calls)
	f, err := audit.Audit(audit.Question{Manifest: wizard(t), Evidence: e})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range f.Of(audit.Undeclared) {
		got = append(got, one.Scope+": "+strings.Join(one.Evidence, "; "))
	}
	for i, scope := range []string{"replay_scanner:write", "session_recording:read"} {
		want := scope + ": POST {api}/api/projects/{project_id}/vision/scanners/ needs replay_scanner:write and session_recording:read (posthog-shaped.openapi.yaml:"
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// An entry that someone took out comes back, with a reason and its operations; every
// other byte of the file stays.
func TestMendRootManifest(t *testing.T) {
	text := string(ambit.ExampleManifest)
	begin := strings.Index(text, "  - scope: organization:read\n")
	end := strings.Index(text, "  - scope: dashboard:write\n")
	text = text[:begin] + text[end:]
	m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	q := audit.Question{Manifest: m, Programs: m.ProgramNames(), Evidence: wizardEvidence(t, true, true), Server: advertised(t)}
	got, f, err := manifestedit.Fix(q, []byte(text), audit.Fixing{Write: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{}, said(f.Findings)); diff != "" {
		t.Error(diff)
	}
	const entry = `  - scope: organization:read
    level: recommended
    why: GET {api}/api/organizations/{id}/
    used_by: ["GET {api}/api/organizations/{id}/"]
`
	want := strings.Replace(text, "\nprograms:\n", entry+"\nprograms:\n", 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if q.Manifest, err = manifest.Decode("scopes.yaml", got, nil); err != nil {
		t.Fatal(err)
	}
	again, _, err := manifestedit.Fix(q, got, audit.Fixing{Write: true, Lower: true, Prune: true}, nil)
	if err != nil || string(again) != string(got) {
		t.Errorf("a second run changes something: %v", err)
	}
}
