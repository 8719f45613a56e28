package view

import (
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
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

// Put puts verdicts before those that are there.
func (r *Run) Put(verdicts ...diagnosis.Verdict) {
	before := r.Verdicts
	r.Verdicts = []Verdict{}
	r.Add(verdicts...)
	r.Verdicts = append(r.Verdicts, before...)
}

// ConflictLine says what a setting does to the lent credential, and what to do.
func ConflictLine(c profile.Conflict) string {
	line := text.Printable(c.Path)
	switch {
	case c.Problem != "":
		return line + ": " + text.Printable(c.Problem)
	case len(c.Keys) > 0:
		line = text.Printable(c.Says())
	}
	line += ", " + effectInWords(c.Effect)
	switch {
	case c.Overridden:
		line += "; ambit run overrides it for this run"
	case c.Overridable:
		line += "; ambit run overrides it if it starts the program itself; otherwise " + text.Printable(c.Advice)
	case (c.Overrides || c.Effect == profile.EffectBypasses) && c.Advice != "":
		line += ": " + text.Printable(c.Advice)
	}
	return line
}

func effectInWords(e profile.Effect) string {
	switch e {
	case profile.EffectRoutes:
		return "so requests go elsewhere"
	case profile.EffectReplaces:
		return "so the lent credential is replaced"
	case profile.EffectDropped:
		return "so another credential is sent beside the lent one; ambit run drops it"
	case profile.EffectLacks:
		return "without which the lent credential is not sent"
	case profile.EffectBypasses:
		return "a server of the provider by its real address, so what goes there goes past ambit run"
	default:
		return "which overrides nothing"
	}
}

// VerdictText writes a verdict: the cause first, then what proves it, what else it may be, and
// the ways out.
func VerdictText(p *Printer, v diagnosis.Verdict) {
	first := p.Paint.Red("ambit:") + " " + p.Paint.Bold(text.Printable(v.Message))
	if v.Brief() {
		for _, step := range v.Next {
			first += "; " + text.Printable(step.String())
		}
		p.wrapped("  ", first)
		return
	}
	p.wrapped("  ", first)
	if len(v.Missing) == 1 { // the first line has named it, and why
		p.fact("used by", strings.Join(unsaid(v.NeededFor[v.Missing[0]], v.Message), ", "))
	} else {
		for _, scope := range v.Missing {
			p.fact("missing", scope+forWhat(v, scope))
		}
	}
	for _, e := range v.Evidence {
		p.fact("because", withoutSaid(e, v))
	}
	for _, cause := range v.Possible {
		p.fact("possibly", cause)
	}
	for _, step := range v.Next {
		p.factStep("next", step)
	}
	p.fact("log", v.Log)
}

// unsaid are the words that a line does not have in it already.
func unsaid(words []string, line string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return strings.Contains(line, word) })
}

// withoutSaid is evidence without the server's sentence where the first line has it.
func withoutSaid(evidence string, v diagnosis.Verdict) string {
	quoted := `"` + v.Said + `"`
	if v.Said == "" || !strings.Contains(v.Message, quoted) {
		return evidence
	}
	return strings.TrimSuffix(evidence, ": "+quoted)
}

// Said is what the verdicts of one run have said so far. Its zero value is nothing; it is safe
// for concurrent use.
type Said struct {
	mu    sync.Mutex
	steps map[advice.Step]bool
	log   string
}

// News is a verdict without the advice and the log that were shown before.
func (s *Said) News(v diagnosis.Verdict) diagnosis.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.steps == nil {
		s.steps = make(map[advice.Step]bool)
	}
	var next []advice.Step
	for _, step := range v.Next {
		if !s.steps[step] {
			next = append(next, step)
		}
		s.steps[step] = true
	}
	v.Next = next
	if v.Log == s.log {
		v.Log = ""
	} else {
		s.log = v.Log
	}
	return v
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
