package text

import (
	"strconv"
	"strings"
)

// Count is n with its noun: "1 scope", "2 scopes".
func Count(n int, noun string) string { return strconv.Itoa(n) + " " + Plural(n, noun) }

// maxListed is how many names a sentence lists: a server can name hundreds.
const maxListed = 10

// Listed is a list of names in a sentence: the first ten, and how many more there are.
func Listed(names []string) string {
	rest := len(names) - maxListed
	if rest <= 1 { // to count one takes as much room as its name
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:maxListed], ", ") + " and " + strconv.Itoa(rest) + " more"
}

// More lists no more than n names, and counts the others.
func More(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, "; ")
	}
	return strings.Join(names[:n], "; ") + "; and " + strconv.Itoa(len(names)-n) + " more"
}

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
