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
	longestWord    = 32 // bytes: about where names of resources end and identifiers begin
	shortPart      = 7  // of a part that may have digits anywhere: oauth2, v1beta1
	partDigits     = 2  // that such a part may have, and any word at its end
	longestAcronym = 5  // capitals in a row, with the one that begins the next word
	unspeakable    = 7  // consonants in a row: no word has so many
)

// isIdentifier guesses whether a segment names one thing among many: a number, a UUID,
// something with many digits, an address, what has an escape or parameters (RFC 3986
// §3.3), what is too long for a word, or has a part that is not written as words are.
// A name that is a word, nobody can tell from one.
func isIdentifier(segment string) bool {
	if one, err := compilePart(segment); err == nil && one.variable != "" {
		return isIdentifier(one.before) || isIdentifier(one.after)
	}
	digits := countDigits(segment)
	if digits > 0 && digits == len(segment) || digits >= 4 || len(segment) > longestWord ||
		strings.ContainsAny(segment, "%;=") || strings.LastIndexByte(segment, '@') > 0 {
		return true
	}
	parts := strings.FieldsFunc(segment, func(r rune) bool { return strings.ContainsRune("-_.:@$~", r) })
	return slices.ContainsFunc(parts, func(part string) bool {
		short := len(part) <= shortPart && countDigits(part) <= partDigits && part == strings.ToLower(part)
		bare := strings.TrimRight(part, "0123456789")
		return !short && (len(part)-len(bare) > partDigits || !isWord(bare))
	})
}

// isWord tells of letters that are written as some word is, and that someone could speak.
func isWord(part string) bool {
	mute := func(run string) bool { return len(run) >= unspeakable }
	vowel := func(r rune) bool { return strings.ContainsRune("aeiouyAEIOUY", r) }
	return isCamel(part) && !slices.ContainsFunc(strings.FieldsFunc(part, vowel), mute)
}

// isCamel tells of letters in lower case, or in the camel case of some APIs with at most
// one acronym: getURL.
func isCamel(part string) bool {
	lower, acronyms := 0, 0 // lower: how many letters before are so
	for i := 0; i < len(part); {
		run := capitals(part[i:])
		switch {
		case run == 0 && (part[i] < 'a' || part[i] > 'z'), run == 1 && i > 0 && lower < 2, run > longestAcronym:
			return false
		case run == 0:
			lower++
			i++
			continue
		case run > 1:
			acronyms++
		}
		lower, i = 0, i+run
	}
	return acronyms <= 1
}

// capitals is how many capital letters begin a text.
func capitals(text string) int {
	return len(text) - len(strings.TrimLeft(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
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
