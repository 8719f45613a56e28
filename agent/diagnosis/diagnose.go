package diagnosis

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Diagnose tells why a request was refused, with its evidence. It is pure. The order in
// which it looks is the order in which causes hide each other: what was sent, then what
// the server says, then what is known of the credential, then what other servers say.
//
// A server that says in so many words that it does not take the credential (RFC 6750
// §3.1 invalid_token, or the provider's wording for it), or that gives another reason of
// its own, is believed: a declared scope that is missing besides is evidence then, and no
// cause.
func Diagnose(c Case) Verdict {
	d := newDiagnosis(&c)
	d.said()
	for _, look := range []func() bool{
		d.misplaced, d.otherCredential, d.renewed, d.noScopeHelps, d.neverServes, d.disowned, d.scopeNamed, d.scopeDeclared, d.renewalFailed, d.pastExpiry, d.otherServer, d.ownReason,
	} {
		if look() {
			d.helped()
			return d.v
		}
	}
	d.unknown()
	return d.v
}

// A diagnoser is on its way from a case to a verdict.
type diagnoser struct {
	c    *Case
	v    Verdict
	resp refusal.Reading
}

func newDiagnosis(c *Case) *diagnoser {
	d := &diagnoser{c: c, v: newVerdict(c), resp: c.read()}
	for _, group := range d.resp.Needs {
		if !slices.Contains(d.v.Named, group[0]) {
			d.v.Named = append(d.v.Named, group[0])
		}
	}
	if d.resp.Counts { // nothing is fresher
		c.Grant.Scopes, c.Grant.KnownBy = scopes.NewSet(d.resp.Held...), scopes.SelfInspection
	}
	d.v.Known = d.resp.Entry.Means != ""
	return d
}

// said adds what the server answered to the evidence: first, for it is read first.
func (d *diagnoser) said() {
	status := d.c.Response.Status
	if status == 0 {
		return
	}
	d.v.Said = text.Line(d.resp.Said)
	line := "the server responded with " + statusLine(status)
	switch {
	case d.resp.Said != "" && !slices.ContainsFunc(d.resp.Proofs, func(p string) bool { return strings.Contains(p, `"`+d.resp.Said+`"`) }):
		line += ": " + quoted(d.v.Said)
	case d.resp.Unread != "":
		line += "; " + d.resp.Unread
	}
	d.v.prove("%s", line)
	for _, proof := range d.resp.Proofs {
		d.v.prove("%s", proof)
	}
	if d.c.Kind.Permissions {
		d.v.prove("the credential carries permissions, no scopes: no server lists them")
	}
}

// misplaced: the lease was sent, where it is not swapped.
func (d *diagnoser) misplaced() bool {
	if d.c.Sent.Ours || len(d.c.Sent.Misplaced) == 0 {
		return false
	}
	places, swapped := strings.Join(text.Lines(d.c.Sent.Misplaced), ", "), strings.Join(d.c.Sent.Swapped, ", ")
	d.v.is(CauseNotAScopeProblem, ConfidenceProved, "the lease came as %s; ambit swaps %s", places, swapped)
	d.v.prove("ambit refused the request to base %s, and did not send it on", d.c.Base)
	s := d.c.situation(advice.NoScope)
	s.Words = "send the lease as one of these: " + swapped
	d.v.advise(s)
	return true
}

// otherCredential: ours was not sent, another was.
func (d *diagnoser) otherCredential() bool {
	if d.c.Sent.Ours || len(d.c.Sent.Others) == 0 {
		return false
	}
	fields := strings.Join(text.Lines(d.c.Sent.Others), ", ")
	d.v.is(CauseCredentialConflict, ConfidenceProved, "another credential was sent instead of the lease, in %s", fields)
	d.v.prove("the request to base %s carried a credential in %s, and no lease", d.c.Base, fields)
	d.v.prove("ambit refused the request, and did not send it on")
	d.blame(profile.EffectReplaces, profile.EffectDropped)
	return true
}

// blame adds what to do about the conflicts that have one of these effects.
func (d *diagnoser) blame(suspects ...profile.Effect) {
	s := d.c.situation(advice.Replaced)
	for _, conflict := range d.c.Conflicts {
		if slices.Contains(suspects, conflict.Effect) && !conflict.Overridden {
			d.v.prove("%s", conflict.Says())
			s.Settings = append(s.Settings, advice.Remark{About: conflict.Path, Text: conflict.Advice})
		}
	}
	if d.c.Agent != nil {
		for _, conflict := range d.c.Conflicts {
			if len(s.Settings) == 0 && conflict.Source == profile.SourceLogin {
				s.Logout = d.c.Agent.Logout
				d.v.prove("%s has a login of its own in %s", d.c.Agent.Label, conflict.Path)
			}
		}
	}
	d.v.advise(s)
}

// renewed: what was refused is out of use already.
func (d *diagnoser) renewed() bool {
	if !d.c.Renewed {
		return false
	}
	d.v.is(CauseRejected, ConfidenceLikely, "the server did not accept %s; ambit has renewed it, and cannot repeat this request", d.c.credential())
	d.v.advise(d.c.situation(advice.Renewed))
	return true
}

