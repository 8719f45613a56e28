package evidence

import (
	"bytes"
	"io"

	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// ReadLimited is Read with a limit that a test reaches soon.
func (t Traffic) ReadLimited(file string, r io.Reader, limit int64) (audit.Evidence, error) {
	return t.read(file, r, limit)
}

// ReadInParts is Read with the size from which on YAML is read in parts.
func (o OpenAPI) ReadInParts(file string, r io.Reader, partSize int) (audit.Evidence, error) {
	return o.read(file, r, partSize)
}

// KnownForms are the places of scopes that are found by themselves.
func KnownForms() []provider.EvidenceForm { return knownForms() }

// ReadJSON is what valid JSON holds, as maps, lists and texts.
func ReadJSON(text []byte) any {
	d := &document{set: &documentSet{}}
	return plain(d.jsonNode(bytes.TrimSpace(text), 1))
}

func plain(n *node) any {
	switch {
	case n.kind == objectNode:
		object := make(map[string]any)
		for _, m := range n.children() {
			object[m.key] = plain(m.node)
		}
		return object
	case n.kind == listNode:
		list := []any{}
		for _, m := range n.children() {
			list = append(list, plain(m.node))
		}
		return list
	case n.kind == nullNode:
		return nil
	}
	return n.text
}
