package cli

import (
	"strings"
)

// A textView is a result that is a text, and in JSON a member of an object.
type textView struct{ member, content string }

func (v textView) text(p *printer) { p.line("%s", strings.TrimSuffix(v.content, "\n")) }

func (v textView) json(e envelope) any {
	return map[string]any{"schema": e.Schema, "ok": e.OK, v.member: v.content}
}
