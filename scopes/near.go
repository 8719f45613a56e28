package scopes

import (
	"cmp"
	"slices"

	"github.com/agnivade/levenshtein"
)

// nearest bounds how many words Near offers: more is a list, not a hint.
const nearest = 3

// Near returns the known words that someone may have meant by word, best first,
// at most three: those within a third of its length in edits.
func Near(word string, known []string) []string {
	type candidate struct {
		word string
		away int
	}
	var found []candidate
	for _, k := range known {
		limit := max(2, len(word)/3)
		if len(k)-len(word) > limit || len(word)-len(k) > limit {
			continue
		}
		if away := levenshtein.ComputeDistance(word, k); away <= limit {
			found = append(found, candidate{k, away})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.word, b.word))
	})
	words := make([]string, 0, nearest)
	for _, c := range found[:min(nearest, len(found))] {
		words = append(words, c.word)
	}
	return words
}
