package diagnosis

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
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
		d.otherCredential, d.renewed, d.noScopeHelps, d.neverServes, d.disowned, d.scopeNamed, d.scopeDeclared, d.renewalFailed, d.pastExpiry, d.otherServer, d.ownReason,
	} {
		if look() {
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
	return &diagnoser{c: c, v: newVerdict(c), resp: refusal.Read(c.Provider, c.Base, c.vocabulary(), refusal.Response(c.Response))}
}

// said adds what the server answered to the evidence: first, for it is read first.
func (d *diagnoser) said() {
	status := d.c.Response.Status
	if status == 0 {
		return
	}
	d.v.Said = text.Line(d.resp.Said)
	line := "the server answered " + orStatus("", status)
	switch {
	case d.resp.Said != "":
		line += ` "` + d.v.Said + `"`
	case d.resp.Unread != "":
		line += "; " + d.resp.Unread
	}
	d.v.prove("%s", line)
	for _, proof := range d.resp.Proofs {
		d.v.prove("%s", proof)
	}
}

// otherCredential: ours was not sent, another was.
func (d *diagnoser) otherCredential() bool {
	if d.c.Sent.Ours || len(d.c.Sent.Others) == 0 {
		return false
	}
	fields := strings.Join(text.Lines(d.c.Sent.Others), ", ")
	d.v.is(CauseCredentialConflict, ConfidenceProved, "another credential was sent in place of the lent one, in %s", fields)
	d.v.prove("the request to {%s} carried a credential in %s, and not the lease", d.c.Base, fields)
	d.v.prove("it was refused here and went nowhere")
	d.blame(func(conflict profile.Conflict) bool { return conflict.Source != profile.SourceEnvironment })
	return true
}

// blame adds what to do about the conflicts that can have sent another credential.
func (d *diagnoser) blame(suspect func(profile.Conflict) bool) {
	s := d.c.situation(advice.Replaced)
	for _, conflict := range d.c.Conflicts {
		if suspect(conflict) && len(conflict.Keys) > 0 && !conflict.Overridden {
			d.v.prove("%s sets %s", conflict.Path, strings.Join(conflict.Keys, ", "))
			s.Settings = append(s.Settings, advice.Remark{About: conflict.Path, Text: conflict.Advice})
		}
	}
	if d.c.Agent != nil {
		s.Logout = d.c.Agent.Logout
		for _, conflict := range d.c.Conflicts {
			if len(s.Settings) == 0 && conflict.Source == profile.SourceLogin {
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
	d.v.is(CauseRejected, ConfidenceLikely, "the server did not take %s; it is renewed now, and this request cannot be repeated by itself", d.c.credential())
	d.v.advise(d.c.situation(advice.Renewed))
	return true
}

// noScopeHelps: the provider's file knows this wording for what no scope cures.
func (d *diagnoser) noScopeHelps() bool {
	if !d.resp.Means(provider.MeaningNotAScopeProblem) {
		return false
	}
	d.v.is(CauseNotAScopeProblem, ConfidenceProved, "\"%s\"", orStatus(d.resp.Said, d.c.Response.Status))
	s := d.c.situation(advice.NoScope)
	s.Words = d.resp.Wording.Advice
	d.v.advise(s)
	return true
}

func orStatus(said string, status int) string {
	if said != "" {
		return text.Line(said)
	}
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}

// neverServes: this kind of credential can never serve the base.
func (d *diagnoser) neverServes() bool {
	if d.c.Kind.Serves(d.c.Base) || !d.refuses() {
		return false
	}
	d.v.is(CauseWrongCredentialKind, ConfidenceProved, "%s, can never serve %s", d.c.credential(), d.c.Base)
	d.v.prove("by its prefix the credential is %s", text.Line(d.c.Kind.Label))
	s := d.c.situation(advice.WrongKind)
	s.Base = d.c.Base
	d.v.advise(s)
	return true
}

// refuses reports whether the status by itself means a refusal; 0 is that of a verdict before
// a call. A 404 does where a declared scope is missing: servers may hide what one may not see
// (RFC 9110 §15.5.5).
func (d *diagnoser) refuses() bool {
	switch status := d.c.Response.Status; status {
	case 0:
		return true
	case http.StatusNotFound:
		return len(d.c.Unmet(d.c.Declared())) > 0
	default:
		return refusal.HasStatus(d.c.Provider, status)
	}
}

// scopeNamed: the answer says which scope is missing, or which the resource takes. What the
// grant has is not missing, whoever names it.
func (d *diagnoser) scopeNamed() bool {
	if d.rejects() {
		return false
	}
	if lacking := d.uncovered(d.resp.Needs); len(lacking) > 0 {
		sure := ConfidenceLikely
		if d.c.surelyLacks() {
			sure = ConfidenceProved
		}
		return d.lackGroups(sure, lacking)
	}
	if d.resp.LacksScope() {
		return d.unnamed()
	}
	lacking := d.uncovered(d.resp.Mentioned)
	if len(lacking) == 0 || d.resp.Reason() == refusal.ReasonOwn || !d.mentionTells() {
		return false
	}
	return d.lackGroups(ConfidenceLikely, lacking)
}

// mentionTells reports whether a scope that is only mentioned may be the one that is missing. A
// challenge can name what the resource wants whatever came (RFC 6750 §3): a 401 that does so
// says nothing of a credential of which nobody knows what it holds.
func (d *diagnoser) mentionTells() bool {
	return d.c.anyoneSaid() || d.c.Response.Status != http.StatusUnauthorized
}

func (d *diagnoser) lackGroups(sure Confidence, lacking []refusal.Group) bool {
	needs, other := d.needsFor(lacking)
	d.v.lack(d.c, sure, needs, other)
	return true
}

// unnamed: the answer says that a scope is missing, and not which, or names what is granted.
// The manifest may know.
func (d *diagnoser) unnamed() bool {
	if needs := d.c.Unmet(d.c.Declared()); len(needs) > 0 {
		sure := ConfidenceLikely
		if d.c.surelyLacks() && len(d.resp.Needs) == 0 && d.deniesByStatus() {
			sure = ConfidenceProved
		}
		d.v.lack(d.c, sure, needs, nil)
		d.notGranted("%s is not in the grant, %s", needs)
		return true
	}
	if !d.deniesByStatus() && d.c.Response.Status >= http.StatusMultipleChoices { // a request can be wrong for a parameter of that name
		return false
	}
	named := d.met(d.resp.Needs)
	if len(named) > 0 && (d.c.fresh() || !d.c.anyoneSaid()) {
		d.v.prove("%s, which it names, is in the grant, %s", listed(named), d.c.knownBy())
		return false
	}
	if len(named) > 0 {
		d.v.prove("%s was in the grant %s: that may have shrunk since", listed(named), d.c.knownBy())
		return d.lackGroups(ConfidenceLikely, d.resp.Needs)
	}
	d.v.lack(d.c, ConfidenceUnknown, nil, nil)
	if !d.c.anyoneSaid() && len(d.c.Declared()) > 0 {
		d.v.Possible = []string{namesOf(d.c.Declared()) + ", which is declared for it; nobody said what the credential holds"}
	}
	return true
}

// rejects reports whether the server says that it does not take the credential as such.
func (d *diagnoser) rejects() bool { return d.resp.Rejects() && !d.c.knownHere() }

// misled reports whether the response speaks of a credential that is not accepted, where the same
// server says, when it is asked, that it is.
func (d *diagnoser) misled() bool {
	return d.c.knownHere() && (d.resp.Rejects() || d.resp.Disowns())
}

// deniesByStatus reports whether the status is one that denies access (RFC 9110 §15.5.2,
// §15.5.4).
func (d *diagnoser) deniesByStatus() bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, d.c.Response.Status)
}

func (d *diagnoser) notGranted(format string, needs []scopes.Need) {
	for _, e := range needs {
		d.v.prove(format, e.Name(), d.c.knownBy())
	}
}

// uncovered are those groups of which nothing is held.
func (d *diagnoser) uncovered(groups []refusal.Group) []refusal.Group {
	return slices.DeleteFunc(slices.Clone(groups), func(group refusal.Group) bool {
		_, met := d.metBy(group)
		return met
	})
}

// met are the scopes by which groups are met.
func (d *diagnoser) met(groups []refusal.Group) []string {
	var list []string
	for _, group := range groups {
		if scope, met := d.metBy(group); met {
			list = append(list, scope)
		}
	}
	return list
}

// metBy is the scope of a group that the grant covers, or of which the server says that the
// credential holds it.
func (d *diagnoser) metBy(group refusal.Group) (scope string, met bool) {
	need := scopes.Need{AnyOf: group}
	held := d.c.Grant.Scopes.Union(scopes.NewSet(d.resp.Held...))
	scope, _, met = need.MetBy(held, d.c.Provider.Implies)
	return scope, met
}

// needsFor are the declared needs that the named scopes are for, each once, and the names of
// groups of which nobody declared a scope. Of several that are enough, those that are declared
// count.
func (d *diagnoser) needsFor(groups []refusal.Group) (needs []scopes.Need, other []string) {
	for _, group := range groups {
		found := d.c.needsWhere(func(e *scopes.Need) bool {
			return slices.ContainsFunc(e.AnyOf, func(scope string) bool { return slices.Contains(group, scope) })
		})
		found = slices.DeleteFunc(found, func(e scopes.Need) bool { return len(d.c.Unmet([]scopes.Need{e})) == 0 })
		switch len(found) {
		case 0:
			name := scopes.Need{AnyOf: group}.Name()
			other = append(other, name)
			d.v.prove("the answer names %s, which the manifest does not declare", name)
			continue
		case 1:
		default:
			found = []scopes.Need{oneOf(found)}
		}
		if !slices.ContainsFunc(needs, func(e scopes.Need) bool { return e.Key() == found[0].Key() }) {
			needs = append(needs, found[0])
		}
	}
	return needs, other
}

// oneOf is the need for any one of what the needs name.
func oneOf(needs []scopes.Need) scopes.Need {
	one := needs[0]
	one.AnyOf, one.UsedBy = slices.Clone(one.AnyOf), slices.Clone(one.UsedBy)
	for _, e := range needs[1:] {
		one.AnyOf = scopes.NewSet(append(one.AnyOf, e.AnyOf...)...).Slice()
		one.UsedBy = append(one.UsedBy, e.UsedBy...)
		one.Level = max(one.Level, e.Level)
	}
	return one
}

// scopeDeclared: what the manifest declares for this operation is not in the grant. That
// is proved where the response gives no reason, and likely where it only says that access
// is denied.
func (d *diagnoser) scopeDeclared() bool {
	declared := d.c.Declared()
	lacking := d.c.Unmet(declared)
	sure := ConfidenceLikely
	if !d.misled() && d.resp.Reason() == refusal.ReasonNone && d.c.lackExplains() {
		sure = ConfidenceProved
	}
	if len(declared) == 0 { // an operation that nobody declared, where nothing that is declared would work
		lacking, sure = d.c.Unmet(d.c.onBase()), ConfidenceLikely
		if len(lacking) < len(d.c.onBase()) {
			return false
		}
	}
	if len(lacking) == 0 {
		return false
	}
	if d.rejects() || d.resp.Reason() == refusal.ReasonOwn && !d.misled() || !d.refuses() && !d.resp.Denies() {
		d.notGranted("besides, %s is not in the grant, %s", lacking)
		return false
	}
	d.v.lack(d.c, sure, lacking, nil)
	d.notGranted("%s is not in the grant, %s", lacking)
	return true
}

// renewalFailed: the credential would have to be renewed, and that fails for a reason that has
// nothing to do with the grant (RFC 6749 §5.2 invalid_grant is one that has).
func (d *diagnoser) renewalFailed() bool {
	_, lost := errors.AsType[*credential.SessionLostError](d.c.Renewal)
	if d.c.Renewal == nil || lost || d.c.Response.Status != http.StatusUnauthorized || d.c.knownHere() {
		return false
	}
	own, _ := d.c.Inquiry.At(d.c.Server.Name)
	sure := ConfidenceLikely
	nobodyElse := len(d.c.unasked()) == 0 && len(d.c.Inquiry.Of(credential.StandingNoAnswer)) == 0
	if own.Standing == credential.StandingNotKnown && nobodyElse || !d.c.Grant.LivesAt(d.c.Now) {
		sure = ConfidenceProved
	}
	d.v.is(CauseRenewalFailed, sure, "%s, is not accepted any more, and could not be renewed: %v", d.c.credential(), d.c.Renewal)
	d.v.prove("the login itself was not refused: it is kept, and is renewed again")
	d.asked()
	d.v.advise(d.c.situation(advice.Waiting))
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
	d.v.is(CauseExpired, sure, "%s, ended at %s", d.c.credential(), end.UTC().Format(time.RFC3339))
	d.v.prove("it is %s now", d.c.Now.UTC().Format(time.RFC3339))
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
		d.v.is(CauseRejected, ConfidenceLikely, "the server says \"%s\"", text.Cut(d.v.Said, text.MaxWord))
		if len(d.c.unasked()) > 0 {
			d.v.Possible = []string{"the credential is another server's; nobody else was asked"}
		}
		d.asked()
		d.advise(advice.Ended, "")
		return true
	case d.resp.GivesAnotherReason() && (!unauthorized || d.c.knownHere()):
		d.v.is(CauseNotAScopeProblem, ConfidenceLikely, "the server says \"%s\"", text.Cut(d.v.Said, text.MaxWord))
		d.asked()
		return true
	}
	return false
}

// unknown: the server's own reason, or an honest list of what it may be.
func (d *diagnoser) unknown() {
	d.asked()
	d.v.advise(d.c.situation(advice.Unexplained))
	status := orStatus("", d.c.Response.Status)
	if d.resp.Said != "" && (strings.Contains(d.resp.Said, " ") || d.resp.Reason() == refusal.ReasonOwn) && !d.resp.Means(provider.MeaningSilent) {
		d.v.is(CauseUnknown, ConfidenceUnknown, `the server says "%s" (%s)`, text.Cut(d.v.Said, text.MaxWord), status)
	} else {
		d.v.is(CauseUnknown, ConfidenceUnknown, "%s was answered %s, and nothing tells why", d.v.operation(), status)
	}
	if d.resp.Reason() != refusal.ReasonOwn {
		d.v.Possible = d.c.possible()
	}
}

// possible are the causes that nothing rules out.
func (c *Case) possible() []string {
	var list []string
	if c.Response.Status == http.StatusUnauthorized && !c.knownHere() {
		list = append(list, "the credential was revoked, or has expired before its time")
		if !c.wasAsked() {
			list = append(list, "it is another server's; nobody was asked")
		}
	}
	switch {
	case len(c.Declared()) == 0:
		list = append(list, "the operation needs a scope that the manifest does not declare for it")
	case !c.anyoneSaid():
		list = append(list, namesOf(c.Declared())+" is missing; nobody said what the credential holds")
	case !c.grantIsKnown():
		list = append(list, "a scope was not granted; what was is only assumed")
	default:
		list = append(list, "the grant has shrunk since it was last looked at")
	}
	return append(list, "the server refuses for a reason that has nothing to do with scopes")
}
