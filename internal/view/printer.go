package view

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Printer lays results out for people, in a width and with colors or without.
type Printer struct {
	strings.Builder
	Paint Palette
	Width int // columns
}

// Unlimited is the width at which nothing is wrapped: more than any line has.
const Unlimited = 1 << 30

func (p *Printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// step writes what to do next. Where it is too long for a line, its command and its URL have one each,
// to be copied.
func (p *Printer) step(step advice.Step) {
	label, indent := p.Paint.Bold("next:")+" ", "      "
	if Visible(label)+Visible(step.String()) <= p.Width {
		p.line("%s", label+step.String())
		return
	}
	first, rest := step.Text, step.Command
	if first != "" && step.Command+step.URL != "" {
		first += ":"
	}
	if step.URL != "" && rest == "" { // a URL is one word
		first, rest = strings.TrimSpace(first+" "+step.URL), ""
	} else if step.URL != "" {
		rest += "\n" + step.URL
	}
	for _, part := range append(Wrap(first, p.Width-len(indent)), strings.Split(rest, "\n")...) {
		if part != "" {
			p.line("%s", label+part)
			label = indent
		}
	}
}

// wrapped writes a paragraph within the width, each line but the first indented.
func (p *Printer) wrapped(indent, paragraph string) {
	for i, line := range Wrap(paragraph, p.Width-len(indent)) {
		if i > 0 {
			line = indent + line
		}
		p.line("%s", line)
	}
}

// short is a cell from outside, cut to the room that a terminal has for it; whoever reads the output
// of a pipe gets it whole.
func (p *Printer) short(cell string, room int) string {
	cell = text.Printable(cell)
	if runes := []rune(cell); p.Width < Unlimited && len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return cell
}

// gutter is the room between two columns.
const gutter = 2

// table writes rows under a heading. All columns but the last keep their natural
// width; the last takes what is left, and wraps. (Table libraries were weighed: the
// width tables of terminals that they carry cost every command's start, and only
// the last column ever holds more than ASCII.)
func (p *Printer) table(heading []string, rows [][]string) {
	widths := columnWidths(heading, rows)
	last := len(heading) - 1
	left := 0
	for _, w := range widths[:last] {
		left += w + gutter
	}
	p.line("%s", p.Paint.Dim(padded(heading, widths)))
	for _, row := range rows {
		lines := Wrap(row[last], p.Width-left)
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
			widths[i] = max(widths[i], Visible(cell))
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
			b.WriteString(strings.Repeat(" ", widths[i]-Visible(cell)+gutter))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Visible is the number of characters that a terminal shows of text with colors.
func Visible(text string) int {
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

// Wrap breaks a paragraph between words; it gives one line at least. A word that is
// longer than the room stays whole: it is a scope or a URL, to be copied.
func Wrap(paragraph string, room int) []string {
	room = max(room, narrowest)
	lines := []string{""}
	for word := range strings.FieldsSeq(paragraph) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case Visible(*last)+1+Visible(word) <= room:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// A Palette colors words with the eight colors that every terminal has, so that
// they follow its light or dark theme. The zero value leaves words as they are.
type Palette struct{ On bool }

// Red is for what fails.
func (p Palette) Red(s string) string   { return p.sgr("31", s) }
func (p Palette) green(s string) string { return p.sgr("32", s) }

// Yellow is for what wants a look.
func (p Palette) Yellow(s string) string { return p.sgr("33", s) }

// Bold is for headings.
func (p Palette) Bold(s string) string { return p.sgr("1", s) }

// Dim is for what may be passed over.
func (p Palette) Dim(s string) string { return p.sgr("2", s) }

func (p Palette) sgr(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
