package scopes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
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
	folding  []*segment  // of these, what stands below words that [FoldPath] folds
	variable []*variable // those with more fixed text first
	ends     []int
}

type variable struct {
	template.Part
	next *segment
}

func newRouter() *router {
	return &router{roots: make(map[[2]string]*segment), tools: make(map[string][]int)}
}

// add files id under the use.
func (r *router) add(u Operation, id int) {
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
	part, err := template.ParsePart(word)
	if err != nil || part.Name == "" {
		if s.fixed == nil {
			s.fixed = make(map[string]*segment)
		}
		if s.fixed[word] == nil {
			s.fixed[word] = &segment{}
			if isIdentifier(word) {
				s.folding = append(s.folding, s.fixed[word])
			}
		}
		return s.fixed[word]
	}
	for _, v := range s.variable {
		if v.Before == part.Before && v.After == part.After {
			return v.next
		}
	}
	v := &variable{part, &segment{}}
	s.variable = append(s.variable, v)
	slices.SortStableFunc(s.variable, func(a, b *variable) int {
		return cmp.Compare(b.Fixed(), a.Fixed())
	})
	return v.next
}

// find returns the ids of the operations that the call is, or of the tool; none where
// nothing fits. The call's path may itself have variables.
func (r *router) find(u Operation) []int {
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
		if _, fits := v.Match(word); fits {
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

// findFolded finds what a recorded call with {id} can have been where no whole variable
// stands: a variable with text around it, or a word that was taken for an identifier.
// Which of several it was is lost, so each of them counts.
func (s *segment) findFolded(path string, more bool) []int {
	var ends []int
	for _, v := range s.variable {
		if v.Fixed() > 0 {
			ends = append(ends, v.next.find(path, more)...)
		}
	}
	for _, next := range s.folding {
		ends = append(ends, next.find(path, more)...)
	}
	return ends
}
