package view

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// An Init is ambit.init/v1.
type Init struct {
	Path     string   `json:"path"`
	Provider string   `json:"provider,omitempty"`     // of a manifest
	Schema   string   `json:"json_schema"`            // the file by which editors complete it
	Scopes   []string `json:"scopes"`                 // that it declares
	Offered  []string `json:"offered"`                // that stand in it as comments
	FillIn   []string `json:"fill_in,omitempty"`      // parameters of the provider without a value
	Register string   `json:"redirect_uri,omitempty"` // of the client that is to be registered for a login
	Unread   string   `json:"unread,omitempty"`       // why the server's own list is not among it
	Next     string   `json:"-"`                      // the command that comes next
}

// Text implements [View].
func (v Init) Text(p *Printer) {
	if v.Provider == "" {
		p.line("wrote %s to fill in", v.Path)
		p.line("next: fill in what is marked, then: %s", v.Next)
		return
	}
	p.line("wrote %s for %s: %s", v.Path, text.Printable(v.Provider), v.holds())
	if v.Unread != "" {
		p.wrapped("  ", "what the server itself offers could not be read: "+FirstLine(v.Unread))
	}
	p.wrapped("  ", "next: "+v.toDo()+", then: "+v.Next)
	if v.Register != "" {
		p.wrapped("  ", "for a login: register a client with the redirect URI "+text.Printable(v.Register)+", and put its id into the line client")
	}
}

// holds is what the manifest declares and offers.
func (v Init) holds() string {
	declares := text.Count(len(v.Scopes), "scope")
	switch {
	case len(v.Offered) == 0:
		return declares
	case len(v.Scopes) == 0:
		return text.Count(len(v.Offered), "scope") + " to choose from, as comments"
	}
	return fmt.Sprintf("%s, and %d more to choose from, as comments", declares, len(v.Offered))
}

// toDo is what a person does with it.
func (v Init) toDo() string {
	var steps []string
	if len(v.FillIn) > 0 {
		steps = append(steps, "fill in "+text.Listed(v.FillIn))
	}
	switch {
	case len(v.Offered) > 0:
		steps = append(steps, `remove "# " before the scopes that you need`)
	case len(v.Scopes) == 0 && v.Register != "":
		steps = append(steps, "name your client in it")
	default:
		steps = append(steps, "say in it which scopes you need and why")
	}
	return strings.Join(steps, ", ")
}

type initJSON struct {
	Envelope
	Init
}

// JSON implements [View].
func (v Init) JSON(e Envelope) any { return initJSON{e, v} }
