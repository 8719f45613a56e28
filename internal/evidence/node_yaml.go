package evidence

import "go.yaml.in/yaml/v3"

// A yamlTree is what the YAML library makes of a document, or of a part of one.
type yamlTree struct {
	document *document
	before   int                  // lines of the document above it
	aliased  map[*yaml.Node]*node // what several aliases share is read once
}

func (d *document) yamlTree(before int) *yamlTree {
	return &yamlTree{d, before, make(map[*yaml.Node]*node)}
}

// yamlNode parses all of a text; the error is the library's.
func (d *document) yamlNode(text []byte) (*node, error) {
	var parsed yaml.Node
	if err := yaml.Unmarshal(text, &parsed); err != nil || parsed.Kind == 0 {
		return &node{document: d}, err
	}
	return d.yamlTree(0).node(parsed.Content[0]), nil
}

func (t *yamlTree) node(y *yaml.Node) *node {
	if y.Kind == yaml.AliasNode {
		if t.aliased[y.Alias] == nil {
			t.aliased[y.Alias] = t.node(y.Alias)
		}
		return t.aliased[y.Alias]
	}
	n := &node{document: t.document, kind: scalarNode, line: t.before + y.Line, text: y.Value}
	switch {
	case y.Kind == yaml.MappingNode:
		n.kind = objectNode
		n.read = func() []member { return t.members(y) }
	case y.Kind == yaml.SequenceNode:
		n.kind = listNode
		n.read = func() []member { return t.items(y) }
	case y.ShortTag() == "!!null":
		n.kind = nullNode
	}
	return n
}

func (t *yamlTree) items(y *yaml.Node) []member {
	items := make([]member, len(y.Content))
	for i, item := range y.Content {
		items[i].node = t.node(item)
	}
	return items
}

// members are a mapping's own, and after them those that merge keys (<<) bring in.
func (t *yamlTree) members(y *yaml.Node) []member {
	own := make([]member, 0, len(y.Content)/2)
	have := make(map[string]bool)
	var sources []member
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		m := member{key.Value, t.before + key.Line, t.node(y.Content[i+1])}
		switch {
		case key.ShortTag() != "!!merge":
			own = append(own, m)
			have[m.key] = true
		case m.kind == listNode:
			sources = append(sources, m.children()...)
		default:
			sources = append(sources, m)
		}
	}
	for _, source := range sources {
		own = t.merge(own, have, source)
	}
	return own
}

// maxMerged bounds what merge keys bring in: a few lines can stand for any number.
const maxMerged = 200_000

func (t *yamlTree) merge(members []member, have map[string]bool, source member) []member {
	set := t.document.set
	more := func() bool {
		return set.spend(&set.merged, maxMerged, "its merge keys (<<) bring in more than %d members")
	}
	if source.kind != objectNode || !more() {
		return members
	}
	for _, m := range source.children() {
		if !have[m.key] && more() {
			have[m.key] = true
			members = append(members, m)
		}
	}
	return members
}
