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

// A Table is the manifest as Markdown, or what became of the file that holds it.
type Table struct {
	Markdown string `json:"markdown"`
	Path     string `json:"path,omitempty"`
	Changed  bool   `json:"changed"`
}

// Text implements [View].
func (v Table) Text(p *Printer) {
	switch {
	case v.Path == "":
		p.WriteString(v.Markdown)
	case v.Changed:
		p.line("wrote %s", text.Printable(v.Path))
	default:
		p.line("%s is up to date", text.Printable(v.Path))
	}
}

// JSON implements [View].
func (v Table) JSON(e Envelope) any {
	return struct {
		Envelope
		Table
	}{e, v}
}
