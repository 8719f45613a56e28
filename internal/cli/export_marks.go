package cli

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// The lines between which a file holds the table.
const (
	marksBegin = "<!-- ambit scopes -->"
	marksEnd   = "<!-- ambit scopes end -->"
)

// maxMarkdown bounds the file into which the table is written, in bytes.
const maxMarkdown = 16 << 20

// betweenMarks is the text with the table between its two marks, with the line ends and
// the indent that they have; all else stays byte for byte. A mark is a line of its own,
// outside of code: a text may speak of the marks.
func betweenMarks(file, document, table string) (string, error) {
	begins, ends := markLines(document)
	switch {
	case len(begins) == 0 || len(ends) == 0:
		return "", fail(exitUsage, text.Printable(file)+" has no place for the table", "put two lines into it: "+marksBegin+" and "+marksEnd)
	case len(begins) > 1 || len(ends) > 1:
		return "", fail(exitUsage, text.Printable(file)+" has the marks more than once", "")
	case ends[0] < begins[0]:
		return "", fail(exitUsage, text.Printable(file)+": the end mark stands before the other", "")
	}
	from := begins[0] + strings.IndexByte(document[begins[0]:], '\n') + 1
	if indent, _, _ := strings.Cut(document[begins[0]:], "<"); strings.Trim(indent, " ") == "" && indent != "" { // of a list's item
		table = indent + strings.ReplaceAll(strings.TrimSuffix(table, "\n"), "\n", "\n"+indent) + "\n"
		table = strings.ReplaceAll(table, indent+"\n", "\n")
	}
	if strings.HasSuffix(document[:from], "\r\n") {
		table = strings.ReplaceAll(table, "\n", "\r\n")
	}
	return document[:from] + table + document[ends[0]:], nil
}

// markLines is where the lines begin that are the marks.
func markLines(text string) (begins, ends []int) {
	at, open, listed := 0, "", false
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		fence, info := codeFence(word)
		deep := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		if word != "" && !deep && line[0] != ' ' {
			listed = isListItem(word)
		}
		switch {
		case open == "" && deep && !listed:
			// code by its indent (CommonMark §4.4); in a list it is a part of that
		case open != "":
			if strings.HasPrefix(fence, open) && info == "" {
				open = ""
			}
		case fence != "":
			open = fence
		case word == marksBegin:
			begins = append(begins, at)
		case word == marksEnd:
			ends = append(ends, at)
		}
		at += len(line)
	}
	return begins, ends
}

// isListItem tells of a line that begins an item of a list (CommonMark §5.2).
func isListItem(word string) bool {
	bullet := strings.TrimLeft(word, "0123456789")
	if len(bullet) < len(word) {
		return strings.HasPrefix(bullet, ". ") || strings.HasPrefix(bullet, ") ")
	}
	return strings.HasPrefix(word, "- ") || strings.HasPrefix(word, "* ") || strings.HasPrefix(word, "+ ")
}

// codeFence is the fence of code that a line is, and what stands behind it; "" for a line
// that is none. It is closed by one as long or longer with nothing behind it (CommonMark
// §4.5); backticks behind backticks make a code span of the line.
func codeFence(word string) (fence, info string) {
	for _, tick := range []string{"`", "~"} {
		info = strings.TrimLeft(word, tick)
		if n := len(word) - len(info); n >= 3 && (tick == "~" || !strings.Contains(info, tick)) {
			return word[:n], info
		}
	}
	return "", ""
}
