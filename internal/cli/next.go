package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

// nextSteps are what to do about a gap.
func nextSteps(r *invocation, s *ambit.Session, h *ambit.Held, gap scopes.Gap) []advice.Step {
	if len(gap.Lost) == 0 {
		return nil
	}
	plan := h.LastPlan()
	situation := situationOf(s, h, advice.Lacking)
	situation.Unattended = r.unattended()
	for _, need := range gap.Lost {
		situation.Lack(need, h.Credential.Asked, withheldFor(plan, need))
	}
	return advice.Steps(situation)
}

// stepsToFirst lead to a credential where there is none, and nobody can log in: to a key that
// holds what is required and recommended.
func stepsToFirst(s *ambit.Session) []advice.Step {
	situation := advice.Situation{Problem: advice.Absent, IsLogin: true, Unattended: true, Provider: s.Provider(), At: s.Server(), Run: invocationOf(s)}
	for _, need := range s.Needs() {
		if need.Level >= scopes.Recommended {
			situation.Missing = append(situation.Missing, need.Name())
		}
	}
	return advice.Steps(situation)
}

// withheld are the needs for which no login would ask, with the reason, by their names.
func withheld(h *ambit.Held, needs []scopes.Need) map[string]string {
	plan, reasons := h.LastPlan(), map[string]string{}
	for _, need := range needs {
		if reason := withheldFor(plan, need); reason != "" {
			reasons[need.Name()] = reason
		}
	}
	return reasons
}

// situationOf is what advice on a credential is made from.
func situationOf(s *ambit.Session, h *ambit.Held, p advice.Problem) advice.Situation {
	return advice.Situation{
		Problem: p, IsLogin: h.IsLogin(), Source: h.Credential.Source,
		Provider: s.Provider(), At: h.Server, Kind: h.Kind, Run: invocationOf(s),
	}
}

// unattended reports whether nobody can log in where this runs, also not by hand: then the
// way out is a variable. Without a terminal, someone may have one beside this.
func (r *invocation) unattended() bool {
	return r.env.InCI() || r.settings.NoInput && r.unasking == ""
}

// withheldFor is why a plan does not ask for what a need names, and where that is declared; ""
// where it does, or nobody planned.
func withheldFor(plan *ambit.Plan, need scopes.Need) string {
	if plan == nil {
		return ""
	}
	if item := plan.Item(need); item != nil && item.Decision == scopes.DecisionWithhold {
		return fmt.Sprintf("%s; see %s", item.Reason, view.Place(need.File, need.Line))
	}
	return ""
}

// loginAgain is the command that asks for everything anew: a refresh cannot widen
// a grant (RFC 6749 §6). p is nil where none is open.
func loginAgain(p *ambit.Session) string { return inProject("ambit login", p) }

// inProject is a command with the flags that lead it to the same manifest, server and
// programs.
func inProject(command string, s *ambit.Session) string {
	return invocationOf(s).Command(strings.TrimPrefix(command, "ambit "))
}

// invocationOf is what leads a command to a session, whatever variables lead it elsewhere; s is nil
// where none is open.
func invocationOf(s *ambit.Session) advice.Invocation {
	if s == nil {
		return advice.Invocation{}
	}
	i := forManifest(s.Manifest().File)
	if settings.Environment(s.Environ()).Get(manifestVariable) != "" {
		i.Manifest = s.Manifest().File
	}
	if server := s.Server(); s.Named() || s.Chosen() && server.Name != s.Manifest().Server {
		i.Server = server.Name
	}
	i.Programs = s.Programs()
	return i
}

// manifestVariable is the one that names the manifest for every command.
const manifestVariable = "AMBIT_MANIFEST"

// forManifest leads a command to a manifest which it would not find by itself.
func forManifest(path string) advice.Invocation {
	if path == ambit.ManifestName {
		return advice.Invocation{}
	}
	return advice.Invocation{Manifest: path}
}

// missingLines name what is missing at level or above: where the manifest asks for it,
// and what for.
func missingLines(gap scopes.Gap, level scopes.Level) []string {
	var lines []string
	for _, e := range gap.Lost {
		if e.Level >= level {
			lines = append(lines, fmt.Sprintf("%s: %s scope %s %s: %s", view.Place(e.File, e.Line), e.Level, e.Name(), view.NotGranted(gap), view.Why(e)))
		}
	}
	return slices.Clip(lines)
}
