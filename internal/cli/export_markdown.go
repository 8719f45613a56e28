package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// The lines between which a file holds the table.
const (
	marksBegin = "<!-- ambit scopes -->"
	marksEnd   = "<!-- ambit scopes end -->"
)

// betweenMarks is the text with the table between its two marks, with the line ends
// that the text has; all else stays byte for byte.
func betweenMarks(file, text, table string) (string, error) {
	begin, end := strings.Index(text, marksBegin), strings.Index(text, marksEnd)
	switch {
	case begin < 0 || end < 0:
		return "", fail(exitUsage, plain(file)+" has no place for the table", "put two lines into it: "+marksBegin+" and "+marksEnd)
	case end < begin:
		return "", fail(exitUsage, plain(file)+": the end mark stands before the other", "")
	case strings.Count(text, marksBegin) > 1 || strings.Count(text, marksEnd) > 1:
		return "", fail(exitUsage, plain(file)+" has the marks more than once", "")
	}
	middle := "\n" + table
	if strings.HasPrefix(text[begin+len(marksBegin):], "\r\n") {
		middle = strings.ReplaceAll(middle, "\n", "\r\n")
	}
	return text[:begin+len(marksBegin)] + middle + text[end:], nil
}

// manifestMarkdown is a table of the base, and one of each program: of those that were
// chosen, else of all.
func manifestMarkdown(p *project) string {
	var text strings.Builder
	writeScopeTable(&text, p.manifest.Scopes)
	for _, program := range p.manifest.Programs {
		if len(p.programs) > 0 && !slices.Contains(p.programs, program.Name) {
			continue
		}
		fmt.Fprintf(&text, "\nWith the program %s:\n\n", codeCell(program.Name))
		writeScopeTable(&text, program.Scopes)
	}
	return text.String()
}

func writeScopeTable(text *strings.Builder, entries []scopes.Entry) {
	text.WriteString("| scope | level | why | used by |\n| --- | --- | --- | --- |\n")
	for _, e := range entries {
		used := make([]string, len(e.UsedBy))
		for i, u := range e.UsedBy {
			used[i] = codeCell(u.String())
		}
		fmt.Fprintf(text, "| %s | %s | %s | %s |\n", codeCell(e.Name()), e.Level, escapeMarkdown(why(e)), strings.Join(used, ", "))
	}
}

// indented is a value as JSON for people to paste.
func indented(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // plain structs of strings
	}
	return text.String()
}
