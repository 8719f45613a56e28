package manifest

import (
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// schemaURL is where the schema of the newest version is published.
const schemaURL = "https://raw.githubusercontent.com/ambit-auth/ambit/main/scopes/manifest/scopes.schema.json"

// Schema is the JSON Schema (draft 2020-12) of a manifest, for editors. It sees the
// form of a file; [Decode] sees also what one part says of another, and is the judge.
func Schema() []byte {
	s := yamlfile.Describe(func(r *yamlfile.Reader, root *yaml.Node) {
		(&decoder{Reader: *r, manifest: new(Manifest)}).root(root)
	})
	s.About = "Which OAuth scopes a program needs, at which level, and why."
	return s.Schema(schemaURL, "scopes.yaml")
}
