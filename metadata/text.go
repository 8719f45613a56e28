package metadata

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how many bytes of a value from outside stand in a message: enough
// for any honest URL or scope, too few to flood a terminal.
const maxShown = 200

// maxMessage bounds the text of a cause that was written by a library around
// something from outside, such as the names in a certificate.
const maxMessage = 2000

// quoted is %q for a value from outside, cut to maxShown.
func quoted(value string) string {
	return strconv.Quote(cut(value, maxShown))
}

// printable leaves ordinary text alone and escapes all that a terminal could take
// for a command, or that would reorder the line.
func printable(text string) string {
	text = cut(text, maxMessage)
	ordinary := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(text, func(r rune) bool { return !ordinary(r) }) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if ordinary(r) {
			out.WriteRune(r)
			continue
		}
		escaped := strconv.QuoteRuneToASCII(r)
		out.WriteString(escaped[1 : len(escaped)-1])
	}
	return out.String()
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// shownURL is raw as it may stand in a message: a URL can hold a password, and one
// that cannot be parsed can hold it anywhere.
func shownURL(raw string) string {
	if !strings.Contains(raw, "@") {
		return cut(raw, maxShown)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(a URL with an @ in it)"
	}
	u.User = nil
	return cut(u.String(), maxShown)
}
