package view

import (
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Doctor is ambit.doctor/v1.
type Doctor struct {
	Agents []ExaminedAgent
}

// An ExaminedAgent is an agent program, and what would override its credential.
type ExaminedAgent struct {
	Agent     string
	Label     string // what people call it
	Conflicts []profile.Conflict
}

// Text implements [View].
func (v Doctor) Text(p *Printer) {
	quiet := true
	for _, a := range v.Agents {
		for _, c := range a.Conflicts {
			quiet = false
			p.wrapped("  ", p.Paint.Bold(text.Printable(a.Label))+": "+ConflictLine(c))
		}
	}
	if quiet {
		p.line("%s", p.Paint.green("nothing overrides the lent credential"))
	}
}

type doctorJSON struct {
	Envelope
	Agents []examinedJSON `json:"agents"`
}

type examinedJSON struct {
	Agent     string         `json:"agent"`
	Conflicts []conflictJSON `json:"conflicts"`
}

// JSON implements [View].
func (v Doctor) JSON(e Envelope) any {
	out := doctorJSON{e, []examinedJSON{}}
	for _, a := range v.Agents {
		out.Agents = append(out.Agents, examinedJSON{a.Agent, conflictsOf(a.Conflicts)})
	}
	return out
}
