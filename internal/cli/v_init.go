package cli

import (
	"github.com/ambit-auth/ambit/internal/text"
)

// An initView is ambit.init/v1.
type initView struct {
	Path     string `json:"path"`
	Provider string `json:"provider"`
	next     string // the command that comes next
}

func (v initView) text(p *printer) {
	p.line("wrote %s for %s", v.Path, text.Printable(v.Provider))
	p.line("next: say in it which scopes you need and why, then: %s", v.next)
}

func (v initView) json(e envelope) any {
	return struct {
		envelope
		initView
	}{e, v}
}
