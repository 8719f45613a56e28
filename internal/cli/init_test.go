package cli

import (
	"testing"

	"github.com/ambit-auth/ambit/internal/starter"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Without its server a new manifest begins with scopes that exist at its provider, whichever is built in,
// and is valid.
func TestInitFromBuiltin(t *testing.T) {
	for _, name := range provider.BuiltinNames() {
		service := starter.Service{Use: name}
		p, err := provider.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := (&beginning{path: "scopes.yaml"}).drafted(service, p.Starter)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := (&knownService{service: service, manifest: m}).draft().Text()
		if m, err = manifest.Decode("scopes.yaml", text, nil); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
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
}
