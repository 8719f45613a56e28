package scopes

import (
	"cmp"
	"slices"

	"github.com/agnivade/levenshtein"
)

// nearest bounds how many words Near offers: more is a list, not a hint.
const nearest = 3

// Near returns the known words that someone may have meant by word, best first,
// at most three: those within a third of its length in edits, within two where it is
// short, within one where it is very short (of "us" and "eu" nobody took one for the other).
func Near(word string, known []string) []string {
	if len(word) > maxName {
		return nil // no slip of the pen, and the distance costs the product of both lengths
	}
	limit := max(2, len(word)/3)
	if len(word) < 4 {
		limit = 1
	}
	type candidate struct {
		word string
		away int
	}
	var found []candidate
	for _, k := range known {
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
