package scopes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
)

// A segment is a step of a path, with the steps that known templates have below it.
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
			if foldable(word) {
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

// find returns where the path below ends: the ids of templates that fit it. Text that is fixed
// goes before a variable. A folded path was recorded, and {id} in it can have been anything.
func (s *segment) find(path string, more, recorded bool) []int {
	if !more {
		return s.ends
	}
	word, rest, more := strings.Cut(path, "/")
	if next := s.fixed[word]; next != nil {
		if ends := next.find(rest, more, recorded); len(ends) > 0 {
			return ends
		}
	}
	for _, v := range s.variable {
		if _, fits := v.Match(word); fits {
			if ends := v.next.find(rest, more, recorded); len(ends) > 0 {
				return ends
			}
		}
	}
	if recorded && word == folded {
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
			ends = append(ends, v.next.find(path, more, true)...)
		}
	}
	for _, next := range s.folding {
		ends = append(ends, next.find(path, more, true)...)
	}
	return ends
}
