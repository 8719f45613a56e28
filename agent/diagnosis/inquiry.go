package diagnosis

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// inquired is the cause of a refused credential by what servers said of it when they were
// asked; here is the server that refused it. [CauseUnknown]: nothing follows.
func inquired(here string, q credential.Inquiry) (Cause, Confidence) {
	own, _ := q.At(here)
	denied := own.Standing == credential.StandingNotKnown
	switch {
	case own.Standing == credential.StandingKnown:
		return CauseUnknown, ConfidenceUnknown
	case own.Standing == credential.StandingExpired:
		return CauseExpired, ConfidenceProved
	case len(q.Of(credential.StandingKnown)) > 0 && denied:
		return CauseWrongServer, ConfidenceProved
	case len(q.Of(credential.StandingKnown)) > 0:
		return CauseWrongServer, ConfidenceLikely
	case denied && len(q.Of(credential.StandingNoAnswer)) > 0: // it may be that server's
		return CauseRejected, ConfidenceLikely
	case denied:
		return CauseRejected, ConfidenceProved
	}
	return CauseUnknown, ConfidenceUnknown
}

// Refused is the verdict on a credential that its server did not accept when it was asked
// what it holds, before any call. Of c it reads what is known of the credential, and the
// inquiry.
func Refused(c Case) Verdict {
	d := newDiagnosis(c.beforeCalls())
	d.inquired()
	return d.v
}

// otherServer: the credential is another server's, or nobody's. A 403 is no question of
// that, unless the provider's file knows it as one: who answers it knows who asked (RFC 9110
// §15.5.4).
func (d *diagnoser) otherServer() bool {
	return (d.c.Response.Status == http.StatusUnauthorized || d.resp.Means(provider.MeaningRejected)) && d.inquired()
}

// disowned: the credential's own server said that it does not know it. Then no scope is the cause.
func (d *diagnoser) disowned() bool {
	own, _ := d.c.Inquiry.At(d.c.Server.Name)
	_, lost := errors.AsType[*credential.SessionLostError](d.c.Renewal)
	switch {
	case own.Standing == credential.StandingExpired && d.c.Renewal == nil:
		return d.refuses() && d.inquired()
	case own.Standing != credential.StandingNotKnown && own.Standing != credential.StandingExpired, d.c.Response.Status != http.StatusUnauthorized:
		return false
	}
	if len(d.c.Inquiry.Of(credential.StandingKnown)) == 0 && d.c.Renewal != nil && !lost {
		return d.renewalFailed()
	}
	return len(d.c.Inquiry.Of(credential.StandingKnown)) == 0 && d.pastExpiry() || d.otherServer()
}

func (d *diagnoser) inquired() bool {
	here := d.c.Server.Name
	cause, sure := inquired(here, d.c.Inquiry)
	if cause == CauseRejected && len(d.c.unasked()) > 0 { // it may be that server's
		sure = ConfidenceLikely
	}
	switch {
	case cause == CauseWrongServer:
		there := d.c.Inquiry.Servers(credential.StandingKnown)
		d.v.is(cause, sure, "%s is known to server %s, not to server %s", d.c.subject(), listed(there), here)
		d.asked()
		d.advise(advice.Elsewhere, there[0])
	case cause == CauseExpired:
		d.v.is(cause, sure, "%s has expired, as server %s says", d.c.subject(), here)
		d.asked()
		d.advise(advice.Ended, "")
	case cause == CauseRejected:
		d.notKnown(sure)
	case d.rejects():
		d.v.is(CauseRejected, ConfidenceLikely, "the server does not accept %s: it is revoked, expired%s", d.c.credential(), d.c.orElsewhere())
		d.asked()
		d.advise(advice.Ended, "")
	default:
		return false
	}
	return true
}

// notKnown: the server does not know the credential, and none that answered does.
func (d *diagnoser) notKnown(sure Confidence) {
	denied, silent := d.c.Inquiry.Servers(credential.StandingNotKnown), d.c.Inquiry.Servers(credential.StandingNoAnswer)
	switch who := listed(denied); {
	case len(silent) > 0:
		d.v.is(CauseRejected, sure, "server %s does not know %s; %s did not respond: it is revoked, expired, mistyped, or belongs there",
			who, d.c.credential(), listed(silent))
		d.advise(advice.Unreached, silent[0])
	case len(denied) > 1:
		d.v.is(CauseRejected, sure, "no server knows %s: it is revoked, expired or mistyped", d.c.credential())
		d.advise(advice.Ended, "")
	default:
		d.v.is(CauseRejected, sure, "server %s does not know %s: it is revoked, expired%s", who, d.c.credential(), d.c.orElsewhere())
		d.advise(advice.Ended, "")
	}
	d.asked()
}

func (d *diagnoser) advise(p advice.Problem, server string) {
	s := d.c.situation(p)
	s.Server = server
	d.v.advise(s)
}

// asked adds what each server said of the credential to the evidence.
func (d *diagnoser) asked() {
	for _, o := range d.c.Inquiry.Of(credential.StandingKnown) {
		d.v.prove("server %s was asked, and knows the credential", o.Server)
	}
	for _, o := range d.c.Inquiry.Of(credential.StandingExpired) {
		d.v.prove("server %s was asked, and says that the credential has expired", o.Server)
	}
	if denied := d.c.Inquiry.Servers(credential.StandingNotKnown); len(denied) > 0 {
		if len(denied) == 1 {
			d.v.prove("server %s was asked, and does not know the credential", listed(denied))
		} else {
			d.v.prove("servers %s were asked, and do not know the credential", listed(denied))
		}
	}
	for _, o := range d.c.Inquiry.Of(credential.StandingNoAnswer) {
		d.v.prove("server %s was asked, and did not respond: %s", o.Server, o.Err)
	}
	denied, known := d.c.Inquiry.Of(credential.StandingNotKnown), d.c.Inquiry.Of(credential.StandingKnown)
	if unasked := d.c.unasked(); len(unasked) > 0 && len(denied) > 0 && len(known) == 0 {
		d.v.prove("not asked, because the provider file does not allow it: %s", listed(unasked))
	}
}

// unasked are the servers that could know the credential, and were not asked: those with the
// base that refused it. A development server on this machine is none of them.
func (c *Case) unasked() []string {
	var names []string
	for _, s := range c.Provider.Servers {
		o, _ := c.Inquiry.At(s.Name)
		base, serves := s.Base(c.Base)
		if c.Base == "" {
			base, serves = s.Issuer, len(s.Bases) > 0
		}
		if s.Name == c.Server.Name || o.Standing != "" && o.Standing != credential.StandingNotAsked || !serves || guard.IsLoopback(provider.HostOf(base)) {
			continue
		}
		names = append(names, s.Name)
	}
	return names
}

// orElsewhere is the end of what may be wrong with a credential that is not accepted.
func (c *Case) orElsewhere() string {
	if len(c.unasked()) > 0 {
		return ", mistyped, or another server's"
	}
	return " or mistyped"
}

// wasAsked reports whether any server could be asked.
func (c *Case) wasAsked() bool {
	return len(c.Inquiry.Of(credential.StandingNotAsked)) < len(c.Inquiry)
}

// knownHere reports whether the credential's own server knows it.
func (c *Case) knownHere() bool {
	own, _ := c.Inquiry.At(c.Server.Name)
	return own.Standing == credential.StandingKnown
}

func listed(names []string) string { return strings.Join(text.Lines(names), ", ") }
