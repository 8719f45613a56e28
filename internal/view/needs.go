package view

import (
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// The marks of needs, and of a checklist. Each stands before its line, so that nothing is told by color alone.
const (
	markHeld    = "+" // granted, or to be requested
	markImplied = "=" // another scope implies it
	markMissing = "-" // not granted, or not to be requested
	markUnknown = "?" // nobody can tell
	markLook    = "!" // to be looked at
)

// A needLine is one need as plan, status and check show it.
type needLine struct {
	Mark  string
	Level scopes.Level
	Name  string
	Text  string
}

// widestName is how wide a name may be for its text to stand beside it on a terminal.
const widestName = 36

// besideNames is the width of the column of names, for texts that stand beside them.
func (p *Printer) besideNames(names []string) int {
	width := 0
	for _, name := range names {
		if n := Visible(text.Printable(name)); n <= widestName || p.Width == Unlimited {
			width = max(width, n)
		}
	}
	return width
}

// needs writes lines under the levels that they have, the gravest first. Beside a name stands its
// text, aligned; a name that is too long for that, such as a URL, has it below.
func (p *Printer) needs(lines []needLine) {
	names := make([]string, len(lines))
	for i, line := range lines {
		names[i] = line.Name
	}
	width := p.besideNames(names)
	for _, level := range scopes.Levels() {
		heading := p.Paint.Dim(level.String())
		for _, line := range lines {
			if line.Level != level {
				continue
			}
			if heading != "" {
				p.line("%s", heading)
				heading = ""
			}
			p.need(line, width)
		}
	}
}

// need writes one line, with its text from the column behind width.
func (p *Printer) need(line needLine, width int) {
	name, indent := text.Printable(line.Name), len(markHeld)+1+width+gutter
	first := p.mark(line.Mark) + " " + name
	if Visible(name) > width {
		indent = len(markHeld) + 1 + gutter
		p.line("%s", first)
		first = ""
	}
	for i, part := range Wrap(line.Text, p.Width-indent) {
		if i > 0 {
			first = ""
		}
		p.line("%s", padded([]string{first, part}, []int{indent - gutter, 0}))
	}
}

// mark is a mark, colored by how good the news is.
func (p *Printer) mark(mark string) string {
	switch mark {
	case markHeld:
		return p.Paint.green(mark)
	case markMissing:
		return p.Paint.Red(mark)
	case markUnknown, markLook:
		return p.Paint.Yellow(mark)
	}
	return p.Paint.Dim(mark)
}
