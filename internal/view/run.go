package view

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Run is ambit.run/v1.
type Run struct {
	Envelope
	Started   bool      `json:"started"`
	ChildExit *int      `json:"child_exit"` // null where the child was not started
	Verdicts  []Verdict `json:"verdicts"`   // the deciding one first
	// HiddenTools are those that the grant is known, or assumed, not to show.
	HiddenTools []string `json:"hidden_tools"`
	// StepUps are the questions whether the login may hold more, in their order.
	StepUps []StepUp `json:"step_ups"`
	Log     string   `json:"log"`
}

// A StepUp is a question that was put while the child ran, and what came of it.
type StepUp struct {
	Scopes  []string `json:"scopes"`
	Outcome string   `json:"outcome"` // granted, not_granted, declined or failed
}

// Add puts verdicts into the report.
func (r *Run) Add(verdicts ...diagnosis.Verdict) {
	for _, v := range verdicts {
		r.Verdicts = append(r.Verdicts, Verdict{v})
	}
}

// ConflictLine says what a setting does to the lent credential, and what to do.
func ConflictLine(c profile.Conflict) string {
	line := text.Printable(c.Path)
	switch {
	case c.Problem != "":
		return line + ": " + text.Printable(c.Problem)
	case len(c.Keys) > 0:
		line = text.Printable(c.Says())
	case c.Source == profile.SourceLogin:
		line += ": a login of the program's own"
	}
	if c.Source == profile.SourceEnvironment {
		line = "the " + line
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
		return "so the lent credential is not used"
	case profile.EffectDropped:
		return "so another credential is sent beside the lent one; ambit run drops it"
	case profile.EffectLacks:
		return "without which the lent credential is not sent"
	case profile.EffectBypasses:
		return "a server of the provider by its real address, so what goes there goes past ambit run"
	default:
		return "which does not override the lent credential"
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
	p.fact("call", unnamedCall(v))
	if len(v.Missing) == 1 { // the first line has named it, and why
		p.fact("used by", strings.Join(unsaid(v.NeededFor[v.Missing[0]], v.Message), ", "))
	} else {
		var lines []string
		for _, scope := range v.Missing {
			lines = append(lines, scope+forWhat(v, scope))
		}
		p.facts("missing", lines)
	}
	var because []string
	for _, e := range v.Evidence {
		if line := withoutSaid(e, v); line != "" {
			because = append(because, line)
		}
	}
	p.facts("because", because)
	for _, cause := range v.Possible {
		p.fact("possibly", cause)
	}
	for _, step := range v.Next {
		p.factStep("next", step)
	}
	p.fact("log", v.Log)
}

// unnamedCall is the request, where nothing else in the block names it: neither by what it was nor
// by the declared operation that it is.
func unnamedCall(v diagnosis.Verdict) string {
	if v.Method == "" {
		return ""
	}
	request := scopes.Operation{Method: v.Method, Base: v.Base, Path: v.Path, Tool: v.Tool}
	if v.Tool != "" {
		request = scopes.Operation{Tool: v.Tool}
	}
	said := append([]string{v.Message}, v.Evidence...)
	for _, scope := range v.Missing {
		said = append(said, v.NeededFor[scope]...)
		for _, word := range v.NeededFor[scope] {
			declared, err := scopes.ParseOperation(word)
			if err == nil && len(scopes.NewOperations([]scopes.Operation{declared}).Match(request)) > 0 {
				return ""
			}
		}
	}
	if slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, request.String()) }) {
		return ""
	}
	return request.String()
}

// unsaid are the words that a line does not have in it already.
func unsaid(words []string, line string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return strings.Contains(line, word) })
}

// maxFacts is how many lines of one label a block has: a server can name hundreds of scopes. The
// report of a run has them all.
const maxFacts = 10

func (p *Printer) facts(label string, lines []string) {
	more := len(lines) - maxFacts
	if more <= 1 {
		more = 0
	}
	for _, line := range lines[:len(lines)-more] {
		p.fact(label, line)
	}
	if more > 0 {
		p.fact("", fmt.Sprintf("and %d more", more))
	}
}

