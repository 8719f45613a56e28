package report

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

const (
	// MaxSummary bounds a summary, in bytes. GitHub takes 1 MiB of a step, or else
	// nothing; other commands of the step write there too.
	MaxSummary = 512 << 10

	// listedOpenly is how many findings stand there without a click.
	listedOpenly = 20
)

// Markdown is a table with a row a need, and a list of all findings, the
// gravest first and most of a long one folded away. What does not fit is counted.
func Markdown(r Report) string {
	var line strings.Builder
	fmt.Fprintf(&line, "\n### %s\n", EscapeMarkdown(r.Title)) // another command may have left a line without its end
	var rows, items []string
	for _, s := range r.Rows {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", CodeCell(s.Scope), EscapeMarkdown(s.Level), EscapeMarkdown(s.State), EscapeMarkdown(s.Why)))
	}
	for _, f := range gravestFirst(r.Findings) {
		items = append(items, fmt.Sprintf("- **%s** %s%s\n", f.Level.word(), EscapeMarkdown(whereIs(f)), EscapeMarkdown(f.Message)))
	}
	if len(rows) > 0 {
		line.WriteString("\n| scope | level | granted | why |\n| --- | --- | --- | --- |\n")
		WriteWithin(&line, MaxSummary/2, rows)
	}
	open := min(len(items), listedOpenly)
	WriteWithin(&line, MaxSummary, append([]string{"\n"}, items[:open]...))
	if folded := items[open:]; len(folded) > 0 {
		fmt.Fprintf(&line, "\n<details><summary>%s</summary>\n\n", text.Count(len(folded), "more finding"))
		WriteWithin(&line, MaxSummary, folded)
		line.WriteString("\n</details>\n")
	}
	return line.String()
}

// WriteWithin writes blocks as long as the text stays under a limit.
func WriteWithin(text *strings.Builder, limit int, blocks []string) {
	for i, block := range blocks {
		if text.Len()+len(block) > limit {
			fmt.Fprintf(text, "\nand %d more\n", len(blocks)-i)
			return
		}
		text.WriteString(block)
	}
}

// whereIs is where a finding is, to stand before its message; "" where that is nowhere.
func whereIs(f Finding) string {
	switch {
	case f.File == "":
		return ""
	case f.Line == 0:
		return f.File + ": "
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line) + ": "
}

// EscapeMarkdown makes text from outside mean nothing in GitHub's Markdown: no
// markup, no HTML, no end of a cell, and nobody who is called by an @.
func EscapeMarkdown(line string) string {
	var out strings.Builder
	for _, c := range text.Printable(strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(line)) {
		switch {
		case c == '&':
			out.WriteString("&amp;")
		case c == '<':
			out.WriteString("&lt;")
		case c == '>':
			out.WriteString("&gt;")
		case c == '@':
			out.WriteString("@<!-- -->")
		case strings.ContainsRune("\\`*_[]|~#!", c):
			out.WriteRune('\\')
			fallthrough
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// CodeCell is text as code in a table's cell. A longer fence than any in the text
// keeps it whole; a bar would end the cell even there.
func CodeCell(line string) string {
	fence := "`"
	for strings.Contains(line, fence) {
		fence += "`"
	}
	if fence != "`" {
		line = " " + line + " " // one blank on each side is no part of the code
	}
	return fence + strings.ReplaceAll(text.Printable(line), "|", `\|`) + fence
}

// AppendSummary adds text to the page of a workflow's run, whose file the runner
// made and other commands of the same step write too.
func AppendSummary(path string, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
