package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLine is how many bytes of a text from outside stand in a message: enough for any
// honest wording, too few to flood a terminal.
const MaxLine = 500

// Line makes text from outside fit for one line of a terminal or a log: a space for line ends
// and tabs, escapes for what else is not printable (control characters, and format characters
// that turn the direction of writing), and an end after [MaxLine] bytes.
func Line(text string) string {
	text = Cut(text, MaxLine)
	if strings.ContainsAny(text, lineBreaks) {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(lineBreaks, r) }), " ")
	}
	return Printable(text)
}

// lineBreaks is what would end a line, or leave its column.
const lineBreaks = "\r\n\t"

// MaxWord is how many bytes of one word from outside, such as a URL or a scope, stand in a
// message.
const MaxWord = 200

// Quote is %q for a word from outside, of which at most [MaxWord] bytes are shown.
func Quote(word string) string { return strconv.Quote(Cut(word, MaxWord)) }

// Cut is a text with an end after limit bytes.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Printable is [Line] without an end, for what has to be copied whole, such as a URL.
func Printable(text string) string {
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

func odd(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }

// Block is [Printable] for text of several lines: the line ends stay.
func Block(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Lines is [Line] for each.
func Lines(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = Line(text)
	}
	return out
}

// MaxName bounds names that are shown on one line, in characters.
const MaxName = 100

// IsName reports whether a text can be a name: 1 to [MaxName] printable characters.
func IsName(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= MaxName && strings.IndexFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) < 0
}

// IsUnbroken reports whether a text has no space and nothing unprintable in it, which would
// break a line of a report, or hide in it.
func IsUnbroken(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r == ' ' || !strconv.IsPrint(r) }) < 0
}

// Quoted lists words from outside, each as [Quote] has it, with commas between.
func Quoted(words []string) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = Quote(word)
	}
	return strings.Join(list, ", ")
}
