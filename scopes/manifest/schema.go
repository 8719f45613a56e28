package manifest

import (
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// scopeWord is the sort of word that a scope is.
const scopeWord = "scope"

// Schema is the JSON Schema (draft 2020-12) of a manifest, for editors. It sees the
// form of a file; [Decode] sees also what one part says of another, and is the judge.
func Schema() []byte { return SchemaFor(nil) }

// SchemaFor is [Schema] for a service that has these scopes, so that editors offer them. Others stay as good.
func SchemaFor(offer scopes.Offer) []byte {
	s := shape()
	s.About = "Which OAuth scopes a program needs, at which level, and why."
	known := make([]yamlfile.Known, len(offer))
	for i, one := range offer {
		known[i] = yamlfile.Known{Text: one.Scope, About: text.Line(one.About)}
	}
	s.Suggest(scopeWord, known)
	return s.Schema("scopes.yaml")
}

// Outline is a manifest with every key that there is, each with an example and a line about it.
func Outline() []byte { return shape().Outline() }

func shape() *yamlfile.Shape {
	return yamlfile.Describe(func(r *yamlfile.Reader, root *yaml.Node) {
		(&decoder{Reader: *r, manifest: new(Manifest)}).root(root)
	})
}
