package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

// nextSteps are the commands and links that mend a gap.
func nextSteps(s *ambit.Session, h *ambit.Held, gap scopes.Gap) []string {
	if len(gap.Lost) == 0 {
		return nil
	}
	plan := h.Plan
	if plan == nil {
		plan = s.LastPlan(h.Server)
	}
	if h.Kind.Create == "" && h.Kind.Renewable {
		return loginSteps(s, h, plan, gap)
	}
	return keySteps(h, plan, gap)
}

// keySteps mend what a key lacks: a box that was not ticked, or a word in the manifest for
// which there is no box.
func keySteps(h *ambit.Held, plan *ambit.Plan, gap scopes.Gap) []string {
	var steps, boxes []string
	for _, e := range gap.Lost {
		if reason := withheldFor(plan, e); reason != "" {
			steps = append(steps, fmt.Sprintf("there may be no box for %s: %s; see %s", e.Name(), text.Printable(reason), view.Place(e.File, e.Line)))
		} else {
			boxes = append(boxes, e.Name())
		}
	}
	if len(boxes) == 0 {
		return steps
	}
	step := "make a key that also has: " + strings.Join(boxes, ", ")
	if link, ok := h.Server.Expand(h.Kind.Create); ok && link != "" {
		step += "; at " + link
	}
	return append([]string{step}, steps...)
}

// loginSteps mend what a login lacks: a box that was left out is ticked the next time,
// and what was never asked for is a matter of the manifest or the server.
func loginSteps(p *ambit.Session, h *ambit.Held, plan *ambit.Plan, gap scopes.Gap) []string {
	var steps, declined, unasked []string
	for _, e := range gap.Lost {
		_, _, asked := e.MetBy(h.Credential.Asked, p.Provider().Implies)
		switch reason := withheldFor(plan, e); {
		case reason != "" && !asked:
			steps = append(steps, fmt.Sprintf("%s was not asked for: %s; see %s", e.Name(), text.Printable(reason), view.Place(e.File, e.Line)))
		case asked || h.Credential.Asked.Len() == 0:
			declined = append(declined, e.Name())
		default:
			unasked = append(unasked, e.Name())
		}
	}
	var remarks []string
	if len(declined) > 0 {
		remarks = append(remarks, "and leave the boxes ticked")
		steps = append([]string{diagnosis.NotOffered(p.Provider(), h.Server, declined)}, steps...)
	}
	if len(unasked) > 0 {
		remarks = append(remarks, fmt.Sprintf("the last one did not ask for %s; %s says whether it can", strings.Join(unasked, ", "), inProject("ambit plan", p)))
	}
	if len(remarks) == 0 {
		return steps
	}
	return append([]string{fmt.Sprintf("%s (%s)", loginAgain(p), strings.Join(remarks, "; "))}, steps...)
}

// withheldFor is why a plan does not ask for what a need names; "" where it does, or
// nobody planned.
func withheldFor(plan *ambit.Plan, need scopes.Need) string {
	if plan == nil {
		return ""
	}
	if item := plan.Item(need); item != nil && item.Decision == scopes.DecisionWithhold {
		return item.Reason
	}
	return ""
}

// loginAgain is the command that asks for everything anew: a refresh cannot widen
// a grant (RFC 6749 §6). p is nil where none is open.
func loginAgain(p *ambit.Session) string { return inProject("ambit login", p) }

// inProject is a command with the flags that lead it to the same manifest, server and
// programs.
func inProject(command string, s *ambit.Session) string {
	if s == nil {
		return command
	}
	words := []string{forManifest(command, s.Manifest().File)}
	if server := s.Server(); s.Chosen() && server.Name != s.Manifest().Server {
		words = append(words, "--server "+shellWord(server.Name))
	}
	for _, program := range s.Programs() {
		words = append(words, "--program "+shellWord(program))
	}
	return strings.Join(words, " ")
}

// forManifest is a command with the flag that leads it to a manifest which it would not
// find by itself.
func forManifest(command, path string) string {
	if path == ambit.ManifestName {
		return command
	}
	return command + " -f " + shellWord(path)
}

// shellWord quotes a word where a shell would not take it as one.
func shellWord(word string) string {
	safe := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !safe(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(text.Printable(word), "'", `'\''`) + "'"
}

// missingLines name what is missing at level or above: where the manifest asks for it,
// and what for.
func missingLines(gap scopes.Gap, level scopes.Level) []string {
	var lines []string
	for _, e := range gap.Lost {
		if e.Level >= level {
			lines = append(lines, fmt.Sprintf("%s: %s scope %s is not granted: %s", view.Place(e.File, e.Line), e.Level, e.Name(), view.Why(e)))
		}
	}
	return slices.Clip(lines)
}
