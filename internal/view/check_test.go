package view

import (
	"path/filepath"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// golden holds what came against a file of testdata, or writes that with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	testkit.Golden(t, filepath.Join("testdata", name), got)
}

// aCheck is a check of a real manifest by a key that lacks two scopes and has one too
// many, while a third vanished from the server's list.
func aCheck(t *testing.T) *Check {
	t.Helper()
	text := `version: 1
name: "an | odd <b>name</b>"
provider: https://auth.example
scopes:
  - {scope: "user:read", level: required, why: who is running this}
  - {scope: "model_gateway:read", level: required, why: "every call, 100% of them: all"}
  - {scope: "chart:write", level: recommended}
  - {any_of: ["note:write", "page:write"], level: optional, why: "reports become <i>notes</i> | pages"}
`
	m, err := manifest.Decode("app/scopes.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	grant := scopes.Grant{Prefix: "key_***", Source: "the variable A_KEY", Scopes: scopes.NewSet("user:read", "chart:write", "secret:read")}
	return &Check{
		Found: true,
		Grant: Grant{Name: m.Name, Server: "one", Needs: m.Scopes, Granted: grant, Gap: scopes.Compare(m.Scopes, grant, scopes.Implications{}), Level: scopes.Required},
		Drift: ambit.Drift{Scopes: []manifest.Drift{{Kind: manifest.DriftVanished, Scope: "chart:write"}, {Kind: manifest.DriftNew, Scope: "z"}}},
		File:  m.File,
	}
}

// Every form of a check shows the same findings.
func TestCheckReport(t *testing.T) {
	r := aCheck(t).Reports()
	golden(t, "report.github", report.Annotations(r, ""))
	golden(t, "report.md", report.Markdown(r))
	golden(t, "report.sarif", indented(report.SARIF(r, "devel")))
}
