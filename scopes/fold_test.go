package scopes_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
)

func TestFoldPath(t *testing.T) {
	for _, word := range []string{
		"@me", "@current", "v1", "v1beta1", "oauth2", "s3", "feature_flags", "dashboard_tiles", ".well-known", "query", "personal_api_keys",
		"oauth-authorization-server", "getProjectMembers", "things:batchGet", "beta-oauth2-clients", "user-api-keys", "{id}", "{project_id}", "session_recordings",
		"organization_memberships",
	} {
		if got := scopes.FoldPath("/a/" + word + "/"); got != "/a/"+word+"/" {
			t.Errorf("the word %s is folded: %s", word, got)
		}
	}
	for _, id := range []string{
		"7", "12345", "2024-11-25", "0192f0c1-7a3e-7c1b-9d6e-2f7a1b0c3d4e", "someone@example.com", "a%2Fb", "x;jsessionid=ABC", "key=value",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "sk-ant-REDACTED-abcdef", "AbCdE-s3cr3t-xYzQw", "aB3dE5fG7hJ9kL1m", "KJHGFDSAQWERTYUI", strings.Repeat("a", 40),
		"reset-AbCdEfGhIjKlMnOpQ-now",
	} {
		got := scopes.FoldPath("/a/" + id + "/b")
		if got != "/a/{id}/b" || scopes.FoldPath(got) != got {
			t.Errorf("%s becomes %s", id, got)
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
