package evidence

import (
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
)

// maxChain bounds how many references lead to one node.
const maxChain = 20

// follow goes where a node's reference leads, and on from there to where there is none. It
// is not ok where that cannot be done; a note says what is not known for it.
func (r *openAPIReader) follow(from member, what string) (found member, ok bool) {
	unknown := func(ref member, problem string) (member, bool) {
		r.note(ref.where(), what+" is not known: "+shown(ref.text)+" "+problem)
		return member{}, false
	}
	at := from
	for range maxChain {
		ref := at.get("$ref")
		if ref.kind != scalarNode {
			return at, true
		}
		next, problem := ref.target()
		if problem != "" {
			return unknown(ref, problem)
		}
		at = next
	}
	return unknown(from.get("$ref"), "leads back to itself")
}

// shown is a reference without what may be a secret in its address; what it points at in
// there is none.
func shown(ref string) string {
	address, pointer, points := strings.Cut(ref, "#")
	if address = guard.ShownURL(address); points {
		return address + "#" + pointer
	}
	return address
}

// target is the object to which a reference leads; problem says why it leads nowhere.
func (n *node) target() (found member, problem string) {
	address, pointer, _ := strings.Cut(n.text, "#")
	d := n.document
	if address != "" {
		d = d.refer(address)
	}
	if d.problem != "" {
		return member{}, d.problem
	}
	if found = d.at(pointer); found.kind != objectNode {
		return member{}, "is not there"
	}
	return found, ""
}

// maxPointer bounds the words of a pointer: each costs a look at all that is below.
const maxPointer = 50

// at goes after a JSON pointer in a URL's fragment (RFC 6901 §6), to no node where it
// leads nowhere.
func (d *document) at(fragment string) member {
	at := member{"", d.root.line, d.root}
	pointer, err := url.PathUnescape(fragment)
	if err != nil || strings.Count(pointer, "/") > maxPointer || pointer != "" && pointer[0] != '/' {
		return member{node: &node{}}
	}
	for i, word := range strings.Split(pointer, "/") {
		if i > 0 {
			at = at.get(strings.NewReplacer("~1", "/", "~0", "~").Replace(word))
		}
	}
	return at
}
