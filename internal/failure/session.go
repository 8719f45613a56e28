package failure

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// sessionErrors are those that the front door itself makes.
func sessionErrors(s *ambit.Session, err error) *view.Failure {
	if e, ok := errors.AsType[*ambit.MissingError](err); ok {
		return missingOf(s, e)
	}
	if e, ok := errors.AsType[*ambit.UnboundError](err); ok {
		return From(ExitUsage, e, "to use them, log in again: "+LoginAgain(s.For(e.Held)))
	}
	if e, ok := errors.AsType[*ambit.ElsewhereError](err); ok {
		return From(ExitNoCredential, e, "log in with: "+LoginAgain(s)+"; or use that one: "+Command("ambit check", s.At(e.Other)))
	}
	if e, ok := errors.AsType[*ambit.AccountsError](err); ok {
		return From(ExitNoCredential, e, "say which one you mean: "+accountFlags(e.Stored)+"; or log in here to make one the default: ambit login --account NAME")
	}
	if e, ok := errors.AsType[*ambit.ElsewhereStoreError](err); ok {
		return From(ExitUsage, e, "name it with --store")
	}
	if e, ok := errors.AsType[*ambit.NoAccountError](err); ok {
		hint := "log in with: " + Invocation(s).For(e.Account).Command("login")
		if len(e.Stored) > 0 {
			hint += "; or use another: " + accountFlags(e.Stored)
		}
		return From(ExitNoCredential, e, hint)
	}
	if e, ok := errors.AsType[*ambit.UnreachedError](err); ok {
		return From(ExitNoCredential, e, "if you logged in on the desktop, run this there; or log in here: "+LoginAgain(s)+" --store file; or give an API key, see: ambit status --help")
	}
	if e, ok := errors.AsType[*ambit.KindError](err); ok {
		return From(ExitNoCredential, e, "").Diagnosed(diagnosis.Unfit(caseOf(s, e.Held), e.Operation.Base))
	}
	if e, ok := errors.AsType[*ambit.RenewalError](err); ok {
		return NotRenewed(s, e, false)
	}
	if e, ok := errors.AsType[*ambit.UnknownCredentialError](err); ok {
		return Unknown(s, e, false)
	}
	if e, ok := errors.AsType[*ambit.NoDeviceError](err); ok {
		return From(ExitUsage, e, "log in without --device: "+LoginAgain(s))
	}
	if e, ok := errors.AsType[*ambit.NoLoginError](err); ok {
		return From(ExitNoCredential, e, advice.Line(ToFirst(s)))
	}
	if e, ok := errors.AsType[*ambit.NoClientError](err); ok {
		return From(ExitUsage, e, advice.RegisterClient(s.Provider(), e.Redirect))
	}
	if e, ok := errors.AsType[*ambit.ClientSecretError](err); ok {
		if e.Proof != "" {
			return From(ExitNoCredential, e, "client."+string(e.Proof)+" in the provider file says where it is")
		}
		return From(ExitNoCredential, e, "client.secret in the provider file says where it is; the server that registered the client has it")
	}
	if e, ok := errors.AsType[*ambit.StoreError](err); ok {
		way := "set XDG_STATE_HOME to a directory of yours"
		if isFull(err) {
			way = "make room on that disk, or name a directory on another with XDG_STATE_HOME"
		}
		return From(ExitUsage, e, way+", or keep it for one run alone: --store memory")
	}
	if e, ok := errors.AsType[*ambit.APIKeyError](err); ok {
		return From(ExitUsage, e, advice.Line(advice.Steps(advice.Situation{
			Problem: advice.Lacking, Missing: e.Add, Source: e.Held.Credential.Source, Provider: s.Provider(), At: e.Held.Server, Kind: e.Held.Kind, Run: Invocation(s), Wanted: advice.Wanted(s.Needs()),
		})))
	}
	if e, ok := errors.AsType[*ambit.AccountError](err); ok {
		return From(ExitNoCredential, e, "agree with the account that is logged in; or log in with the other one instead: "+LoginAgain(s))
	}
	if e, ok := errors.AsType[*ambit.OvertakenError](err); ok {
		return From(ExitNoCredential, e, "repeat the command")
	}
	if errors.Is(err, ambit.ErrNoHome) {
		return From(ExitUsage, ambit.ErrNoHome, "set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")
	}
	return nil
}

// accountFlags name accounts on a command line.
func accountFlags(accounts []ambit.Account) string {
	flags := make([]string, len(accounts))
	for i, a := range accounts {
		flags[i] = "--account " + advice.ShellWord(cmp.Or(a.Name, a.Told))
	}
	return strings.Join(flags, " or ")
}

