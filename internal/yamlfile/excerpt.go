package yamlfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/text"
)

// Excerpt is the line of the file with a caret below the place of the mistake, two lines within a width
// in columns; "" where the line is not known, may hold a secret or nothing, or [Mistakes.WithoutForeignWords]
// has not seen to it that it may be shown.
func (m Mistake) Excerpt(width int) string {
	if !m.shown || strings.TrimSpace(m.source) == "" {
		return ""
	}
	gutter := fmt.Sprintf("%d | ", m.Line)
	line, caret := window(m.source, m.Column-1, max(width-len(gutter), narrowest))
	return gutter + line + "\n" + strings.Repeat(" ", len(gutter)-2) + "| " + strings.Repeat(" ", caret) + "^"
}

// narrowest is the least room for a line, however narrow the terminal.
const narrowest = 20

// A cell is what a terminal shows of one character.
type cell struct {
	shown string
	width int
}

// window is what fits of a line around one of its characters, and the column in which that is shown.
func window(source string, character, room int) (line string, column int) {
	var cells []cell
	for _, r := range source {
		shown := text.Printable(string(r))
		if r == '\t' {
			shown = "    "
		}
		cells = append(cells, cell{shown, text.Columns(shown)})
	}
	character = min(character, len(cells))
	first, before := 0, 0
	for _, c := range cells[:character] {
		before += c.width
	}
	for ; before > room*2/3 && widthOf(cells) > room; first++ {
		before -= cells[first].width
	}
	var b strings.Builder
	used := 0
	if first > 0 {
		b.WriteString("…")
		used, before = 1, before+1
	}
	for i, c := range cells[first:] {
		if used+c.width+1 > room && widthOf(cells[first+i:]) > room-used {
			b.WriteString("…")
			break
		}
		b.WriteString(c.shown)
		used += c.width
	}
	return strings.TrimRight(b.String(), " "), before
}

func widthOf(cells []cell) (width int) {
	for _, c := range cells {
		width += c.width
	}
	return width
}

// maxSource bounds how much of a line is kept to be shown, in bytes.
const maxSource = 4 << 10

// quotable is a line of a source that may be shown: it, what it stands under, and the line above name
// nothing secret, and no word in it looks as keys and tokens do. "" where it may not be.
func quotable(lines [][]byte, at int) string {
	if at < 0 || at >= len(lines) || len(lines[at]) > maxSource {
		return ""
	}
	line := bytes.TrimRight(lines[at], "\r\n")
	if secretWords().Match(line) || looksSecret(line) {
		return ""
	}
	indent, item, next := indentOf(line), startsItem(line), true
	for above := at - 1; above >= 0 && (indent > 0 || item || next); above-- {
		if len(bytes.TrimSpace(lines[above])) == 0 {
			continue
		}
		own, ownItem := indentOf(lines[above]), startsItem(lines[above])
		under := own < indent || own == indent && item && !ownItem
		if (under || next) && secretWords().Match(lines[above]) {
			return ""
		}
		if next = false; under {
			indent, item = own, ownItem
		}
	}
	return string(line)
}

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t")) }

func startsItem(line []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("-")) }

// secretWords are what names secrets in files. It says yes too often: a line that is not shown harms nobody.
var secretWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)secret|passw|passphrase|token|bearer|authorization|api.?key|private.?key|cookie`)
})

// looksSecret reports whether a word of a line is long, and of letters and digits without a pattern that
// people write: an API key, a token, a key in base64.
func looksSecret(line []byte) bool {
	for word := range bytes.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\"'`,:;=/{}[]().", r) }) {
		if len(word) >= 20 && bytes.ContainsAny(word, "0123456789") && bytes.IndexFunc(word, isLetter) >= 0 {
			return true
		}
	}
	return false
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
