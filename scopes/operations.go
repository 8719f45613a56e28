package scopes

import "strings"

// Operations are those that a document or a manifest knows, to recognise calls by. It
// never changes after it was made and is safe for concurrent use.
type Operations struct {
	router *router
	list   []Operation
}

// NewOperations are the operations of these uses; tools among them are passed over.
func NewOperations(uses []Operation) *Operations {
	o := &Operations{router: newRouter(), list: uses}
	for i, u := range uses {
		if u.Tool == "" {
			o.router.add(u, i)
		}
	}
	return o
}

// Find is the operation that a call is, as a template has it: no variable's value goes on
// from there. It is not ok where none fits, or where the path was folded already
// ([FoldPath]) and what it was is lost. On nil there is none.
func (o *Operations) Find(call Operation) (u Operation, ok bool) {
	if o == nil || call.Tool != "" || strings.Contains(call.Path, folded) {
		return Operation{}, false
	}
	segments := strings.Split(call.Path, "/")
	for i, segment := range segments {
		segments[i] = unescaped(segment)
	}
	call.Path = strings.Join(segments, "/")
	found := o.router.find(call)
	if len(found) == 0 {
		return Operation{}, false
	}
	return o.list[found[0]].unplaced(), true
}
