package sandbox

import (
	"slices"
	"strings"
)

// An implication says which scope words cover others.
type implication struct {
	Read, Write string // endings: what ends in Write covers the same that ends in Read
	All         string // covers all but the internal ones
}

// covers reports whether held meets the need.
func (s *shape) covers(held []string, need string) bool {
	if contains(held, need) {
		return true
	}
	if stem, ok := strings.CutSuffix(need, s.Implies.Read); ok && contains(held, stem+s.Implies.Write) {
		return true
	}
	return contains(held, s.Implies.All) && !contains(s.groups["internal"], need)
}

// lacking is the first need that held does not meet; "" where none lacks.
func (s *shape) lacking(held, needs []string) string {
	for _, need := range needs {
		if !s.covers(held, need) {
			return need
		}
	}
	return ""
}

func contains(list []string, scope string) bool { return slices.Contains(list, scope) }

// both keeps of list what other has too, in the order of list, each once.
func both(list, other []string) []string {
	kept := []string{}
	for _, scope := range list {
		if contains(other, scope) && !contains(kept, scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}

// without keeps of list what other lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(scope string) bool { return contains(other, scope) })
}
