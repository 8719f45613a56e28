package cli

import (
	"github.com/ambit-auth/ambit/internal/text"
)

// A claudeView is an .mcp.json; its names are that file's own.
type claudeView struct {
	Servers map[string]claudeServer `json:"mcpServers"`
}

type claudeServer struct {
	Type  string      `json:"type"`
	URL   string      `json:"url"`
	OAuth claudeOAuth `json:"oauth"`
}

type claudeOAuth struct {
	Scopes string `json:"scopes"` // with blanks between them (RFC 6749 §3.3)
}

func (v claudeView) text(p *printer) { p.WriteString(indented(v)) }

func (v claudeView) json(e envelope) any {
	return struct {
		envelope
		claudeView
	}{e, v}
}

// A tableView is the manifest as Markdown, or what became of the file that holds it.
type tableView struct {
	Markdown string `json:"markdown"`
	Path     string `json:"path,omitempty"`
	Changed  bool   `json:"changed"`
}

func (v tableView) text(p *printer) {
	switch {
	case v.Path == "":
		p.WriteString(v.Markdown)
	case v.Changed:
		p.line("wrote %s", text.Printable(v.Path))
	default:
		p.line("%s is up to date", text.Printable(v.Path))
	}
}

func (v tableView) json(e envelope) any {
	return struct {
		envelope
		tableView
	}{e, v}
}
