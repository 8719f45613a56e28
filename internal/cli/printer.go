package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/advice"
)

// A printer lays results out for people, in a width and with colours or without.
type printer struct {
	strings.Builder
	paint palette
	width int // columns
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// step writes what to do next. A command stays on one line, to be copied.
func (p *printer) step(step advice.Step) {
	label := p.paint.bold("next:") + " "
	if step.Command == "" || visible(label)+visible(step.String()) <= p.width {
		p.wrapped("  ", label+step.String())
		return
	}
	if step.Text != "" {
		p.wrapped("  ", label+step.Text+":")
		label = "  "
	}
	p.line("%s", label+advice.Step{Command: step.Command, URL: step.URL}.String())
}

// wrapped writes a paragraph within the width, each line but the first indented.
func (p *printer) wrapped(indent, paragraph string) {
	for i, line := range wrap(paragraph, p.width-len(indent)) {
		if i > 0 {
			line = indent + line
		}
		p.line("%s", line)
	}
}

// gutter is the room between two columns.
const gutter = 2

// table writes rows under a heading. All columns but the last keep their natural
// width; the last takes what is left, and wraps. (Table libraries were weighed: the
// width tables of terminals that they carry cost every command's start, and only
// the last column ever holds more than ASCII.)
func (p *printer) table(heading []string, rows [][]string) {
	widths := columnWidths(heading, rows)
	last := len(heading) - 1
	left := 0
	for _, w := range widths[:last] {
		left += w + gutter
	}
	p.line("%s", p.paint.dim(padded(heading, widths)))
	for _, row := range rows {
		lines := wrap(row[last], p.width-left)
		p.line("%s", padded(append(row[:last:last], lines[0]), widths))
		for _, more := range lines[1:] {
			p.line("%s%s", strings.Repeat(" ", left), more)
		}
	}
}

func columnWidths(heading []string, rows [][]string) []int {
	widths := make([]int, len(heading))
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], visible(cell))
		}
	}
	return widths
}

// padded joins cells, each but the last filled up to its column's width.
func padded(row []string, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-visible(cell)+gutter))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// visible is the number of characters that a terminal shows of text with colours.
func visible(text string) int {
	n := 0
	for text != "" {
		before, after, found := strings.Cut(text, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			break
		}
		_, text, _ = strings.Cut(after, "m")
	}
	return n
}

// narrowest is the least room in which text is wrapped, however narrow the terminal.
const narrowest = 16

// wrap breaks a paragraph between words; it gives one line at least. A word that is
// longer than the room stays whole: it is a scope or a URL, to be copied.
func wrap(paragraph string, room int) []string {
	room = max(room, narrowest)
	lines := []string{""}
	for word := range strings.FieldsSeq(paragraph) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case visible(*last)+1+visible(word) <= room:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
