package view

import (
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Doctor is ambit.doctor/v1.
type Doctor struct {
	Agents []ExaminedAgent `json:"agents"`
}

// An ExaminedAgent is an agent program, and what would override its credential.
type ExaminedAgent struct {
	Agent     string             `json:"agent"`
	Conflicts []profile.Conflict `json:"conflicts"`

	Label string `json:"-"`
}

// Text implements [View].
func (v Doctor) Text(p *Printer) {
	quiet := true
	for _, a := range v.Agents {
		for _, c := range a.Conflicts {
			quiet = false
			p.wrapped("  ", p.Paint.Bold(text.Printable(a.Label))+": "+doctorLine(c))
		}
	}
	if quiet {
		p.line("%s", p.Paint.green("nothing overrides the lent credential"))
	}
}

func doctorLine(c profile.Conflict) string {
	if c.Overrides {
		return ConflictLine(c)
	}
	line := text.Printable(c.Path)
	for i, key := range c.Keys {
		line += map[bool]string{true: ": ", false: ", "}[i == 0] + text.Printable(key)
	}
	if c.Problem != "" {
		line += ": " + text.Printable(c.Problem)
	}
	return line + " (overrides nothing)"
}

// JSON implements [View].
func (v Doctor) JSON(e Envelope) any {
	return struct {
		Envelope
		Doctor
	}{e, v}
}
