package evidence

import (
	"iter"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/utils"
)

// real is the node that an alias stands for.
func real(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// pairs are the members of a mapping, those that merge keys (<<) bring in too; none of
// what is no mapping.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		n := utils.ResolveMergeNodes(n)
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// member is the value of a mapping's key; nil where there is none.
func member(n *yaml.Node, key string) *yaml.Node {
	for k, value := range pairs(n) {
		if k.Value == key {
			return real(value)
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// mapping is an empty mapping in the place of a node.
func mapping(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
}

// add appends a member; what it holds may still have aliases.
func add(to, key, value *yaml.Node) {
	to.Content = append(to.Content, key, real(value))
}