// noScopeHelps: the provider's file knows this wording for what no scope cures.
func (d *diagnoser) noScopeHelps() bool {
	if !d.resp.Means(provider.MeaningNotAScopeProblem) {
		return false
	}
	d.v.is(CauseNotAScopeProblem, ConfidenceProved, "%s", d.reason())
	return true
}

// causes are those for which an entry's advice helps, by what it means.
var causes = map[provider.Meaning][]Cause{
	provider.MeaningNotAScopeProblem: {CauseNotAScopeProblem},
	provider.MeaningMissingScope:     {CauseMissingScope},
	provider.MeaningRejected:         {CauseRejected, CauseExpired},
}

// helped puts what helps by the provider's file before all else that can be done.
func (d *diagnoser) helped() {
	if !slices.Contains(causes[d.resp.Entry.Means], d.v.Cause) {
		return
	}
	s := d.c.situation(advice.NoScope)
	s.Words, s.Link = d.resp.Entry.AdviceFor(d.resp.Caught), d.resp.Entry.LinkAt(d.c.Server, d.resp.Caught)
	d.v.Next = append(advice.Steps(s), d.v.Next...)
}

func statusLine(status int) string { return fmt.Sprintf("%d %s", status, http.StatusText(status)) }

// reason is the server's own sentence, else its status.
func (d *diagnoser) reason() string {
	if d.resp.Said == "" {
		return "the server responded with " + statusLine(d.c.Response.Status)
	}
	says, said := "the server says ", text.Cut(d.v.Said, text.MaxWord)
	if strings.HasPrefix(said, guard.Page) {
		says = "the server sent "
	}
	return says + quoted(said)
}

// quoted is what a server said, in quotes; of a page it is the title.
func quoted(said string) string {
	if title, page := strings.CutPrefix(said, guard.Page+": "); page {
		return guard.Page + `, "` + title + `"`
	}
	if said == guard.Page {
		return said
	}
	return `"` + said + `"`
}

// neverServes: this kind of credential can never serve the base.
func (d *diagnoser) neverServes() bool {
	if d.c.Kind.Serves(d.c.Base) || !d.refuses() {
		return false
	}
	d.v.is(CauseWrongCredentialKind, ConfidenceProved, "%s can never be used for base %s", d.c.subject(), d.c.Base)
	if d.c.Kind.Prefix == "" {
		d.v.prove("its form says which kind it is")
	} else {
		d.v.prove("its prefix says which kind it is")
	}
	s := d.c.situation(advice.WrongKind)
	s.Base = d.c.Base
	d.v.advise(s)
	return true
}

// refuses reports whether the status by itself means a refusal; 0 is that of a verdict before
// a call. A 404 does where a declared scope is missing: servers may hide what one may not see
// (RFC 9110 §15.5.5).
func (d *diagnoser) refuses() bool {
	switch d.c.Response.Status {
	case 0:
		return true
	case http.StatusNotFound:
		return len(d.c.Unmet(d.c.Declared())) > 0
	default:
		return d.resp.Refuses()
	}
}

// renewalFailed: the credential would have to be renewed, and that fails for a reason that has
// nothing to do with the grant (RFC 6749 §5.2 invalid_grant is one that has).
func (d *diagnoser) renewalFailed() bool {
	if d.c.Renewal == nil || d.c.Response.Status != http.StatusUnauthorized || d.c.knownHere() {
		return false
	}
	if lost, ok := errors.AsType[*credential.SessionLostError](d.c.Renewal); ok && (lost.Err == nil || d.c.wasAsked()) {
		return false // there was nothing to send; or servers say more
	}
	if d.notRenewable() {
		return true
	}
	own, _ := d.c.Inquiry.At(d.c.Server.Name)
	sure := ConfidenceLikely
	nobodyElse := len(d.c.unasked()) == 0 && len(d.c.Inquiry.Of(credential.StandingNoAnswer)) == 0
	if own.Standing == credential.StandingNotKnown && nobodyElse || !d.c.Grant.LivesAt(d.c.Now) {
		sure = ConfidenceProved
	}
	d.v.is(CauseRenewalFailed, sure, "%s is no longer valid, and could not be renewed: %v", d.c.subject(), d.c.Renewal)
	d.v.prove("no server rejected the login itself: it is kept, and will be renewed later")
	d.asked()
	d.v.advise(d.c.situation(advice.Waiting))
	return true
}

