package scopes

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/template"
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
	return word != "" && word[0] >= 'a' && word[0] <= 'z' && (isWord(word) || isNumbered(word))
}

const (
	longestWord    = 32 // bytes: about where words end and identifiers begin
	longestSegment = 64 // bytes, of several words; with hyphens between them, as pass phrases have, longestWord
	mostDigits     = 2  // in a row, of a word
	longestAcronym = 5  // capitals in a row, with the one that begins the next word
	unspeakable    = 6  // consonants in a row: hardly a word has so many
)

// isIdentifier guesses whether a segment names one thing among many: a number, a UUID,
// something with many digits, an address, what has an escape or parameters (RFC 3986
// §3.3), what is too long for a word, or has a part that is not written as words are.
// A name that is a word, nobody can tell from one.
func isIdentifier(segment string) bool {
	if one, err := template.ParsePart(segment); err == nil && one.Name != "" {
		return isIdentifier(one.Before) || isIdentifier(one.After)
	}
	digits := countDigits(segment)
	if digits > 0 && digits == len(segment) || digits >= 4 || len(segment) > longestSegment || len(segment) > longestWord && strings.Contains(segment, "-") ||
		strings.ContainsAny(segment, "%;=") || strings.LastIndexByte(segment, '@') > 0 {
		return true
	}
	parts := strings.FieldsFunc(segment, func(r rune) bool { return strings.ContainsRune("-_.:@$~", r) })
	return slices.ContainsFunc(parts, func(part string) bool { return !isNumbered(part) && !isWord(part) })
}

// numbered are the words of APIs that have digits within, in lower case.
var numbered = []string{"i18n", "l10n", "a11y", "k8s", "b2b", "b2c", "p2p", "e2e", "s2s", "m2m", "h264", "h265", "x509", "sha256", "sha512", "base64", "utf8"}

// isNumbered tells of a word with a digit or two at one of its ends (oauth2, 2fa), of a
// version (v1beta1), and of the words that are so (i18nLanguages).
func isNumbered(part string) bool {
	for _, word := range numbered {
		if rest, begins := strings.CutPrefix(part, word); begins && (rest == "" || isWord(rest)) {
			return true
		}
	}
	if major, minor, found := cutVersion(part); found {
		return len(major) <= mostDigits && len(minor) <= mostDigits
	}
	const digits = "0123456789"
	bare := strings.TrimRight(part, digits)
	if bare == part {
		bare = strings.TrimLeft(part, digits)
	}
	return len(part)-len(bare) <= mostDigits && bare != part && isWord(bare)
}

// cutVersion cuts v1beta1 into its numbers.
func cutVersion(part string) (major, minor string, found bool) {
	rest, begins := strings.CutPrefix(part, "v")
	for _, stage := range []string{"alpha", "beta", "rc"} {
		if major, minor, found := strings.Cut(rest, stage); begins && found && isNumber(major) && (minor == "" || isNumber(minor)) {
			return major, minor, true
		}
	}
	return rest, "", begins && isNumber(rest)
}

func isNumber(text string) bool { return text != "" && countDigits(text) == len(text) }

// isWord tells of letters that are written as some word is, or as the camel case of some
// APIs with at most one acronym (getURL), and that someone could speak.
func isWord(part string) bool {
	if len(part) > longestWord {
		return false
	}
	acronyms := 0
	for part != "" {
		run := capitals(part)
		if run > 1 {
			acronyms++
		}
		if run > longestAcronym || acronyms > 1 {
			return false
		}
		word := part[max(run-1, 0):] // the last capital begins a word
		end := min(run, 1)
		for end < len(word) && word[end] >= 'a' && word[end] <= 'z' {
			end++
		}
		last := len(word) == end
		switch {
		case end == 0, isMute(word[:end]):
			return false
		case run == 1 && end == 1 && !last, end == 2 && run > 0 && !last && !isShortWord(word[:2]):
			return false
		case run == 0 && end == 1 && !last && capitals(word[1:]) < 2: // iOS
			return false
		}
		part = word[end:]
	}
	return true
}

// isShortWord tells of two letters that stand within names: findByStatus.
func isShortWord(word string) bool {
	return strings.Contains(" am an as at by do go he id if in ip is it me my no of on or so to up us we ", " "+strings.ToLower(word)+" ")
}

// isMute tells of letters that nobody could speak.
func isMute(word string) bool {
	vowel := func(r rune) bool { return strings.ContainsRune("aeiouyAEIOUY", r) }
	return slices.ContainsFunc(strings.FieldsFunc(word, vowel), func(run string) bool { return len(run) >= unspeakable })
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
