package scopes

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
)

// folded stands in a recorded path for a segment that may name one thing among many.
const folded = "{id}"

// FoldPath is a path with everything folded into {id} that is not a plain lower-case word, a
// version or a variable: no name of a thing and no secret goes on from there, and the same
// operation on other things is the same operation. A template whose own fixed text was folded
// is found all the same ([Operations.MatchRecorded]). An escape that need not be there is
// undone (%40me is @me). Folding again changes nothing.
func FoldPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment = unescaped(segment); foldable(segment) {
			segment = folded
		}
		segments[i] = segment
	}
	return strings.Join(segments, "/")
}

// unescaped is a segment without its escapes, where nothing needs one. Any other stays as
// it is, and so is not a word.
func unescaped(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil || strings.ContainsFunc(plain, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~@:$", r)
	}) {
		return segment
	}
	return plain
}

const (
	longestWord    = 20 // bytes: about where words end and identifiers begin
	longestSegment = 32 // bytes, of several words with marks between them
)

// foldable reports whether a segment may name one thing among many, or hold a secret.
func foldable(segment string) bool {
	if part, err := template.ParsePart(segment); err == nil && part.Name != "" {
		return foldable(part.Before) || foldable(part.After)
	}
	if len(segment) > longestSegment || strings.LastIndexByte(segment, '@') > 0 {
		return true
	}
	words := strings.FieldsFunc(segment, func(r rune) bool { return strings.ContainsRune("-_.@", r) })
	return slices.ContainsFunc(words, func(word string) bool { return !isWord(word) })
}

// isWord reports whether letters and digits are written as the words of paths are: lower
// case, with at most one digit, at the end (oauth2), or a version (v1, v1beta1).
func isWord(word string) bool {
	if len(word) > longestWord {
		return false
	}
	const digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyz"
	if version, is := strings.CutPrefix(word, "v"); is {
		for _, stage := range []string{"alpha", "beta", "rc", ""} {
			major, minor, _ := strings.Cut(version, stage)
			if len(major) <= 2 && len(minor) <= 2 && strings.Trim(major+minor, digits) == "" && major != "" {
				return true
			}
		}
	}
	if len(word) > 1 && strings.Contains(digits, word[len(word)-1:]) {
		word = word[:len(word)-1]
	}
	return word != "" && strings.Trim(word, letters) == ""
}