// notRenewable: the server refuses to renew, and will refuse again: the login has ended, or its
// client may not.
func (d *diagnoser) notRenewable() bool {
	if lost, ok := errors.AsType[*credential.SessionLostError](d.c.Renewal); ok {
		d.v.is(CauseRejected, ConfidenceLikely, "%s is no longer valid: %v", d.c.subject(), lost)
		d.advise(advice.Ended, "")
		said := advice.Denied{Stage: provider.StageToken, Code: lost.Code, Description: lost.Description, Provider: d.c.Provider}
		if rule, ok := said.Rule(); ok && rule.Advice != "" && len(d.v.Next) > 0 {
			d.v.Next[0].Text = text.Line(rule.Advice) + "; " + d.v.Next[0].Text
			d.v.Next[0].URL = cmp.Or(d.v.Next[0].URL, rule.LinkAt(d.c.Server))
		}
		return true
	}
	denied, ok := errors.AsType[*credential.RenewalDeniedError](d.c.Renewal)
	if !ok {
		return false
	}
	d.v.is(CauseRejected, ConfidenceLikely, "%s is no longer valid, and the server does not renew it: %v", d.c.subject(), denied)
	d.v.prove("the login itself was not refused: it is kept")
	d.asked()
	s := d.c.situation(advice.Denying)
	s.Denied = advice.Denied{Code: denied.Code, Description: denied.Description}
	d.v.advise(s)
	return true
}

// pastExpiry: the credential has come to its end.
func (d *diagnoser) pastExpiry() bool {
	end := d.c.Grant.ExpiresAt
	if end.IsZero() || d.c.Now.Before(end) || !d.refuses() {
		return false
	}
	sure := ConfidenceProved
	switch {
	case d.c.knownHere(): // the clocks differ, or the server is generous
		return false
	case d.c.Response.Status == 0 || d.c.Response.Status == http.StatusUnauthorized:
	case d.resp.Reason() == refusal.ReasonOwn:
		return false
	default:
		sure = ConfidenceLikely
	}
	d.v.is(CauseExpired, sure, "%s expired at %s", d.c.subject(), end.UTC().Format(time.RFC3339))
	d.v.prove("the time is now %s", d.c.Now.UTC().Format(time.RFC3339))
	d.v.advise(d.c.situation(advice.Ended))
	return true
}

// ownReason: the server gives another reason than a scope, and no wording explains it.
func (d *diagnoser) ownReason() bool {
	unauthorized := d.c.Response.Status == http.StatusUnauthorized
	switch {
	case d.resp.Reason() != refusal.ReasonOwn:
		return false
	case d.resp.Disowns() && d.c.knownHere():
		return false
	case d.resp.Disowns() && d.deniesByStatus():
		d.v.is(CauseRejected, ConfidenceLikely, "%s", d.reason())
		if len(d.c.unasked()) > 0 {
			d.v.Possible = []string{"the credential belongs to another server; no other server was asked"}
		}
		d.asked()
		d.advise(advice.Ended, "")
		return true
	case d.resp.GivesAnotherReason() && !d.resp.LacksScope() && (!unauthorized || d.c.knownHere()):
		d.v.is(CauseNotAScopeProblem, ConfidenceLikely, "%s", d.reason())
		d.asked()
		return true
	}
	return false
}

// unknown: the server's own reason, or an honest list of what it may be.
func (d *diagnoser) unknown() {
	d.asked()
	d.v.advise(d.c.situation(advice.Unexplained))
	status := statusLine(d.c.Response.Status)
	silent := d.resp.Said == "" || d.resp.Means(provider.MeaningSilent)
	switch {
	case !silent && (strings.Contains(d.resp.Said, " ") || d.resp.Reason() == refusal.ReasonOwn):
		d.v.is(CauseUnknown, ConfidenceUnknown, "%s (%s)", d.reason(), status)
	case !silent:
		d.v.is(CauseUnknown, ConfidenceUnknown, "the server responded to %s with %s: %s", d.v.operation(), status, quoted(text.Cut(d.v.Said, text.MaxWord)))
	case d.resp.Unread != "":
		d.v.is(CauseUnknown, ConfidenceUnknown, "the server responded to %s with %s, and its reason could not be read", d.v.operation(), status)
	default:
		d.v.is(CauseUnknown, ConfidenceUnknown, "the server responded to %s with %s, and gave no reason", d.v.operation(), status)
	}
	if d.resp.Reason() != refusal.ReasonOwn {
		d.v.Possible = d.c.possible()
	}
}

// possible are the causes that nothing rules out.
func (c *Case) possible() []string {
	var list []string
	if c.Response.Status == http.StatusUnauthorized && !c.knownHere() {
		list = append(list, "the credential was revoked, or expired early")
		if !c.wasAsked() {
			list = append(list, "the credential belongs to another server; none was asked")
		}
	}
	switch lacking := c.Unmet(c.Declared()); {
	case len(lacking) > 0:
		list = append(list, namesOf(lacking)+" is missing: the grant did not include it before the call")
	case len(c.Declared()) == 0:
		list = append(list, "the operation needs a scope that the manifest does not declare for it")
	case c.Kind.Permissions:
		list = append(list, "a permission is missing; no server lists those that the credential carries")
	case !c.anyoneSaid():
		list = append(list, namesOf(c.Declared())+" is missing; no server said what the credential holds")
	case !c.grantIsKnown():
		list = append(list, "a scope was not granted; no server said which were")
	case !c.saidHere():
		list = append(list, "the grant has shrunk since it was known")
	}
	return append(list, "the reason has nothing to do with scopes")
}
