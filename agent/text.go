package agent

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShown is how many bytes of a value from outside stand in a message: enough for
// any honest wording, too few to flood a terminal.
const maxShown = 300

// oneLine makes text from outside fit for one line of a terminal or a log: escapes for
// what is not printable, and an end after maxShown bytes.
func oneLine(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	odd := func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }
	if strings.IndexFunc(text, odd) < 0 {
		return text
	}
	var line strings.Builder
	for _, r := range text {
		if !odd(r) {
			line.WriteRune(r)
			continue
		}
		line.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
	}
	return line.String()
}

// lines is oneLine for each.
func lines(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = oneLine(text)
	}
	return out
}

// glob reports whether name has the pattern's form, in which * stands for any text.
// Case does not matter: it does not on Windows, and nobody tells two of his variables
// apart by it elsewhere.
func glob(pattern, name string) bool {
	pattern, name = strings.ToUpper(pattern), strings.ToUpper(name)
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, found := strings.CutPrefix(name, first)
	for found {
		var piece string
		piece, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(name, piece)
		}
		_, name, found = strings.Cut(name, piece)
	}
	return false
}
