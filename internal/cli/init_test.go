package cli

import (
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A manifest begins with scopes that exist at its provider, and is valid, whichever is built in.
func TestInitFromBuiltin(t *testing.T) {
	for _, name := range provider.BuiltinNames() {
		p, err := provider.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		begun(t, p, name)
		plain := *p
		plain.Starter = "" // as in a file without one
		begun(t, &plain, name)
	}
}

func begun(t *testing.T, p *provider.Provider, name string) {
	t.Helper()
	text := starterManifest("app", name, firstScopes(p))
	m, err := manifest.Decode("scopes.yaml", text, nil)
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
		return
	}
	if none := len(m.Scopes) == 0; none != p.Scopes.NoRequest {
		t.Errorf("%s begins with %d scopes", name, len(m.Scopes))
	}
	exist := p.Scopes.Advertised(scopes.Advertisement{}).Known
	for _, need := range m.Scopes {
		for _, scope := range need.AnyOf {
			if len(p.Scopes.Table) > 0 && !exist.Has(scope) {
				t.Errorf("%s begins with %s, which its table lacks", name, scope)
			}
		}
	}
}
