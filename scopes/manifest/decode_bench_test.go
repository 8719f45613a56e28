package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"go.yaml.in/yaml/v3"
)

// largeManifest is a manifest of a thousand scopes, written as people write them.
func largeManifest() (text []byte, advertised []string) {
	var b strings.Builder
	b.WriteString("version: 1\nname: large\nprovider:\n  servers: {one: {issuer: https://id.example, api: https://api.example}}\n" +
		"  implies: [{scope: \"{x}:write\", covers: [\"{x}:read\"]}]\nscopes:\n")
	for i := range 1000 {
		scope := fmt.Sprintf("resource_%d:%s", i/2, []string{"read", "write"}[i%2])
		fmt.Fprintf(&b, "  - scope: %s\n    level: recommended\n    why: needed for feature number %d\n    used_by: [\"GET {api}/api/things/{id}/%d/\", \"tool:thing-%d\"]\n", scope, i, i, i)
		advertised = append(advertised, scope)
	}
	return []byte(b.String()), advertised
}

// BenchmarkDecode1000 decodes, selects, negotiates and compares. The promise: at most
// 1.5 times BenchmarkBareYAML1000.
func BenchmarkDecode1000(b *testing.B) {
	text, advertised := largeManifest()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := manifest.Decode("scopes.yaml", text, nil)
		if err != nil {
			b.Fatal(err)
		}
		needs, err := m.Select()
		if err != nil {
			b.Fatal(err)
		}
		plan := scopes.Negotiate(scopes.Negotiation{
			Needs: needs, Implies: m.Provider.Implies,
			Server: scopes.Advertisement{State: scopes.Listed, Scopes: scopes.NewSet(advertised...)},
		})
		gap := scopes.Compare(needs, scopes.Grant{Scopes: plan.Request}, m.Provider.Implies)
		if plan.Request.Len() != 500 || len(gap.Lost) != 0 {
			b.Fatalf("asks for %d, %d lost", plan.Request.Len(), len(gap.Lost))
		}
	}
}

// BenchmarkBareYAML1000 reads the same text into plain structs, and checks nothing.
func BenchmarkBareYAML1000(b *testing.B) {
	text, _ := largeManifest()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var m struct {
			Version  int
			Name     string
			Provider struct {
				Servers map[string]map[string]string
				Implies []struct {
					Scope  string
					Covers []string
				}
			}
			Scopes []struct {
				Scope, Level, Why string
				UsedBy            []string `yaml:"used_by"`
			}
		}
		if err := yaml.Unmarshal(text, &m); err != nil || len(m.Scopes) != 1000 {
			b.Fatal(err, len(m.Scopes))
		}
	}
}
