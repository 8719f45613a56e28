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
		d.otherCredential, d.renewed, d.noScopeHelps, d.neverServes, d.denied, d.scopeNamed, d.scopeDeclared, d.renewalFailed, d.pastExpiry, d.otherServer,
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
	return &diagnoser{c: c, v: newVerdict(c), resp: refusal.Read(c.Provider, c.Base, refusal.Response(c.Response))}
}

// said adds what the server answered to the evidence: first, for it is read first.
func (d *diagnoser) said() {
	if status := d.c.Response.Status; status != 0 {
		d.v.Said = text.Line(d.resp.Said)
		d.v.prove("the server answered %d %s %q", status, http.StatusText(status), text.Line(d.resp.Said))
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
	d.v.is(CauseNotAScopeProblem, ConfidenceProved, "%q", orStatus(d.resp.Said, d.c.Response.Status))
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
	if d.c.Kind.Serves(d.c.Base) {
		return false
	}
	d.v.is(CauseWrongCredentialKind, ConfidenceProved, "%s, can never serve %s", d.c.credential(), d.c.Base)
	d.v.prove("by its prefix the credential is %s", text.Line(d.c.Kind.Label))
	s := d.c.situation(advice.WrongKind)
	s.Base = d.c.Base
	d.v.advise(s)
	return true
}

// scopeNamed: the answer says which scope is missing.
func (d *diagnoser) scopeNamed() bool {
	named, sure := d.resp.Named, ConfidenceProved
	if len(named) == 0 && !d.resp.Rejects() && d.mentionTells() {
		named, sure = d.uncovered(d.resp.Mentioned), ConfidenceLikely
	}
	if len(named) == 0 {
		return d.unnamed()
	}
	if lacking := d.uncovered(named); len(lacking) > 0 {
		named = lacking
	} else {
		d.v.prove("it was granted when last asked: the grant has shrunk since, or the server wants more than it says")
	}
	needs, other := d.needsFor(named)
	d.v.lack(d.c, sure, needs, other)
	return true
}

// mentionTells reports whether a scope that is only mentioned may be the one that is missing. A
// challenge can name what the resource wants whatever came (RFC 6750 §3): a 401 that does so
// says nothing of a credential of which nobody knows what it holds.
func (d *diagnoser) mentionTells() bool {
	return d.c.anyoneSaid() || d.c.Response.Status != http.StatusUnauthorized
}

// unnamed: the answer says that a scope is missing, and not which. The manifest may know.
func (d *diagnoser) unnamed() bool {
	if !d.resp.LacksScope() {
		return false
	}
	needs, sure := d.c.Unmet(d.c.Declared()), ConfidenceProved
	if len(needs) == 0 {
		needs, sure = d.c.Declared(), ConfidenceLikely
		if len(needs) > 0 && d.c.grantIsKnown() {
			d.v.prove("what is declared for it was granted when last asked: the grant has shrunk since, or the server wants more than the manifest says")
		}
	}
	d.v.lack(d.c, sure, needs, nil)
	return true
}

// uncovered are those of the scopes that the grant does not cover, each once.
func (d *diagnoser) uncovered(names []string) []string {
	return scopes.NewSet(names...).Where(func(scope string) bool {
		_, covered := d.c.Provider.Implies.CoveredBy(d.c.Grant.Scopes, scope)
		return !covered
	}).Slice()
}

// needsFor are the declared needs that the named scopes are for, and the scopes that
// nobody declared.
func (d *diagnoser) needsFor(named []string) (needs []scopes.Need, other []string) {
	for _, scope := range scopes.NewSet(named...).Slice() {
		found := d.c.needsWhere(func(e *scopes.Need) bool { return slices.Equal(e.AnyOf, []string{scope}) })
		if len(found) == 0 {
			other = append(other, scope)
			d.v.prove("the answer names %s, which the manifest does not declare", scope)
			continue
		}
		needs = append(needs, found...)
	}
	return needs, other
}

// scopeDeclared: what the manifest declares for this operation is not in the grant. That
// is proved where the response gives no reason, and likely where it only says that access
// is denied.
func (d *diagnoser) scopeDeclared() bool {
	declared := d.c.Declared()
	lacking := d.c.Unmet(declared)
	sure := ConfidenceLikely
	if d.resp.Reason() == refusal.ReasonNone && d.c.lackExplains() {
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
	if d.resp.Rejects() || d.resp.Reason() == refusal.ReasonOwn {
		for _, e := range lacking {
			d.v.prove("besides, %s is not in the grant, %s", e.Name(), d.c.knownBy())
		}
		return false
	}
	d.v.lack(d.c, sure, lacking, nil)
	for _, e := range lacking {
		d.v.prove("%s is not in the grant, %s", e.Name(), d.c.knownBy())
	}
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
	if own.Standing == credential.StandingNotKnown || !d.c.Grant.LivesAt(d.c.Now) {
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
	if end.IsZero() || d.c.Now.Before(end) {
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

// unknown: the server's own reason, or an honest list of what it may be.
func (d *diagnoser) unknown() {
	d.asked()
	d.v.advise(d.c.situation(advice.Unexplained))
	status := orStatus("", d.c.Response.Status)
	if d.resp.Reason() == refusal.ReasonOwn {
		d.v.is(CauseUnknown, ConfidenceUnknown, "the server says %s (%s)", text.Quote(d.resp.Said), status)
		return
	}
	d.v.is(CauseUnknown, ConfidenceUnknown, "%s was answered %s, and nothing tells why", d.v.operation(), status)
	if d.c.Response.Status == http.StatusUnauthorized && !d.c.knownHere() {
		d.v.prove("possible: the credential was revoked, or has expired before its time")
		if !d.c.wasAsked() {
			d.v.prove("possible: it is another server's; nobody was asked")
		}
	}
	switch {
	case len(d.c.Declared()) == 0:
		d.v.prove("possible: the operation needs a scope that the manifest does not declare for it")
	case !d.c.anyoneSaid():
		d.v.prove("possible: %s is missing; nobody said what the credential holds", namesOf(d.c.Declared()))
	case !d.c.grantIsKnown():
		d.v.prove("possible: a scope was not granted; what was is only assumed")
	default:
		d.v.prove("possible: the grant has shrunk since it was last looked at")
	}
	d.v.prove("possible: the server refuses for a reason that has nothing to do with scopes")
}
