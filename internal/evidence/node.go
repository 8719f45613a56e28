package evidence

import "github.com/ambit-auth/ambit/scopes/audit"

// A node is a value of a document in JSON or YAML. What an object or a list holds is read
// when someone asks for it: most of a document is schemas and examples, and nobody does.
type node struct {
	document *document
	kind     nodeKind
	line     int
	text     string          // of a scalar, as it stands there
	read     func() []member // of an object or a list
	members  []member        // what was read
	index    map[string]int  // of an object's members
}

type nodeKind uint8

const (
	noNode nodeKind = iota // not there
	nullNode
	scalarNode
	listNode
	objectNode
)

// A member is one of an object, or an item of a list, which has no key.
type member struct {
	key  string
	line int // of the key
	*node
}

func (m member) where() audit.Where { return audit.Where{File: m.document.name, Line: m.line} }

// children are the members of an object, or the items of a list. A key that stands there
// twice is a failure of all.
func (n *node) children() []member {
	if n.members != nil || n.read == nil {
		return n.members
	}
	n.members = []member{} // an object that a merge key brings into itself adds nothing
	n.members = n.read()
	if n.kind == objectNode {
		n.index = make(map[string]int, len(n.members))
	}
	for i, m := range n.members {
		if _, twice := n.index[m.key]; twice {
			n.document.set.fail(syntax(n.document.name, m.line, "a key that is there already"))
		}
		if n.kind == objectNode {
			n.index[m.key] = i
		}
	}
	return n.members
}

// get is an object's member, or no node.
func (n *node) get(key string) member {
	members := n.children()
	if i, found := n.index[key]; found {
		return members[i]
	}
	return member{node: &node{document: n.document}}
}

// word is the text of a scalar, "" for anything else.
func (n *node) word() string {
	if n.kind != scalarNode {
		return ""
	}
	return n.text
}

// release forgets what was read; it can be read again.
func (n *node) release() { n.members, n.index = nil, nil }
