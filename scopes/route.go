package scopes

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A router finds, for a call, the operations whose template fits it: a recording of a
// hundred thousand calls is held against a thousand operations. Where several
// templates fit, the one with fixed text before the one with a variable counts, as
// in OpenAPI 3.1 §4.8.8.
type router struct {
	roots map[[2]string]*segment // by method and base
	tools map[string][]int
}

type segment struct {
	fixed    map[string]*segment
	variable []*variable // those with more fixed text first
	ends     []int
}

type variable struct {
	before, after string
	next          *segment
}

func newRouter() *router {
	return &router{roots: make(map[[2]string]*segment), tools: make(map[string][]int)}
}

// add files id under the use.
func (r *router) add(u Use, id int) {
	if u.Tool != "" {
		r.tools[u.Tool] = append(r.tools[u.Tool], id)
		return
	}
	key := [2]string{u.Method, u.Base}
	at := r.roots[key]
	if at == nil {
		at = &segment{}
		r.roots[key] = at
	}
	for word := range strings.SplitSeq(strings.TrimSuffix(u.Path, "/"), "/") {
		at = at.child(word)
	}
	at.ends = append(at.ends, id)
}

// child is the segment below, made where it is not there. The name of a variable does
// not matter: {id} and {pk} are one.
func (s *segment) child(word string) *segment {
	before, rest, braced := strings.Cut(word, "{")
	_, after, closed := strings.Cut(rest, "}")
	if !braced || !closed {
		if s.fixed == nil {
			s.fixed = make(map[string]*segment)
		}
		if s.fixed[word] == nil {
			s.fixed[word] = &segment{}
		}
		return s.fixed[word]
	}
	for _, v := range s.variable {
		if v.before == before && v.after == after {
			return v.next
		}
	}
	v := &variable{before, after, &segment{}}
	s.variable = append(s.variable, v)
	slices.SortStableFunc(s.variable, func(a, b *variable) int {
		return cmp.Compare(len(b.before)+len(b.after), len(a.before)+len(a.after))
	})
	return v.next
}

// find returns the ids of the operations that the call is, or of the tool; none where
// nothing fits. The call's path may itself have variables.
func (r *router) find(u Use) []int {
	if u.Tool != "" {
		return r.tools[u.Tool]
	}
	if root := r.roots[[2]string{u.Method, u.Base}]; root != nil {
		return root.find(strings.TrimSuffix(u.Path, "/"), true)
	}
	return nil
}

func (s *segment) find(path string, more bool) []int {
	if !more {
		return s.ends
	}
	word, rest, more := strings.Cut(path, "/")
	if next := s.fixed[word]; next != nil {
		if ends := next.find(rest, more); len(ends) > 0 {
			return ends
		}
	}
	for _, v := range s.variable {
		if len(word) > len(v.before)+len(v.after) && strings.HasPrefix(word, v.before) && strings.HasSuffix(word, v.after) {
			if ends := v.next.find(rest, more); len(ends) > 0 {
				return ends
			}
		}
	}
	if word == folded {
		return s.findFolded(rest, more)
	}
	return nil
}

// findFolded finds the operations whose own text was taken for an identifier when the
// call was recorded.
func (s *segment) findFolded(rest string, more bool) []int {
	for _, word := range slices.Sorted(maps.Keys(s.fixed)) {
		if !isIdentifier(word) {
			continue
		}
		if ends := s.fixed[word].find(rest, more); len(ends) > 0 {
			return ends
		}
	}
	return nil
}
