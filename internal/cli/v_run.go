package cli

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/text"
)

// A runReport is ambit.run/v1.
type runReport struct {
	envelope
	Started   bool                `json:"started"`
	ChildExit *int                `json:"child_exit"` // null where the child was not started
	Verdicts  []diagnosis.Verdict `json:"verdicts"`   // the deciding one first
	Log       string              `json:"log"`
}

func conflictLine(c profile.Conflict) string {
	line := fmt.Sprintf("%s sets %s, which outranks the lent credential", text.Printable(c.Path), text.Printable(strings.Join(c.Keys, ", ")))
	if c.Advice != "" {
		line += ": " + text.Printable(c.Advice)
	}
	return line
}

func verdictText(p *printer, v diagnosis.Verdict) {
	p.wrapped("  ", p.paint.red("ambit:")+" "+p.paint.bold(text.Printable(v.FirstLine())))
	for _, scope := range v.Missing {
		p.fact("missing", scope+forWhat(v, scope))
	}
	for _, e := range v.Evidence {
		p.fact("because", e)
	}
	for _, step := range v.Next {
		p.fact("next", step)
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
