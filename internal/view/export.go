package view

import (
	"github.com/ambit-auth/ambit/internal/text"
)

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
	return struct {
		Envelope
		Claude
	}{e, v}
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
	return struct {
		Envelope
		Servers map[string]ClaudeServer `json:"mcpServers"`
		Path    string                  `json:"path"`
		Changed bool                    `json:"changed"`
	}{e, v.Servers, v.Path, v.Changed}
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
	Markdown string `json:"markdown"`
	Path     string `json:"path,omitempty"`
	Changed  bool   `json:"changed"`
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
	return struct {
		Envelope
		Table
	}{e, v}
}
