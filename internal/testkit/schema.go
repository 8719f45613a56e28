package testkit

import (
	"encoding/json"
	"testing"
)

// Described reports members of a JSON Schema that it says nothing of: no line, or no type.
func Described(t testing.TB, schema []byte) {
	t.Helper()
	var root any
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatal(err)
	}
	described(t, "", root)
}

func described(t testing.TB, path string, value any) {
	t.Helper()
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			described(t, path, item)
		}
	case map[string]any:
		properties, _ := value["properties"].(map[string]any)
		for name, property := range properties {
			member, _ := property.(map[string]any)
			if member["description"] == nil {
				t.Errorf("%s.%s: no line about it", path, name)
			}
			if member["type"] == nil && member["anyOf"] == nil {
				t.Errorf("%s.%s: its decoder asks for no type", path, name)
			}
			described(t, path+"."+name, property)
		}
		for word, other := range value {
			if word != "properties" {
				described(t, path, other)
			}
		}
	}
}
