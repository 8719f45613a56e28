package scopes_test

import (
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
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
