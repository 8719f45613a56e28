package cli

import (
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

// A doctorView is ambit.doctor/v1.
type doctorView struct {
	Agents []examined `json:"agents"`
}

// An examined agent, and what meddles with it.
type examined struct {
	Agent     string             `json:"agent"`
	Conflicts []profile.Conflict `json:"conflicts"`

	label string
}

func (v doctorView) text(p *printer) {
	quiet := true
	for _, a := range v.Agents {
		for _, c := range a.Conflicts {
			quiet = false
			p.wrapped("  ", p.paint.bold(text.Printable(a.label))+": "+doctorLine(c))
		}
	}
	if quiet {
		p.line("%s", p.paint.green("nothing meddles with a lent credential"))
	}
}

func doctorLine(c profile.Conflict) string {
	if c.Outranks {
		return conflictLine(c)
	}
	line := text.Printable(c.Path)
	for i, key := range c.Keys {
		line += map[bool]string{true: ": ", false: ", "}[i == 0] + text.Printable(key)
	}
	if c.Problem != "" {
		line += ": " + text.Printable(c.Problem)
	}
	return line + " (outranks nothing)"
}

func (v doctorView) json(e envelope) any {
	return struct {
		envelope
		doctorView
	}{e, v}
}
