package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
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
		return failWith(exitUsage, e, "to use them, log in again: "+loginAgain(s))
	}
	if e, ok := errors.AsType[*ambit.ElsewhereError](err); ok {
		return failWith(exitNoCredential, e, "log in with: "+loginAgain(s)+"; or use that one: "+inProject("ambit check", s.At(e.Other)))
	}
	if e, ok := errors.AsType[*ambit.UnreachedError](err); ok {
		return failWith(exitNoCredential, e, "if you logged in on the desktop, run this there; or log in here: "+loginAgain(s)+" --store file; or give an API key, see: ambit status --help")
	}
	if e, ok := errors.AsType[*ambit.KindError](err); ok {
		return failWith(exitNoCredential, e, "").Diagnosed(diagnosis.Unfit(heldCase(s, e.Held), e.Operation.Base))
	}
	if e, ok := errors.AsType[*ambit.RenewalError](err); ok {
		return notRenewed(s, e, false)
	}
	if e, ok := errors.AsType[*ambit.UnknownCredentialError](err); ok {
		return unknownOf(s, e, false)
	}
	if e, ok := errors.AsType[*ambit.NoClientError](err); ok {
		return failWith(exitUsage, e, "register a client there with the redirect URI "+e.Redirect.String()+", and name its id: provider: {use: "+text.Line(s.Provider().Name)+", client: {id: YOUR-CLIENT-ID}}")
	}
	if e, ok := errors.AsType[*ambit.ClientSecretError](err); ok {
		return failWith(exitNoCredential, e, "client.secret in the provider file says where it is; the server that registered the client has it")
	}
	if e, ok := errors.AsType[*ambit.StoreError](err); ok {
		return failWith(exitUsage, e, "set XDG_STATE_HOME to a directory of yours, or keep it for one run alone: --store memory")
	}
	if errors.Is(err, ambit.ErrNoHome) {
		return failWith(exitUsage, ambit.ErrNoHome, "set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")
	}
	return nil
}

// notRenewed is a login that could not be renewed. What is wrong on this machine is told as it is.
func notRenewed(s *ambit.Session, e *ambit.RenewalError, unattended bool) *view.Failure {
	f := asFailure(failureOf(s, e.Err))
	if errors.Is(e.Err, oauth.ErrNoPlace) {
		f.Message = "the login is not renewed, and stays as it is, since what comes of that could not be kept: " + f.Message
		return f
	}
	_, ended := errors.AsType[*credential.SessionLostError](e.Err)
	_, denied := errors.AsType[*credential.RenewalDeniedError](e.Err)
	if f.Code != exitCannotTell && !ended && !denied {
		return f
	}
	c := heldCase(s, e.Held)
	c.Renewal, c.Unattended = e.Err, unattended
	g := fail(f.Code, f.Message, "").Diagnosed(diagnosis.NotRenewed(c))
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

// heldCase is what is known of a credential before any call.
func heldCase(s *ambit.Session, h *ambit.Held) diagnosis.Case {
	return diagnosis.Case{Provider: s.Provider(), Server: h.Server, Run: invocationOf(s), Now: now()}.With(h.Credential)
}

// unknownOf is a credential that its server does not know, by what the other servers said
// that were asked.
func unknownOf(s *ambit.Session, e *ambit.UnknownCredentialError, unattended bool) *view.Failure {
	c := heldCase(s, e.Held)
	c.Inquiry, c.Unattended = e.Inquiry, unattended
	return failWith(exitNoCredential, e, "").Diagnosed(diagnosis.Refused(c))
}

// missingOf is a login that was not made for want of scopes that cannot be had.
func missingOf(s *ambit.Session, e *ambit.MissingError) *view.Failure {
	switch {
	case e.Cause != nil:
		return refusalOf(e)
	case e.Plan == nil:
		return fail(exitMissing, strings.Join(missingLines(e.Gap, e.Level), "\n"), "")
	case e.Plan.Check() == nil:
		return nothingLeft(e.Plan)
	}
	var lines []string
	for _, item := range e.Plan.Scopes {
		if item.Decision == scopes.DecisionWithhold && item.Need.Level == scopes.Required {
			lines = append(lines, fmt.Sprintf("%s:%d: required scope %s cannot be had from %s: %s",
				item.Need.File, item.Need.Line, item.Need.Name(), s.Server().Issuer, item.Reason))
		}
	}
	return fail(exitMissing, strings.Join(lines, "\n"), "correct the scope, or say advertised: false if the server grants it all the same")
}

// refusalOf is the failure of a login to which the server answered invalid_scope: its own
// words, and for each scope that they name where it is declared, and what for.
func refusalOf(e *ambit.MissingError) *view.Failure {
	lines := []string{text.Printable(e.Cause.Error())}
	for _, need := range e.Needs {
		lines = append(lines, fmt.Sprintf("%s: %s scope %s is among those that %s names: %s", view.Place(need.File, need.Line), need.Level, need.Name(), e.Plan.Session.Server().Issuer, view.Why(need)))
	}
	hint := "correct the scope, or have the server's operator allow it to this client"
	if len(e.Needs) == 0 {
		lines = append(lines, "the request was for: "+strings.Join(e.Plan.Request.Slice(), ", "))
		hint = "the server does not say which of them it refuses; its operator knows what this client may ask for"
	}
	return fail(exitMissing, strings.Join(lines, "\n"), hint)
}

// nothingLeft is the failure of a login that would request nothing of what the manifest
// declares.
func nothingLeft(plan *ambit.Plan) *view.Failure {
	var lines []string
	for _, item := range plan.Scopes {
		if item.Decision == scopes.DecisionWithhold {
			lines = append(lines, fmt.Sprintf("%s: %s is not asked for: %s", view.Place(item.Need.File, item.Need.Line), item.Need.Name(), text.Printable(item.Reason)))
		}
	}
	return fail(exitMissing, strings.Join(lines, "\n"), "none of the declared scopes can be requested, so a login would be pointless")
}