// responded begins the evidence that a response came.
const responded = "the server responded with "

// withoutSaid is evidence without the server's words, and without its status, where the first line
// has them; "" where nothing is left.
func withoutSaid(evidence string, v diagnosis.Verdict) string {
	evidence = withoutWords(evidence, v)
	if status, came := strings.CutPrefix(evidence, responded); came {
		status, more, _ := strings.Cut(status, "; ")
		if status != "" && strings.Contains(v.Message, status) {
			return more
		}
	}
	return evidence
}

func withoutWords(evidence string, v diagnosis.Verdict) string {
	fact, words, told := strings.Cut(evidence, ": ")
	if told && v.Said != "" && strings.Contains(words, `"`) && strings.Contains(v.Message, words) {
		return fact
	}
	return evidence
}

// Said is what one run has said so far on a screen. Its zero value is nothing; it is safe for
// concurrent use.
type Said struct {
	mu       sync.Mutex
	steps    map[advice.Step]bool
	missing  map[string]bool // scopes that were told before the start
	proved   []string        // by what, then
	settings []string        // paths of settings that were told, with what to do there
	log      string
}

// Foreseen notes that a forecast was told.
func (s *Said) Foreseen(v diagnosis.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing == nil {
		s.missing = make(map[string]bool)
	}
	for _, scope := range v.Missing {
		s.missing[scope] = true
	}
	s.proved = append(s.proved, v.Evidence...)
}

// Setting notes that a setting was told.
func (s *Said) Setting(c profile.Conflict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = append(s.settings, c.Path)
}

// News is a verdict without what was said before: advice, settings, the log, and of scopes that
// were foreseen everything but what they stopped.
func (s *Said) News(v diagnosis.Verdict) diagnosis.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.steps == nil {
		s.steps = make(map[advice.Step]bool)
	}
	if s.foresaw(v) {
		v = asForeseen(v, s.proved)
	}
	v.Evidence = slices.DeleteFunc(slices.Clone(v.Evidence), s.ofSetting)
	var next []advice.Step
	for _, step := range v.Next {
		if !s.steps[step] && !s.ofSetting(step.Text) {
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

// asForeseen is what is new in a verdict on scopes that were told to be missing: what they stopped,
// in the first line, and what proves it besides.
func asForeseen(v diagnosis.Verdict, proved []string) diagnosis.Verdict {
	cause, _, _ := strings.Cut(v.Message, ":")
	v.Message = cause + ", as foreseen: " + strings.Join(v.Missing, ", ")
	if v.Method != "" {
		v.Message += "; " + scopes.Operation{Method: v.Method, Base: v.Base, Path: v.Path, Tool: v.Tool}.String()
	}
	v.Evidence = slices.DeleteFunc(slices.Clone(v.Evidence), func(e string) bool { return slices.Contains(proved, e) })
	if len(v.Evidence) > 0 {
		v.Message, v.Evidence = v.Message+": "+v.Evidence[0], v.Evidence[1:]
	}
	v.Missing = nil
	return v
}

func (s *Said) foresaw(v diagnosis.Verdict) bool {
	return v.Cause == diagnosis.CauseMissingScope && len(v.Missing) > 0 &&
		!slices.ContainsFunc(v.Missing, func(scope string) bool { return !s.missing[scope] })
}

// ofSetting reports whether a line of evidence, or a step, is about a setting that was told.
func (s *Said) ofSetting(line string) bool {
	return slices.ContainsFunc(s.settings, func(path string) bool {
		return strings.HasPrefix(line, path+" sets ") || strings.HasPrefix(line, "in "+path+": ")
	})
}

func forWhat(v diagnosis.Verdict, scope string) string {
	text := ""
	if why := v.Why[scope]; why != "" && !strings.Contains(v.Message, "("+why+")") {
		text = ": " + why
	}
	if uses := v.NeededFor[scope]; len(uses) > 0 {
		text += " (" + strings.Join(uses, ", ") + ")"
	}
	return text
}
