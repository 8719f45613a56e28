package text

import (
	"fmt"
	"strings"
)

// Allowed words, to stand behind a message about word, which allowed words there are, and
// which of them was likely meant. They are put into words only where the message is really
// told: of a thousand mistakes in a hostile file most are not.
func Allowed(word string, words []string) fmt.Stringer { return allowed{word, words} }

// maxAllowed bounds how many allowed words a message lists: all keys of the largest file, at least.
const maxAllowed = 24

type allowed struct {
	word  string
	words []string
}

// String begins with a space, to stand behind a message; it is empty where nothing is
// allowed.
func (a allowed) String() string {
	if len(a.words) == 0 {
		return ""
	}
	return " (" + listed(a.words) + ")" + meant(a.word, a.words)
}

// AllowedHint is what [Allowed] says, as a sentence of its own.
func AllowedHint(word string, words []string) string { return listed(words) + meant(word, words) }

func listed(words []string) string {
	list := "allowed: " + strings.Join(words[:min(len(words), maxAllowed)], ", ")
	if more := len(words) - maxAllowed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

func meant(word string, words []string) string {
	if near := Near(word, words); len(near) > 0 {
		return fmt.Sprintf("; did you mean %q?", near[0])
	}
	return ""
}
