package scopes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestFoldPath(t *testing.T) {
	for _, word := range []string{
		"@me", "@current", "v1", "v1beta1", "v2alpha", "oauth2", "s3", "feature_flags", "dashboard_tiles", ".well-known", "query", "personal_api_keys",
		"oauth-authorization-server", "beta-oauth2-clients", "user-api-keys", "{id}", "{project_id}", "session_recordings",
		"organization_memberships", "f-{n}.json", "dashboards2", "strengths", "check-runs", "mp3", "web3",
	} {
		if got := scopes.FoldPath("/a/" + word + "/"); got != "/a/"+word+"/" {
			t.Errorf("the word %s is folded: %s", word, got)
		}
	}
	for _, id := range []string{
		"getProjectMembers", "OAuth", "k8s", "things:batchGet", "$metadata", // words, to someone who knows the document
		"7", "12345", "2024-11-25", "0192f0c1-7a3e-7c1b-9d6e-2f7a1b0c3d4e", "someone@example.com", "a%2Fb", "x;jsessionid=ABC", "key=value",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "sk-ant-REDACTED-abcdef", "AbCdE-s3cr3t-xYzQw", "aB3dE5fG7hJ9kL1m", "KJHGFDSAQWERTYUI", strings.Repeat("a", 40),
		"reset-AbCdEfGhIjKlMnOpQ-now", "%2561bc", "a%20b", "someone%40example.com", "4711:Smith", "4711:b4d", "4711{n}",
		"xK9mPq2LwZ", "dQw4w9WgXcQ", "AAAAbbbbCCCCddd", "Zm9vYmFy", "a1b2c3", "aB3dE5gH", "AbCdEf", "QXZPTW", "INV-7QX4", "h264a9", "k9x2ab", "r2d2c3", "ab12cd", "7a7b", "x7Kp", "A1B2C",
		"correct-horse-battery-staple-is-my-passphrase", "deadbeef-cafe-babe-face-feedfacebeef",
	} {
		got := scopes.FoldPath("/a/" + id + "/b")
		if got != "/a/{id}/b" || scopes.FoldPath(got) != got {
			t.Errorf("%s becomes %s", id, got)
		}
	}
	for path, want := range map[string]string{
		"/users/%40me/":         "/users/@me/",
		"/%66lags/%34%37%31%31": "/flags/{id}",
	} {
		got := scopes.FoldPath(path)
		if got != want || scopes.FoldPath(got) != got {
			t.Errorf("%s becomes %s, want %s", path, got, want)
		}
	}
}

// A call finds its operation also where the fold took fixed text for an identifier.
func TestFoldedTextIsFound(t *testing.T) {
	m := decode(t, manifestOf("  - {scope: \"a:write\", level: required, used_by: [\"POST {api}/exports_2024/{id}/run\"]}"))
	path := scopes.FoldPath("/exports_2024/7/run")
	f, err := scopes.Audit(scopes.AuditQuestion{Manifest: m, Evidence: facts(t, "POST {api}/exports_2024/{pk}/run: a:write", "POST {api}/{other}/{x}/walk: b", "seen 200 POST {api}"+path)})
	if err != nil || path != "/{id}/{id}/run" {
		t.Fatal(path, err)
	}
	if len(f.Findings) > 0 || !f.Matrix[0].Observed {
		t.Errorf("%+v %+v", f.Findings, f.Matrix)
	}
}

// Whoever folds with the documents at hand loses nothing.
func TestFoldKnown(t *testing.T) {
	var list []scopes.Operation
	for _, path := range []string{"/a/f-{n}.json", "/a/{id}", "/a/getMembers", "/a/{id}:retry", "/exports_2024/{id}"} {
		list = append(list, scopes.Operation{Method: "GET", Base: "api", Path: path})
	}
	known := scopes.NewOperations(list)
	for path, want := range map[string]string{
		"/a/f-7.json": "/a/f-{n}.json", "/a/getMembers": "/a/getMembers", "/a/Other": "/a/{id}", "/a/4711:retry": "/a/{id}:retry",
		"/exports_2024/AbC": "/exports_2024/{id}", "/b/Other": "/b/{id}", "/b/other": "/b/other",
	} {
		if got := known.Fold(scopes.Operation{Method: "GET", Base: "api", Path: path}); got.Path != want {
			t.Errorf("%s is folded to %s, want %s", path, got.Path, want)
		}
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
		m, err := scopes.Decode("scopes.yaml", []byte(manifestOf("  - {scope: other, level: optional}\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := scopes.Audit(scopes.AuditQuestion{Manifest: m, Evidence: facts(t, lines...)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range f.Of(scopes.Undeclared) {
			got = append(got, one.Scope)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s among %s: %s", c.recorded, c.templates, diff)
		}
	}
}
