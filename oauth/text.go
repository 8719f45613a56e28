package oauth

import (
	"strconv"
	"strings"
	"unicode"
)

// maxWords is how many bytes of a server's free text are kept: enough for every
// honest sentence, too few to flood a terminal.
const maxWords = 500

// plain makes a server's free text fit for a terminal, a page and a log: whatever
// could steer one is dropped, each run of blanks becomes a space, and what is longer
// than maxWords is cut.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return text
}

// quoted lists words from outside, each in quotes.
func quoted(words []string) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = strconv.Quote(word)
	}
	return strings.Join(list, ", ")
}
