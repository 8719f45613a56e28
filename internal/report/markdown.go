package report

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
)

const (
	// MaxSummary bounds a summary, in bytes. GitHub takes 1 MiB of a step, or else
	// nothing; other commands of the step write there too.
	MaxSummary = 512 << 10

	// listedOpenly is how many findings stand there without a click.
	listedOpenly = 20
)

// Comment is the Markdown of a comment on a merge request. It begins with a mark, which no reader
// sees: by it whoever writes the comment finds the one to replace.
func Comment(reports []Report) string {
	return CommentMark + "\n" + Markdown(reports)
}

// CommentMark is the first line of a [Comment].
const CommentMark = "<!-- ambit check -->"

// Markdown is for each report its verdict, what was found and what to do, and all needs, folded away:
// those first that something was found about. What does not fit is counted.
func Markdown(reports []Report) string {
	var out strings.Builder
	for _, r := range reports {
		out.WriteString("\n") // another command may have left a line without its end
		writeMarkdown(&out, r, MaxSummary/len(reports))
	}
	return out.String()
}

func writeMarkdown(out *strings.Builder, r Report, room int) {
	mark, limit := "✅", out.Len()+room
	if r.Fails() {
		mark = "❌"
	}
	fmt.Fprintf(out, "### %s %s\n\n%s\n", mark, EscapeMarkdown(r.Name), EscapeMarkdown(r.Verdict))
	var items []string
	for _, f := range gravestFirst(r.Findings) {
		items = append(items, fmt.Sprintf("- **%s** %s%s\n", f.Level.word(), EscapeMarkdown(whereIs(f)), EscapeMarkdown(f.Message)))
	}
	open := min(len(items), listedOpenly)
	if open > 0 {
		WriteWithin(out, limit, append([]string{"\n"}, items[:open]...))
	}
	if folded := items[open:]; len(folded) > 0 {
		fmt.Fprintf(out, "\n<details><summary>%s</summary>\n\n", text.Count(len(folded), "more finding"))
		WriteWithin(out, limit-room/2, folded)
		out.WriteString("\n</details>\n")
	}
	for _, step := range r.Steps {
		out.WriteString("\n" + markdownStep(step))
	}
	if len(r.Rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\n<details><summary>%s</summary>\n\n| scope | level | granted | why |\n| --- | --- | --- | --- |\n", text.Count(len(r.Rows), "declared scope"))
	WriteWithin(out, limit, markdownRows(r))
	out.WriteString("\n</details>\n")
}

// markdownStep is a step as a paragraph; a command is a block of its own, to be copied.
func markdownStep(step advice.Step) string {
	line := "**Next:** " + EscapeMarkdown(step.Text)
	if step.URL != "" {
		line += " (" + EscapeMarkdown(step.URL) + ")"
	}
	if step.Command != "" {
		line += "\n\n" + fenced(step.Command)
	}
	return line + "\n"
}

// fenced is a block of code behind a fence that is longer than any in the text.
func fenced(command string) string {
	fence := "```"
	for strings.Contains(command, fence) {
		fence += "`"
	}
	return fence + "sh\n" + text.Printable(command) + "\n" + fence
}

// markdownRows are the rows of the table, those first of which something was found.
func markdownRows(r Report) []string {
	var found, others []string
	about := make(map[string]bool)
	for _, f := range r.Findings {
		about[f.Scope] = true
	}
	for _, s := range r.Rows {
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", CodeCell(s.Scope), EscapeMarkdown(s.Level), EscapeMarkdown(s.State), EscapeMarkdown(s.Why))
		if about[s.Scope] {
			found = append(found, row)
			continue
		}
		others = append(others, row)
	}
	return append(found, others...)
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
