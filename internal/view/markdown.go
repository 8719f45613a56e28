package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/scopes"
)

// ManifestMarkdown is a table of the base, and one of each program: of those that were
// chosen, else of all.
func ManifestMarkdown(p *ambit.Session) string {
	var text strings.Builder
	writeScopeTable(&text, p.Manifest().Scopes)
	for _, program := range p.Manifest().Programs {
		if len(p.Programs()) > 0 && !slices.Contains(p.Programs(), program.Name) {
			continue
		}
		fmt.Fprintf(&text, "\nWith the program %s:\n\n", report.CodeCell(program.Name))
		writeScopeTable(&text, program.Scopes)
	}
	return text.String()
}

func writeScopeTable(text *strings.Builder, entries []scopes.Need) {
	text.WriteString("| scope | level | why | used by |\n| --- | --- | --- | --- |\n")
	for _, e := range entries {
		used := make([]string, len(e.UsedBy))
		for i, u := range e.UsedBy {
			used[i] = report.CodeCell(u.String())
		}
		fmt.Fprintf(text, "| %s | %s | %s | %s |\n", report.CodeCell(e.Name()), e.Level, report.EscapeMarkdown(Why(e)), strings.Join(used, ", "))
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
