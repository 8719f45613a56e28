package diagnosis

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Move is what whoever sends requests does next about a response; see [Next].
type Move int

// The moves. Whoever makes one takes it out of [Untried], and asks again.
const (
	MovePass  Move = iota // hand the response on as it came: it is not a refusal
	MoveRead              // read the beginning of the body
	MoveRenew             // renew the credential, and send the request once more, where it can be
	MoveAsk               // ask servers about the credential, see [Case.Answered]
	MoveWiden             // have a person agree to what the login lacks ([Verdict.Wanted]), and send the request once more
	MoveTell              // tell the verdict of [Diagnose]
)

// Untried is what is left to be tried about one response.
type Untried struct{ Read, Renew, Ask, Widen bool }

// MayRefuse reports whether a response can be a refusal by its head: whoever sends requests needs
// no [Case] for any other. Besides the statuses that mean one, some services refuse with 400, or
// with a success and an error in the body.
func MayRefuse(p *provider.Provider, status int, header http.Header) bool {
	return refusal.MayRefuse(p, status, header)
}

// Next decides about a response. One whose status means a refusal is told, and one that the provider's
// file knows; any other where it says that a scope is missing, and one of a server that failed only where it names it. A 404 is a refusal also where a declared scope is known to be
// missing: servers may hide what one may not see (RFC 9110 §15.5.5), and so do those of tools. A 401, and whatever
// the file knows for a credential that is not accepted, leads to a renewal, unless something explains it that a renewal leaves as it is. Servers are
// asked where nothing else tells, and where the verdict stands on what was known of the grant some
// time ago. A person is asked last, where scopes are what a login lacks.
func Next(c Case, left Untried) Move {
	switch {
	case !MayRefuse(c.Provider, c.Response.Status, c.Response.Header):
		return MovePass
	case left.Read:
		return MoveRead
	case scopes.Succeeded(c.Response.Status) && !refusal.Fails(c.Provider, c.Base, refusal.Response(c.Response)):
		return MovePass
	}
	v, said := Diagnose(c), newDiagnosis(&c).resp
	switch {
	case said.Refuses():
	case !c.anyoneSaid() && left.Ask && c.mayHide():
		return MoveAsk
	case v.Cause == CauseUnknown && c.deniesTool():
	case v.Cause != CauseMissingScope, c.Response.Status >= http.StatusInternalServerError && !said.FailedOver():
		return MovePass
	}
	switch {
	case left.Renew && (c.Response.Status == http.StatusUnauthorized || said.Means(provider.MeaningRejected)) && renewalMayHelp(v.Cause):
		return MoveRenew
	case left.Ask && c.answerMayTell(v):
		return MoveAsk
	case left.Widen && c.wideningMayHelp(v):
		return MoveWiden
	}
	return MoveTell
}

// wideningMayHelp reports whether a login that holds more may get another response: all that is
// missing can be asked for, as the server lists it, or names it itself.
func (c *Case) wideningMayHelp(v Verdict) bool {
	return c.Login && len(v.Wanted()) > 0 && !slices.ContainsFunc(v.Missing, func(name string) bool {
		return c.Withheld[name] != "" && !slices.ContainsFunc(strings.Split(name, "|"), func(scope string) bool { return slices.Contains(v.Named, scope) })
	})
}

// mayHide reports whether the response may hide something for which the manifest declares a scope.
func (c *Case) mayHide() bool {
	return len(c.Declared()) > 0 && (c.Response.Status == http.StatusNotFound || c.Tool != "" && newDiagnosis(c).resp.UnknownTool(c.Tool))
}

// deniesTool reports whether the result of a tool's call names the scope that it wants, which is told
// also where the grant includes it, as at a 403.
func (c *Case) deniesTool() bool {
	if c.Tool == "" || c.Response.Status >= http.StatusMultipleChoices {
		return false
	}
	said := newDiagnosis(c).resp
	return said.LacksScope() && len(said.Needs) > 0
}

// renewalMayHelp reports whether another token of the same login may get another response.
func renewalMayHelp(cause Cause) bool {
	return !slices.Contains([]Cause{CauseMissingScope, CauseNotAScopeProblem, CauseWrongCredentialKind}, cause)
}

// answerMayTell reports whether what servers say of the credential may change the verdict: what
// was known of it before the request may have changed. At a 401 no scope is named before they
// were asked.
func (c *Case) answerMayTell(v Verdict) bool {
	switch v.Cause {
	case CauseUnknown, CauseRejected, CauseExpired, CauseRenewalFailed:
		return true
	case CauseMissingScope:
		return len(v.Missing) == 0 || c.Response.Status == http.StatusUnauthorized || v.Confidence != ConfidenceProved
	}
	return false
}

// With is the case with a credential, and what is known of it. Nothing that a server repeats of it is told.
func (c Case) With(used *credential.Credential) Case {
	c.Kind, c.Grant, c.Asked, c.Login = used.KindAt(c.Provider), used.Grant, used.Asked, used.Issued()
	c.Response.Veil = credential.VeilOver(c.Provider, used.Access, used.Refresh)
	return c
}

// Of is the case of a response to a request.
func (c Case) Of(request scopes.Operation, r Response) Case {
	r.Veil = c.Response.Veil
	c.Method, c.Base, c.Path, c.Response = request.Method, request.Base, request.Path, r
	return c
}

// Answered is the case with what servers said of the credential. What its own one says that it
// holds replaces what was known before; learned reports whether that one said so.
func (c Case) Answered(q credential.Inquiry) (after Case, learned bool) {
	c.Inquiry = q
	own, _ := q.At(c.Server.Name)
	if own.Standing != credential.StandingKnown {
		return c, false
	}
	c.Grant = own.Grant
	return c, true
}
