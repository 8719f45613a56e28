package manifest

import (
	_ "embed"
	"encoding/json"
)

//go:embed scopes.schema.json
var schema string

// Schema is the JSON Schema (draft 2020-12) of a manifest, for editors. It sees the
// form of a file; [Decode] sees also what one part says of another, and is the judge.
func Schema() []byte { return []byte(schema) }

// ProviderSchema is that of a provider's file: the same form as it has within a manifest.
func ProviderSchema() []byte {
	var whole struct {
		Draft       string          `json:"$schema"`
		Title       string          `json:"title"`
		Ref         string          `json:"$ref"`
		Definitions json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(schema), &whole); err != nil {
		panic(err) // it is embedded, and a test reads it
	}
	whole.Title, whole.Ref = "A provider's file", "#/$defs/provider"
	text, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		panic(err) // it was JSON
	}
	return append(text, '\n')
}
