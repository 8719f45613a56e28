package cli

import (
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

// nextSteps are what to do about a gap, or else about a login that is not renewed when its token ends.
func nextSteps(r *invocation, s *ambit.Session, h *ambit.Held, gap scopes.Gap) []advice.Step {
	situation := situationOf(s, h, advice.Lacking)
	situation.Unattended = r.unattended()
	switch {
	case len(gap.Lost) > 0:
		reasons := withheld(h, gap.Lost)
		for _, need := range gap.Lost {
			situation.Lack(need, h.Credential.Asked, reasons[need.Name()])
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

// withheld are the needs for which a login would not ask, or in vain: the reason and where each is declared, by
// their names.
func withheld(h *ambit.Held, needs []scopes.Need) map[string]string {
	plan, meant, reasons := h.LastPlan(), h.Meant(needs), map[string]string{}
	for _, need := range needs {
		var because []string
		if plan != nil {
			if item := plan.Item(need); item != nil && item.Decision == scopes.DecisionWithhold {
				because = append(because, item.Reason)
			}
		}
		if near := meant[need.Name()]; len(near) > 0 {
			if len(because) == 0 {
				because = append(because, "no such scope is known")
			}
			because = append(because, text.DidYouMean(near))
		}
		if len(because) > 0 {
			reasons[need.Name()] = strings.Join(append(because, "see "+view.Place(need.File, need.Line)), "; ")
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
