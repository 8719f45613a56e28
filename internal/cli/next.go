package cli

import (
	"fmt"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

// nextSteps are what to do about a gap, or else about a login that is not renewed when its token ends.
func nextSteps(r *invocation, s *ambit.Session, h *ambit.Held, gap scopes.Gap) []advice.Step {
	situation := situationOf(s, h, advice.Lacking)
	situation.Unattended = r.unattended()
	switch plan := h.LastPlan(); {
	case len(gap.Lost) > 0:
		for _, need := range gap.Lost {
			situation.Lack(need, h.Credential.Asked, withheldFor(plan, need))
		}
	case h.Unrenewable() == nil:
		return nil
	case h.Credential.Renewal.Failed.Final:
		situation.Problem = advice.Ended
	default:
		situation.Problem = advice.Waiting
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
		Provider: s.Provider(), At: h.Server, Kind: h.Kind, Run: failure.Invocation(s.For(h)), Wanted: advice.Wanted(s.Needs()),
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
		return fmt.Sprintf("%s; see %s", plan.ReasonOf(item), view.Place(need.File, need.Line))
	}
	return ""
}
