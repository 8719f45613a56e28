package view

import (
	"github.com/ambit-auth/ambit/internal/text"
)

// An Init is ambit.init/v1.
type Init struct {
	Path     string `json:"path"`
	Provider string `json:"provider"`
	Next     string `json:"-"` // the command that comes next
}

// Text implements [View].
func (v Init) Text(p *Printer) {
	p.line("wrote %s for %s", v.Path, text.Printable(v.Provider))
	p.line("next: say in it which scopes you need and why, then: %s", v.Next)
}

// JSON implements [View].
func (v Init) JSON(e Envelope) any {
	return struct {
		Envelope
		Init
	}{e, v}
}
