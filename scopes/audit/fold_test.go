package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

// A call finds its operation also where the fold took fixed text for an identifier.
func TestFoldedTextIsFound(t *testing.T) {
	m := audittest.Decode(t, audittest.ManifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/exports_2024/{id}/run\"]}"))
	path := scopes.FoldPath("/exports_2024/7/run")
	f, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, "POST {api}/exports_2024/{pk}/run: a:write", "POST {api}/{other}/{x}/walk: b", "seen 200 POST {api}"+path)})
	if err != nil || path != "/{id}/{id}/run" {
		t.Fatal(path, err)
	}
	if len(f.Findings) > 0 || !f.Matrix[0].Observed {
		t.Errorf("%+v %+v", f.Findings, f.Matrix)
	}
}

// A recorded call is found among a document's operations, whatever of its path was
// folded: each template here needs a scope of its own, which nobody declared.
func TestAuditFindsFoldedCalls(t *testing.T) {
	for _, c := range []struct {
		templates, recorded, want string
	}{
		{"/a/{id}/b", "/a/4711/b", "s0"},
		{"/a/{id}/b /a/{id}", "/a/4711/", "s1"},
		{"/a/@me /a/{id}", "/a/%40me", "s0"},
		{"/a/oauth2_clients_2024/report_2023/{id}", "/a/oauth2_clients_2024/report_2023/7", "s0"},
		{"/a/oauth2_clients_2024", "/a/oauth2_clients_2024/b", ""},
		{"/a/things", "/a/4711", ""}, // no word that looks like an identifier
		{"/a/{id} /a/oauth2_clients_2024", "/a/4711", "s0"},
		{"/a/{id}/b /a/report_2024/c", "/a/report_2024/c", "s1"},
		{"/a/f-{n}.json", "/a/f-4711.json", "s0"},
		{"/a/f-{n}.json /a/{id}", "/a/f-7.json", "s1"},
		{"/a/{id}:cancel /a/{id}:retry", "/a/4711:retry", "s0 s1"},                    // lost, which
		{"/a/report_2023 /a/report_2024 /a/report_{n}", "/a/report_2024", "s0 s1 s2"}, // lost, which
		{"/a/{x}/{x}/{x}/c /a/{x}/{x}/2024_{y}/c", "/a/1/2/2024_3/c", "s0"},
	} {
		var lines []string
		for i, template := range strings.Fields(c.templates) {
			lines = append(lines, fmt.Sprintf("GET {api}%s: s%d", template, i))
		}
		lines = append(lines, "seen 200 GET {api}"+scopes.FoldPath(c.recorded))
		m, err := manifest.Decode("scopes.yaml", []byte(audittest.ManifestOf("  - {scope: other, level: optional}\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := audit.Audit(audit.Question{Manifest: m, Evidence: audittest.Facts(t, lines...)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range f.Of(audit.Undeclared) {
			got = append(got, one.Scope)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s among %s: %s", c.recorded, c.templates, diff)
		}
	}
}
