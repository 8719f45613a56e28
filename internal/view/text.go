package view

import (
	"strings"
)

// A Text is a result that is a text, and in JSON a member of an object.
type Text struct{ Member, Content string }

// Text implements [View].
func (v Text) Text(p *Printer) { p.line("%s", strings.TrimSuffix(v.Content, "\n")) }

// JSON implements [View].
func (v Text) JSON(e Envelope) any {
	return map[string]any{"schema": e.Schema, "ok": e.OK, v.Member: v.Content}
}
