package view

import (
	"github.com/ambit-auth/ambit/internal/text"
)

// An Init is ambit.init/v1.
type Init struct {
	Path     string `json:"path"`
	Provider string `json:"provider,omitempty"` // of a manifest
	Schema   string `json:"json_schema"`        // the file by which editors complete it
	ToDo     string `json:"-"`                  // what a person does with it
	Next     string `json:"-"`                  // the command that comes next
}

// Text implements [View].
func (v Init) Text(p *Printer) {
	about := "to fill in"
	if v.Provider != "" {
		about = "for " + text.Printable(v.Provider)
	}
	p.line("wrote %s %s", v.Path, about)
	p.line("next: %s, then: %s", v.ToDo, v.Next)
}

// JSON implements [View].
func (v Init) JSON(e Envelope) any {
	return struct {
		Envelope
		Init
	}{e, v}
}
