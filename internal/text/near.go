package text

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// MaxNear bounds how many words [Near] offers: more is a list, not a hint.
const MaxNear = 3

// Near returns the known words that someone may have meant by word, best first, at
// most three. Of two words only what differs counts, without the parts that they share
// (of one:read nobody took two:read for a slip), and no case: within a third of its
// length in edits, within two where it is short, within one where it is very short (of
// "us" and "eu" nobody took one for the other). A slip beyond one edit keeps the first
// letter. Two neighbors in each other's place are one edit, except in a word of two letters.
func Near(word string, known []string) []string {
	if len(word) > MaxName {
		return nil // no slip of the pen, and the distance costs the product of both lengths
	}
	type candidate struct {
		word string
		away int
	}
	var found []candidate
	for _, k := range known {
		if away, near := slip(word, k); near {
			found = append(found, candidate{k, away})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.word, b.word))
	})
	words := make([]string, 0, MaxNear)
	for _, c := range found[:min(MaxNear, len(found))] {
		words = append(words, c.word)
	}
	return words
}

// DidYouMean asks for one of the words that [Near] found; "" where it found none.
func DidYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// slip is how many edits lead from a word to a known one, where that may be a slip of
// the pen.
func slip(word, known string) (away int, near bool) {
	word, known = unshared(strings.ToLower(word), strings.ToLower(known))
	limit := max(2, len(word)/3)
	if len(word) < 4 {
		limit = 1
	}
	if len(known)-len(word) > limit || len(word)-len(known) > limit {
		return 0, false
	}
	if swapped(word, known) {
		return 1, true
	}
	away = levenshtein.ComputeDistance(word, known)
	return away, away <= min(limit, 1) || away <= limit && word != "" && known != "" && word[0] == known[0]
}

// swapped reports whether words differ in two neighbors that stand in each other's place.
func swapped(a, b string) bool {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return len(a) > 2 && len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// joints stand between the parts of a scope.
const joints = ":/."

// unshared is what is left of two words without the parts that both begin and end with.
func unshared(a, b string) (string, string) {
	shared := 0
	for shared < min(len(a), len(b)) && a[shared] == b[shared] {
		shared++
	}
	begin := strings.LastIndexAny(a[:shared], joints) + 1
	a, b = a[begin:], b[begin:]
	shared = 0
	for shared < min(len(a), len(b)) && a[len(a)-1-shared] == b[len(b)-1-shared] {
		shared++
	}
	if at := strings.IndexAny(a[len(a)-shared:], joints); at >= 0 {
		end := shared - at
		a, b = a[:len(a)-end], b[:len(b)-end]
	}
	return a, b
}
