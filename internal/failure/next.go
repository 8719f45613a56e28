package failure

import (
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
)

// Next are what to do about a gap, or else about a login that is not renewed when its token ends;
// unattended says that nobody can log in.
func Next(s *ambit.Session, h *ambit.Held, gap scopes.Gap, unattended bool) []advice.Step {
	situation := Situation(s, h, advice.Lacking)
	situation.Unattended = unattended
	switch {
	case len(gap.Lost) > 0:
		reasons := Withheld(h, gap.Lost)
		for _, need := range gap.Lost {
			situation.Lack(need, h.Credential.Asked, reasons[need.Name()])
		}
	case h.Unrenewable() == nil:
		return nil
	case h.Credential.Renewal.Failed == nil, h.Credential.Renewal.Failed.Final: // rejected; or its renewal was refused
		situation.Problem = advice.Ended
	default:
		situation.Problem = advice.Waiting
	}
	return advice.Steps(situation)
}

// Withheld are the needs for which a login would not ask, or in vain: the reason and where each is declared, by
// their names.
func Withheld(h *ambit.Held, needs []scopes.Need) map[string]string {
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

// Situation is what advice on a credential is made from.
func Situation(s *ambit.Session, h *ambit.Held, p advice.Problem) advice.Situation {
	return advice.Situation{
		Problem: p, IsLogin: h.IsLogin(), Source: h.Credential.Source,
		Provider: s.Provider(), At: h.Server, Kind: h.Kind, Run: Invocation(s.For(h)), Wanted: advice.Wanted(s.Needs()),
	}
}
