package scopes

import (
	"net/url"
	"slices"
	"strings"
)

// folded stands in a recorded path for a segment that names one thing among many.
const folded = "{id}"

// FoldPath is a path with what looks like an identifier or a token folded into {id}: the
// same operation on other things is then the same operation, and no name of a thing and
// no secret goes on from there. It errs towards folding: a template whose own fixed text
// was folded is found all the same. An escape that need not be there is undone (%40me is
// @me), and a method of one thing keeps its name (7:cancel). Folding again changes nothing.
func FoldPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = foldSegment(segment)
	}
	return strings.Join(segments, "/")
}

func foldSegment(segment string) string {
	segment = unescaped(segment)
	if !isIdentifier(segment) {
		return segment
	}
	if _, method, found := strings.Cut(segment, ":"); found && isMethod(method) {
		return folded + ":" + method
	}
	return folded
}

// unescaped is a segment without its escapes, where nothing needs one. Any other stays as
// it is, and so is no word.
func unescaped(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil || strings.ContainsFunc(plain, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~@:$", r)
	}) {
		return segment
	}
	return plain
}

// isMethod tells what may follow the name of a thing and a colon: batchUpdate.
func isMethod(word string) bool {
	return word != "" && word[0] >= 'a' && word[0] <= 'z' && len(word) <= longestWord && isWord(word)
}

const (
	longestWord  = 32 // bytes: about where names of resources end and identifiers begin
	longestPlain = 15 // of a segment that is not taken apart
	shortPart    = 7  // of a part that may have a digit or two: oauth2, v1beta1
)

// isIdentifier guesses whether a segment names one thing among many: a number, a UUID,
// something with many digits, an address, what has an escape or parameters (RFC 3986
// §3.3), what is too long for a word, or is long and not written as words are.
func isIdentifier(segment string) bool {
	if one, err := compilePart(segment); err == nil && one.variable != "" {
		return isIdentifier(one.before) || isIdentifier(one.after)
	}
	digits := countDigits(segment)
	switch {
	case digits > 0 && digits == len(segment), digits >= 4, len(segment) > longestWord,
		strings.ContainsAny(segment, "%;="), strings.LastIndexByte(segment, '@') > 0:
		return true
	case len(segment) <= longestPlain:
		return false
	}
	parts := strings.FieldsFunc(segment, func(r rune) bool { return strings.ContainsRune("-_.:", r) })
	return slices.ContainsFunc(parts, func(part string) bool {
		short := len(part) <= shortPart && countDigits(part) <= 2 && part == strings.ToLower(part)
		return !short && !isWord(part)
	})
}

// isWord tells of letters in lower case, or in the camel case of some APIs.
func isWord(part string) bool {
	lower := 0 // how many letters before are so
	for i, r := range part {
		switch {
		case r >= 'a' && r <= 'z':
			lower++
		case r >= 'A' && r <= 'Z' && (i == 0 || lower > 1):
			lower = 0
		default:
			return false
		}
	}
	return true
}

func countDigits(text string) int {
	digits := 0
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			digits++
		}
	}
	return digits
}
