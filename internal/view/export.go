package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// An exportJSON is ambit.export/v1 of every reader: kind says whose, and which of the next three is there.
type exportJSON struct {
	Envelope
	Kind     string                  `json:"kind"`
	Content  string                  `json:"content,omitempty"`    // of a platform's file
	Markdown string                  `json:"markdown,omitempty"`   // the table
	Servers  map[string]ClaudeServer `json:"mcpServers,omitempty"` // of a client's file
	Path     string                  `json:"path,omitempty"`       // of the file into which it was put
	Changed  bool                    `json:"changed"`
}

// A Declared is the manifest's scopes as a platform's file has them, or what became of that file.
type Declared struct {
	Kind    string
	Content string // of the file
	Path    string
	Changed bool
}

// Text implements [View].
func (v Declared) Text(p *Printer) {
	if v.Path == "" {
		p.WriteString(v.Content)
		return
	}
	written(p, v.Path, v.Changed)
}

// JSON implements [View].
func (v Declared) JSON(e Envelope) any {
	return exportJSON{Envelope: e, Kind: v.Kind, Content: v.Content, Path: v.Path, Changed: v.Changed}
}

// A Claude is an .mcp.json; its names are that file's own.
type Claude struct {
	Servers map[string]ClaudeServer `json:"mcpServers"`
}

// ClaudeServer is a server of a client's MCP file.
type ClaudeServer struct {
	Type    string            `json:"type"`
	URL     string            `json:"url"`
	OAuth   *ClaudeOAuth      `json:"oauth,omitempty"` // nil where it needs no login of its own
	Headers map[string]string `json:"headers,omitempty"`
}

// ClaudeOAuth is what such a server is asked for.
type ClaudeOAuth struct {
	Scopes string `json:"scopes"` // with blanks between them (RFC 6749 §3.3)
}

// Text implements [View].
func (v Claude) Text(p *Printer) { p.WriteString(indented(v)) }

// JSON implements [View].
func (v Claude) JSON(e Envelope) any {
	return exportJSON{Envelope: e, Kind: "claude", Servers: v.Servers}
}

// A ClaudeFile is what became of the .mcp.json that holds a server.
type ClaudeFile struct {
	Claude
	Path    string `json:"path"`
	Changed bool   `json:"changed"`
}

// Text implements [View].
func (v ClaudeFile) Text(p *Printer) { written(p, v.Path, v.Changed) }

// JSON implements [View].
func (v ClaudeFile) JSON(e Envelope) any {
	return exportJSON{Envelope: e, Kind: "claude", Servers: v.Servers, Path: v.Path, Changed: v.Changed}
}

// written says what became of a file.
func written(p *Printer, path string, changed bool) {
	if changed {
		p.line("wrote %s", text.Printable(path))
	} else {
		p.line("%s is up to date", text.Printable(path))
	}
}

// A Table is the manifest as Markdown, or what became of the file that holds it.
type Table struct {
	Markdown string
	Path     string
	Changed  bool
}

// Text implements [View].
func (v Table) Text(p *Printer) {
	if v.Path == "" {
		p.WriteString(v.Markdown)
		return
	}
	written(p, v.Path, v.Changed)
}

// JSON implements [View].
func (v Table) JSON(e Envelope) any {
	return exportJSON{Envelope: e, Kind: "markdown", Markdown: v.Markdown, Path: v.Path, Changed: v.Changed}
}

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