// NotRenewed is a login that could not be renewed. What is wrong on this machine is told as it is.
func NotRenewed(s *ambit.Session, e *ambit.RenewalError, unattended bool) *view.Failure {
	f := As(Of(s.For(e.Held), e.Err))
	if errors.Is(e.Err, oauth.ErrNoPlace) {
		f.Message = "the login is not renewed, and stays as it is, since what comes of that could not be kept: " + f.Message
		return f
	}
	_, ended := errors.AsType[*credential.SessionLostError](e.Err)
	_, denied := errors.AsType[*credential.RenewalDeniedError](e.Err)
	if f.Code != ExitCannotTell && !ended && !denied {
		return f
	}
	if e.Held.Credential.Own {
		f.Message = "the client got no token: " + f.Message
		return f
	}
	c := caseOf(s, e.Held)
	c.Renewal, c.Unattended = e.Err, unattended
	g := New(f.Code, f.Message, "").Diagnosed(diagnosis.NotRenewed(c))
	switch {
	case ended:
		g.Message = text.Printable(e.Err.Error())
	case denied:
		g.Message = "the login could not be renewed: " + text.Printable(e.Err.Error())
	default:
		g.Message = "the login could not be renewed: " + f.Message
	}
	if t, ok := errors.AsType[*guard.Error](e.Err); ok && t.Kind == guard.KindTLS {
		g.Hint = f.Hint
	}
	return g
}

// caseOf is what is known of a credential before any call.
func caseOf(s *ambit.Session, h *ambit.Held) diagnosis.Case {
	return diagnosis.Case{Provider: s.Provider(), Server: h.Server, Run: Invocation(s.For(h)), Now: time.Now()}.With(h.Credential)
}

// Unknown is a credential that its server does not know, by what the other servers said
// that were asked.
func Unknown(s *ambit.Session, e *ambit.UnknownCredentialError, unattended bool) *view.Failure {
	c := caseOf(s, e.Held)
	c.Inquiry, c.Unattended = e.Inquiry, unattended
	return From(ExitNoCredential, e, "").Diagnosed(diagnosis.Refused(c))
}

// ToFirst lead to a credential where there is none, and nobody can log in: to a key that
// holds what is required and recommended.
func ToFirst(s *ambit.Session) []advice.Step {
	situation := advice.Situation{Problem: advice.Absent, IsLogin: true, Unattended: true, Provider: s.Provider(), At: s.Server(), Run: Invocation(s), Wanted: advice.Wanted(s.Needs())}
	for _, need := range s.Needs() {
		if need.Level >= scopes.Recommended {
			situation.Missing = append(situation.Missing, need.Name())
		}
	}
	return advice.Steps(situation)
}

// missingOf is a login that was not made for want of scopes that cannot be had.
func missingOf(s *ambit.Session, e *ambit.MissingError) *view.Failure {
	switch {
	case e.Cause != nil:
		return refusalOf(e)
	case e.Plan == nil:
		return New(ExitMissing, strings.Join(missingLines(e.Gap, e.Level), "\n"), "")
	case e.Plan.Check() == nil:
		return nothingLeft(e.Plan)
	}
	var lines []string
	var near []string
	for i := range e.Plan.Scopes {
		if item := &e.Plan.Scopes[i]; item.Decision == scopes.DecisionWithhold && item.Need.Level == scopes.Required {
			lines = append(lines, fmt.Sprintf("%s:%d: required scope %s cannot be had from %s: %s",
				item.Need.File, item.Need.Line, item.Need.Name(), s.Server().Issuer, e.Plan.ReasonOf(item)))
			near = append(near, e.Plan.Near(item)...)
		}
	}
	return New(ExitMissing, strings.Join(lines, "\n"), Invocation(s).Correct(near).String())
}

// refusalOf is the failure of a login to which the server answered invalid_scope: its own
// words, and for each scope that they name where it is declared, and what for.
func refusalOf(e *ambit.MissingError) *view.Failure {
	lines := []string{text.Printable(e.Cause.Error())}
	hint, offer := "correct the scope, or have the server's operator allow it to this client", e.Plan.Offer()
	for _, need := range e.Needs {
		line := fmt.Sprintf("%s: %s scope %s is among those that %s names: %s", view.Place(need.File, need.Line), need.Level, need.Name(), e.Plan.Session.Server().Issuer, view.Why(need))
		if near := offer.Near(need.AnyOf[0]); len(near) > 0 {
			line += "; " + text.DidYouMean(near)
			hint = Invocation(e.Plan.Session).Correct(near).String()
		}
		lines = append(lines, line)
	}
	if len(e.Needs) == 0 {
		lines = append(lines, "the request was for: "+strings.Join(e.Plan.Request.Slice(), ", "))
		hint = "the server does not say which of them it refuses; its operator knows what this client may ask for"
	}
	return New(ExitMissing, strings.Join(lines, "\n"), hint)
}

// nothingLeft is the failure of a login that would request nothing of what the manifest
// declares.
func nothingLeft(plan *ambit.Plan) *view.Failure {
	var lines []string
	for i := range plan.Scopes {
		if item := &plan.Scopes[i]; item.Decision == scopes.DecisionWithhold {
			lines = append(lines, fmt.Sprintf("%s: %s is not asked for: %s", view.Place(item.Need.File, item.Need.Line), item.Need.Name(), text.Printable(plan.ReasonOf(item))))
		}
	}
	return New(ExitMissing, strings.Join(lines, "\n"), "none of the declared scopes can be requested, so a login would be pointless")
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
