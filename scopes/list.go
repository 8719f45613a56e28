package scopes

import (
	"slices"
	"strings"
)

// ListOf makes a set of the texts in which somebody else lists scopes. RFC 6749 §3.3
// separates them by spaces alone, and allows a comma within a scope, yet many services
// separate by commas: one that stands in what was asked for is taken whole, and one with
// commas is a list where one of its parts was asked for, or where nobody knows what was
// (asked is empty). What can be no scope is left out: nothing that was declared can be
// among it.
func ListOf(texts []string, asked Set) Set {
	var list []string
	for _, text := range texts {
		for _, word := range strings.Fields(text) {
			parts := strings.FieldsFunc(word, func(r rune) bool { return r == ',' })
			if asked.Has(word) || asked.Len() > 0 && !slices.ContainsFunc(parts, asked.Has) {
				parts = []string{word}
			}
			list = append(list, parts...)
		}
	}
	return NewSet(list...).Where(func(scope string) bool { return CheckScope(scope) == nil })
}
