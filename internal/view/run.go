package view

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

// A Run is ambit.run/v1.
type Run struct {
	Envelope
	Started   bool      `json:"started"`
	ChildExit *int      `json:"child_exit"` // null where the child was not started
	Verdicts  []Verdict `json:"verdicts"`   // the deciding one first
	// HiddenTools are those that the grant is known, or assumed, not to show.
	HiddenTools []string `json:"hidden_tools"`
	Log         string   `json:"log"`
}

// Add puts verdicts into the report.
func (r *Run) Add(verdicts ...diagnosis.Verdict) {
	for _, v := range verdicts {
		r.Verdicts = append(r.Verdicts, Verdict{v})
	}
}

// ConflictLine says what takes precedence over the lent credential, and what to do.
func ConflictLine(c profile.Conflict) string {
	line := fmt.Sprintf("%s sets %s, which overrides the lent credential", text.Printable(c.Path), text.Printable(strings.Join(c.Keys, ", ")))
	if c.Advice != "" {
		line += ": " + text.Printable(c.Advice)
	}
	return line
}

// VerdictText writes a verdict: the cause first, then the ways out.
func VerdictText(p *Printer, v diagnosis.Verdict) {
	p.wrapped("  ", p.Paint.Red("ambit:")+" "+p.Paint.Bold(text.Printable(v.Message)))
	for _, scope := range v.Missing {
		p.fact("missing", scope+forWhat(v, scope))
	}
	for _, e := range v.Evidence {
		p.fact("because", e)
	}
	for _, cause := range v.Possible {
		p.fact("possibly", cause)
	}
	for _, step := range v.Next {
		p.fact("next", step.String())
	}
	p.fact("log", v.Log)
}

func forWhat(v diagnosis.Verdict, scope string) string {
	text := ""
	if why := v.Why[scope]; why != "" {
		text = ": " + why
	}
	if uses := v.NeededFor[scope]; len(uses) > 0 {
		text += " (" + strings.Join(uses, ", ") + ")"
	}
	return text
}
