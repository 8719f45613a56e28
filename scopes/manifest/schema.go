package manifest

import _ "embed"

//go:embed scopes.schema.json
var schema string

// Schema is the JSON Schema (draft 2020-12) of a manifest, for editors. It sees the
// form of a file; [Decode] sees also what one part says of another, and is the judge.
func Schema() []byte { return []byte(schema) }
