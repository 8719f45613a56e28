package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Doctor is ambit.doctor/v1.
type Doctor struct {
	Agents []ExaminedAgent
	Checks []Examined
	Detail bool // what is fine has a line too
}

// An ExaminedAgent is an agent program, and what would override its credential.
type ExaminedAgent struct {
	Agent     string
	Label     string // what people call it
	Conflicts []profile.Conflict
}

// A State is how a thing is that was examined.
type State string

// The states of what was examined.
const (
	StateFine     State = "fine"
	StateLook     State = "look"     // somebody should look at it
	StateConflict State = "conflict" // it overrides the lent credential
	StateUnknown  State = "unknown"  // it could not be examined
)

// An Examined is one line of the checklist.
type Examined struct {
	Name    string
	State   State
	Message string
	Next    []advice.Step
}

// mark stands before the line.
func (s State) mark() string {
	switch s {
	case StateFine:
		return markHeld
	case StateLook:
		return markLook
	case StateConflict:
		return markMissing
	}
	return markUnknown
}

// Text implements [View]. Success is one line.
func (v Doctor) Text(p *Printer) {
	var fine []string
	troubled := false
	for _, one := range v.Checks {
		if one.State == StateFine && !slices.Contains(fine, one.Name) {
			fine = append(fine, one.Name)
		}
		troubled = troubled || one.State == StateLook || one.State == StateConflict
		if one.State == StateFine && !v.Detail {
			continue
		}
		line := p.Paint.Bold(text.Printable(one.Name)) + ": " + text.Printable(one.Message)
		if len(one.Next) > 0 {
			line += "; next: " + advice.Line(one.Next)
		}
		p.wrapped("  ", v.paint(p, one.State)(one.State.mark())+" "+line)
	}
	things := fmt.Sprintf("%s checked: %s", text.Count(len(fine), "thing"), strings.Join(fine, ", "))
	switch {
	case troubled && len(fine) > 0:
		p.wrapped("  ", p.Paint.Dim("fine: "+strings.Join(fine, ", ")+" ("+text.Count(len(fine), "thing")+")"))
	case !troubled:
		p.wrapped("  ", p.Paint.green("ok:")+" nothing overrides the lent credential; "+things)
	}
}

func (v Doctor) paint(p *Printer, s State) func(string) string {
	switch s {
	case StateFine:
		return p.Paint.green
	case StateLook:
		return p.Paint.Yellow
	case StateConflict:
		return p.Paint.Red
	}
	return p.Paint.Dim
}

type doctorJSON struct {
	Envelope
	Agents []examinedJSON `json:"agents"`
	Checks []checkedJSON  `json:"checks"`
}

type examinedJSON struct {
	Agent     string         `json:"agent"`
	Conflicts []conflictJSON `json:"conflicts"`
}

type checkedJSON struct {
	Name    string     `json:"name"`
	State   State      `json:"state"`
	Message string     `json:"message"`
	Next    []stepJSON `json:"next"`
}

// JSON implements [View].
func (v Doctor) JSON(e Envelope) any {
	out := doctorJSON{e, []examinedJSON{}, []checkedJSON{}}
	for _, a := range v.Agents {
		out.Agents = append(out.Agents, examinedJSON{a.Agent, conflictsOf(a.Conflicts)})
	}
	for _, one := range v.Checks {
		out.Checks = append(out.Checks, checkedJSON{one.Name, one.State, one.Message, stepsOf(one.Next)})
	}
	return out
}
