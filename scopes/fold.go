package scopes

import (
	"slices"
	"strings"
)

// folded stands in a recorded path for a segment that names one thing among many.
const folded = "{id}"

// FoldPath is a path with what looks like an identifier or a token folded into {id}: the
// same operation on other things is then the same operation, and no name of a thing and
// no secret goes on from there. It errs towards folding: a template whose own fixed text
// was folded is found all the same. Folding again changes nothing.
func FoldPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if isIdentifier(segment) {
			segments[i] = folded
		}
	}
	return strings.Join(segments, "/")
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
	if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
		return false
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
