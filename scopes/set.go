package scopes

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// smallSet is the size up to which a scan beats a map, and saves building one.
const smallSet = 8

// A Set is an ordered set of scopes: each once, in the order of first mention.
// It never changes after it was made, so it may be shared between goroutines.
// The zero value is the empty set. The same input gives the same bytes in every
// rendering.
type Set struct {
	list  []string
	index map[string]int // the place in list; nil up to smallSet
}

// NewSet makes a set of the given scopes, in their order, duplicates dropped. It
// does not check them: use [CheckScope] or [ParseSet] for words from outside.
func NewSet(scopes ...string) Set {
	list := make([]string, 0, len(scopes))
	if len(scopes) <= smallSet {
		for _, s := range scopes {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		return Set{list: list}
	}
	index := make(map[string]int, len(scopes))
	for _, s := range scopes {
		if index[s] = len(list); len(index) > len(list) { // it was new: one look-up, not two
			list = append(list, s)
		}
	}
	if len(list) < len(scopes) { // what came again has a wrong place
		for i, s := range list {
			index[s] = i
		}
	}
	return Set{list: list, index: index}
}

// ParseSet reads the value of a scope parameter (RFC 6749 §3.3): scopes with
// spaces between them. Surplus spaces are forgiven; a character that no scope may
// hold is a *[SyntaxError]. The empty string is the empty set.
func ParseSet(value string) (Set, error) {
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' })
	for _, w := range words {
		if err := CheckScope(w); err != nil {
			return Set{}, err
		}
	}
	return NewSet(words...), nil
}

// Len is the number of scopes.
func (s Set) Len() int { return len(s.list) }

// Has reports whether this very scope is in the set; implication is [Implications]' matter.
func (s Set) Has(scope string) bool {
	return placeOf(s, scope) >= 0
}

// placeOf is where a scope is in the set's order; -1 where it is not in it. It makes no copy of
// bytes.
func placeOf[T string | []byte](s Set, scope T) int {
	if s.index != nil {
		if at, there := s.index[string(scope)]; there {
			return at
		}
		return -1
	}
	for at, one := range s.list {
		if one == string(scope) {
			return at
		}
	}
	return -1
}

// All yields the scopes in the set's order.
func (s Set) All() iter.Seq[string] { return slices.Values(s.list) }

// Slice is a copy of the scopes in the set's order; never nil.
func (s Set) Slice() []string { return append(make([]string, 0, len(s.list)), s.list...) }

// Sorted is the same set in byte order.
func (s Set) Sorted() Set {
	list := s.Slice()
	slices.Sort(list)
	return NewSet(list...)
}

// Union is the set of what is in s or in other: s's order, then other's.
func (s Set) Union(other Set) Set {
	if other.Len() == 0 {
		return s
	}
	return NewSet(slices.Concat(s.list, other.list)...)
}

// Minus is the set of what is in s and not in other, in s's order.
func (s Set) Minus(other Set) Set {
	return s.Where(func(scope string) bool { return !other.Has(scope) })
}

// Where is the set of those scopes that keep says yes to, in s's order.
func (s Set) Where(keep func(scope string) bool) Set {
	var list []string
	for _, scope := range s.list {
		if keep(scope) {
			list = append(list, scope)
		}
	}
	return NewSet(list...)
}

// Equal reports whether both hold the same scopes, in whatever order.
func (s Set) Equal(other Set) bool {
	return s.Len() == other.Len() && s.Minus(other).Len() == 0
}

// String is the value of a scope parameter (RFC 6749 §3.3).
func (s Set) String() string { return strings.Join(s.list, " ") }

// MarshalJSON writes an array in the set's order; the empty set is [], never null.
func (s Set) MarshalJSON() ([]byte, error) { return json.Marshal(s.Slice()) }
