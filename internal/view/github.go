package view

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
)

// annotationsShown is how many annotations of a kind GitHub shows of one step; it
// drops the others without a word.
const annotationsShown = 10

// GithubText shows findings as workflow commands, which GitHub puts on the lines of
// the files in a pull request: the gravest first, and in the last line how many more
// there are than it would show.
func GithubText(v Reporter, env settings.Environment) string {
	shown, more := foldAnnotations(gravestFirst(v.findings()))
	if more > 0 {
		text := fmt.Sprintf("%s not shown here: see the summary of this run, or -o text", text.Count(more, "more finding"))
		shown = append(shown, Finding{Rule: "more", Level: notice, Message: text})
	}
	var lines strings.Builder
	for _, f := range shown {
		lines.WriteString(annotation(f, env.Get("GITHUB_WORKSPACE")))
	}
	return lines.String()
}

func gravestFirst(list []Finding) []Finding {
	return slices.SortedStableFunc(slices.Values(list), func(a, b Finding) int { return cmp.Compare(b.Level, a.Level) })
}

// foldAnnotations keeps of each severity what GitHub shows, with room for one notice
// of ours where that leaves something out.
func foldAnnotations(all []Finding) (shown []Finding, more int) {
	shown = all
	for _, level := range []Severity{mistake, warning, notice} {
		shown = atMost(annotationsShown, level, shown)
	}
	if len(shown) < len(all) {
		shown = atMost(annotationsShown-1, notice, shown)
	}
	return shown, len(all) - len(shown)
}

func atMost(room int, level Severity, list []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f Finding) bool {
		if f.Level != level {
			return false
		}
		room--
		return room < 0
	})
}

// annotation is one workflow command, with its line's end.
func annotation(f Finding, workspace string) string {
	var properties []string
	set := func(name, value string) { properties = append(properties, name+"="+escapeProperty(value)) }
	if f.File != "" {
		set("file", below(workspace, f.File))
	}
	if f.File != "" && f.Line > 0 {
		set("line", fmt.Sprint(f.Line))
		if f.Column > 0 {
			set("col", fmt.Sprint(f.Column))
		}
	}
	set("title", "ambit: "+strings.TrimSpace(strings.ReplaceAll(f.Rule, "_", " ")+" "+f.Scope))
	return "::" + f.Level.word() + " " + strings.Join(properties, ",") + "::" + escapeData(f.Message) + "\n"
}

// word is the severity's name in workflow commands and for people.
func (s Severity) word() string {
	switch s {
	case mistake:
		return "error"
	case warning:
		return "warning"
	}
	return "notice"
}

// escapeData makes text fit for the message of a workflow command. A line of its own
// could be a command of its own.
func escapeData(line string) string {
	return text.Printable(strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(line))
}

// escapeProperty is escapeData for a property's value, which a colon or a comma ends.
func escapeProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(text))
}

// below is a file's path from a directory, with slashes, where it lies below that;
// else as it was named.
func below(directory, file string) string {
	absolute, err := filepath.Abs(file)
	if err == nil && directory != "" {
		if path, err := filepath.Rel(directory, absolute); err == nil && filepath.IsLocal(path) {
			return filepath.ToSlash(path)
		}
	}
	return filepath.ToSlash(filepath.Clean(file))
}

const (
	// maxSummary bounds a summary, in bytes. GitHub takes 1 MiB of a step, or else
	// nothing; other commands of the step write there too.
	maxSummary = 512 << 10

	// listedOpenly is how many findings stand there without a click.
	listedOpenly = 20
)

// SummaryMarkdown is a table with a row a need, and a list of all findings, the
// gravest first and most of a long one folded away. What does not fit is counted.
func SummaryMarkdown(v Reporter) string {
	var line strings.Builder
	fmt.Fprintf(&line, "\n### %s\n", escapeMarkdown(v.title())) // another command may have left a line without its end
	var rows, items []string
	for _, s := range v.summary() {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", codeCell(s.Scope), escapeMarkdown(s.Level), escapeMarkdown(s.State), escapeMarkdown(s.Why)))
	}
	for _, f := range gravestFirst(v.findings()) {
		items = append(items, fmt.Sprintf("- **%s** %s%s\n", f.Level.word(), escapeMarkdown(whereIs(f)), escapeMarkdown(f.Message)))
	}
	if len(rows) > 0 {
		line.WriteString("\n| scope | level | granted | why |\n| --- | --- | --- | --- |\n")
		writeWithin(&line, maxSummary/2, rows)
	}
	open := min(len(items), listedOpenly)
	writeWithin(&line, maxSummary, append([]string{"\n"}, items[:open]...))
	if folded := items[open:]; len(folded) > 0 {
		fmt.Fprintf(&line, "\n<details><summary>%s</summary>\n\n", text.Count(len(folded), "more finding"))
		writeWithin(&line, maxSummary, folded)
		line.WriteString("\n</details>\n")
	}
	return line.String()
}

// writeWithin writes blocks as long as the text stays under a limit.
func writeWithin(text *strings.Builder, limit int, blocks []string) {
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
	return Place(f.File, f.Line) + ": "
}

// escapeMarkdown makes text from outside mean nothing in GitHub's Markdown: no
// markup, no HTML, no end of a cell, and nobody who is called by an @.
func escapeMarkdown(line string) string {
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

// codeCell is text as code in a table's cell. A longer fence than any in the text
// keeps it whole; a bar would end the cell even there.
func codeCell(line string) string {
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
