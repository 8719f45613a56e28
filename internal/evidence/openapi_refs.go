package evidence

import (
	"net/url"
	"strings"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/pb33f/go-yaml"
)

// A linker makes one small document of all that describe an API. It leaves out what says
// nothing of security: nine tenths of most documents, among them every schema, with its
// cycles and its references. What a path refers to stands in its place then, so the
// library meets no reference, and opens nothing: for one that it cannot follow it would
// give up on all paths.
type linker struct {
	*document
	shelf shelf
}

// A spot is a node of one of the documents.
type spot struct {
	node *yaml.Node
	on   *page
	line int // of its key, where it has one
}

// link is the document that is left.
func (l *linker) link(first *page) *yaml.Node {
	top := mapping(first.top)
	for key, value := range pairs(first.top) {
		at := spot{value, first, key.Line}
		switch key.Value {
		case "openapi", "servers":
			add(top, key, value)
		case "security":
			l.addSecurity(top, key, at)
		case "paths":
			add(top, key, l.paths(at))
		case "components":
			add(top, key, l.components(at))
		}
	}
	return top
}

func (l *linker) components(at spot) *yaml.Node {
	components := mapping(at.node)
	if at, ok := l.follow(at, "what the schemes allow"); ok {
		for key, schemes := range pairs(at.node) {
			if key.Value == "securitySchemes" {
				add(components, key, l.schemesOf(spot{schemes, at.on, key.Line}))
			}
		}
	}
	return components
}

func (l *linker) schemesOf(at spot) *yaml.Node {
	schemes := mapping(at.node)
	at, ok := l.follow(at, "what the schemes allow")
	if !ok {
		return schemes
	}
	for key, value := range pairs(at.node) {
		if found, ok := l.follow(spot{value, at.on, key.Line}, "what the scheme "+key.Value+" allows"); ok {
			add(schemes, key, found.node)
		}
	}
	return schemes
}

func (l *linker) paths(at spot) *yaml.Node {
	paths := mapping(at.node)
	if at, ok := l.follow(at, "what the paths need"); ok {
		for key, item := range pairs(at.node) {
			add(paths, key, l.pathItemOf(spot{item, at.on, key.Line}, key.Value))
		}
	}
	return paths
}

// pathItemOf is what a path holds; where its reference cannot be followed, what stands
// beside that.
func (l *linker) pathItemOf(at spot, path string) *yaml.Node {
	if found, ok := l.follow(at, "what "+path+" needs"); ok {
		at = found
	}
	item := mapping(at.node)
	for key, value := range pairs(at.node) {
		switch key.Value {
		case "servers":
			add(item, key, value)
		case "get", "head", "post", "put", "patch", "delete", "options":
			if op := l.operationOf(spot{value, at.on, key.Line}, strings.ToUpper(key.Value)+" "+path); op != nil {
				add(item, key, op)
			}
		}
	}
	return item
}

// operationOf is nil where an operation is a reference that cannot be followed: what it
// needs is not known then, and the document's security is not for it to have.
func (l *linker) operationOf(at spot, name string) *yaml.Node {
	found, ok := l.follow(at, "what "+name+" needs")
	if !ok {
		return nil
	}
	where := audit.Where{File: at.on.name, Line: at.line}
	if found.on != at.on {
		where = audit.Where{File: found.on.name, Line: found.line}
	}
	op := mapping(found.node)
	for key, value := range pairs(found.node) {
		switch key.Value {
		case "summary", "servers":
			add(op, key, value)
		case "security":
			l.addSecurity(op, key, spot{value, found.on, key.Line})
		}
	}
	l.origins[op] = where
	return op
}

// addSecurity adds a list of security requirements (OpenAPI 3.1 §4.8.30), without aliases.
// A key without a value says nothing. Anything else is an error: read as it stands, it
// would need nothing.
func (l *linker) addSecurity(to, key *yaml.Node, at spot) {
	list := real(at.node)
	if isNull(list) {
		return
	}
	clean := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: list.Line}
	l.want(at.on, list, list.Kind == yaml.SequenceNode)
	for _, one := range list.Content {
		one = real(one)
		l.want(at.on, one, one.Kind == yaml.MappingNode)
		requirement := mapping(one)
		for scheme, words := range pairs(one) {
			words = real(words)
			l.want(at.on, words, words.Kind == yaml.SequenceNode || isNull(words))
			plain := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: words.Line}
			for _, word := range words.Content {
				word = real(word)
				l.want(at.on, word, word.Kind == yaml.ScalarNode && strings.TrimSpace(word.Value) != "" && !isNull(word))
				plain.Content = append(plain.Content, word)
			}
			add(requirement, scheme, plain)
		}
		clean.Content = append(clean.Content, requirement)
	}
	add(to, key, clean)
}

// want fails where a node of a security is not as it should be.
func (l *linker) want(on *page, n *yaml.Node, ok bool) {
	if !ok && l.failed == nil {
		l.failed = syntax(on.name, n.Line, "security is a list of requirements, each from the name of a scheme to a list of scopes")
	}
}

// maxChain bounds how many references lead to one path.
const maxChain = 20

// follow goes where a node's reference leads, and on from there to where there is none. It
// is not ok where that cannot be done; a note says what is not known for it.
func (l *linker) follow(at spot, what string) (found spot, ok bool) {
	begin := at
	for range maxChain {
		ref := member(at.node, "$ref")
		if ref == nil {
			return spot{real(at.node), at.on, at.line}, true
		}
		next, why := l.target(at.on, ref.Value)
		if why != "" {
			l.note(audit.Where{File: at.on.name, Line: ref.Line}, what+" is not known: "+shown(ref.Value)+" "+why)
			return spot{}, false
		}
		at = next
	}
	ref := member(begin.node, "$ref")
	l.note(audit.Where{File: begin.on.name, Line: ref.Line}, what+" is not known: "+shown(ref.Value)+" leads back to itself")
	return spot{}, false
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

// target is what a reference leads to; why says why it leads nowhere.
func (l *linker) target(from *page, ref string) (found spot, why string) {
	address, pointer, _ := strings.Cut(ref, "#")
	on := from
	if address != "" {
		if on, why = l.page(from, address); why != "" {
			return spot{}, why
		}
	}
	found = on.find(pointer)
	if found.node == nil || found.node.Kind != yaml.MappingNode {
		return spot{}, "is not there"
	}
	return found, ""
}

// find goes after a JSON pointer in a URL's fragment (RFC 6901 §6).
func (p *page) find(fragment string) spot {
	at := spot{p.top, p, p.top.Line}
	pointer, err := url.PathUnescape(fragment)
	if pointer == "" {
		return at
	}
	if err != nil || pointer[0] != '/' {
		return spot{}
	}
	for word := range strings.SplitSeq(pointer[1:], "/") {
		word = strings.NewReplacer("~1", "/", "~0", "~").Replace(word)
		next := spot{on: p}
		for key, value := range pairs(at.node) {
			if key.Value == word {
				next.node, next.line = real(value), key.Line
			}
		}
		if at = next; at.node == nil {
			return at
		}
	}
	return at
}
