package scopes

import (
	"maps"
	"slices"
	"strings"
)

// Operations are those that a document or a manifest knows, to recognize requests by: this
// is the only place that says which operation a request is. Where several templates fit, the
// one with fixed text before the one with a variable counts (OpenAPI 3.1 §4.8.8): a request
// for /users/@me is not one for /users/{id} where both are known. A final slash more or less
// does not matter, for servers redirect it away. Operations never change after they were made
// and are safe for concurrent use; on nil there are none.
type Operations struct {
	list  []Operation
	roots map[[2]string]*segment // by method and base
	tools map[string][]int       // by name
}

// NewOperations files a list of operations and tools.
func NewOperations(list []Operation) *Operations {
	o := &Operations{list: list, roots: make(map[[2]string]*segment), tools: make(map[string][]int)}
	for i, op := range list {
		o.add(op, i)
	}
	return o
}

func (o *Operations) add(op Operation, id int) {
	if op.Tool != "" {
		o.tools[op.Tool] = append(o.tools[op.Tool], id)
		return
	}
	key := [2]string{op.Method, op.Base}
	at := o.roots[key]
	if at == nil {
		at = &segment{}
		o.roots[key] = at
	}
	for word := range strings.SplitSeq(strings.TrimSuffix(canonical(op.Path), "/"), "/") {
		at = at.child(word)
	}
	at.ends = append(at.ends, id)
}

// Match returns which of the list the request is, by index: several where the list has the
// same operation several times, none where nothing fits.
func (o *Operations) Match(request Operation) []int { return o.match(request, false) }

// MatchRecorded is [Operations.Match] for a request whose path was folded when it was recorded
// ([FoldPath]). Which of several operations it was can be lost; then each of them counts.
func (o *Operations) MatchRecorded(request Operation) []int { return o.match(request, true) }

func (o *Operations) match(request Operation, recorded bool) []int {
	switch {
	case o == nil:
		return nil
	case request.Tool != "":
		return o.tools[request.Tool]
	}
	if root := o.roots[[2]string{request.Method, request.Base}]; root != nil {
		return root.find(strings.TrimSuffix(canonical(request.Path), "/"), true, recorded)
	}
	return nil
}

// canonical is a path, of a template or a request, in the form in which both are compared:
// however it is escaped.
func canonical(path string) string {
	if clean, ok := RequestPath(path); ok {
		return clean
	}
	return path
}

// find returns the operation that a request is, as its template has it: no variable's value
// goes on from there. ok is false where none fits, and where the path was folded before.
func (o *Operations) find(request Operation) (op Operation, ok bool) {
	if o == nil || request.Tool != "" || strings.Contains(request.Path, folded) {
		return Operation{}, false
	}
	segments := strings.Split(request.Path, "/")
	for i, segment := range segments {
		segments[i] = unescaped(segment)
	}
	request.Path = strings.Join(segments, "/")
	found := o.Match(request)
	if len(found) == 0 {
		return Operation{}, false
	}
	return o.list[found[0]].Unplaced(), true
}

// Fold is the request as it may be written down: its template where that is known, else with
// what is no plain word of its path folded ([FoldPath]).
func (o *Operations) Fold(request Operation) Operation {
	if op, known := o.find(request); known {
		return op
	}
	request.Path = FoldPath(request.Path)
	return request
}

// Tools lists the names of the tools, sorted.
func (o *Operations) Tools() []string { return slices.Sorted(maps.Keys(o.tools)) }

// HasPaths reports whether there is any operation besides tools.
func (o *Operations) HasPaths() bool { return len(o.roots) > 0 }
