package text

import (
	"strconv"
	"strings"
)

// Count is n with its noun: "1 scope", "2 scopes".
func Count(n int, noun string) string { return strconv.Itoa(n) + " " + Plural(n, noun) }

// Are is the verb of n things: "is" for one, else "are".
func Are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Plural is the noun for n things, formed as most English nouns are.
func Plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	if stem, found := strings.CutSuffix(noun, "y"); found && !strings.ContainsAny(stem[max(0, len(stem)-1):], "aeiou") {
		return stem + "ies"
	}
	return noun + "s"
}
