package diagnosis

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
)

// The verdicts on what is not a refusal: a request that got no response, one that never came, and
// one that is repeated in vain.

// Traffic counts the requests of a child.
type Traffic struct {
	Lent   int // that came with the lease
	Others int // that came with another credential alone, and went nowhere
	Bare   int // that came without a credential
	Astray int // that came to an address that is not one of a base
}

// None reports whether no request came at all.
func (t Traffic) None() bool { return t == Traffic{} }

// An Ending is how a child ended.
type Ending struct {
	Code  int           // its exit code
	After time.Duration // since its start
}

// beginning is how long a program may take to read its arguments and its settings, and to end for
// a mistake in them: those that run on Node.js need a second for it.
const beginning = 3 * time.Second

// notStarted reports whether a shell, or what is like one, did not find the program, or could not
// start it (POSIX XCU §2.8.2).
func (e Ending) notStarted() bool { return e.Code == 126 || e.Code == 127 }

// failed reports whether the child ended for an error before it had anything to send.
func (e Ending) failed() bool { return e.Code != 0 && e.After < beginning }

// NotRouted is the verdict on a child that ended without one request with the lease. ok is false
// where one came; and where one came with another credential, which was told then. Where nothing
// came, nothing was seen: the child may have had nothing to send. Of one that failed at once
// nothing else is said, unless something is known to be in the way.
func NotRouted(c Case, t Traffic, end Ending) (v Verdict, ok bool) {
	if t.Lent > 0 || t.Others > 0 {
		return Verdict{}, false
	}
	d := newDiagnosis(c.beforeCalls())
	came := "no request came through ambit"
	bare, astray := text.Count(t.Bare, "request")+" without a credential", text.Count(t.Astray, "request")+" to an address that is not a base's"
	switch {
	case t.Bare > 0 && t.Astray > 0:
		came = "no request reached a base with the lease: " + bare + ", " + astray
	case t.Bare > 0:
		came = "no request reached a base with the lease: " + bare
	case t.Astray > 0:
		came = "no request reached a base: " + astray
	}
	culprits := profile.Overriding(c.Conflicts)
	known := c.Agent != nil && !c.Agent.ForAny()
	if t.None() && (end.notStarted() || end.failed() && known && len(culprits) == 0) {
		d.v.is(CauseNotRouted, ConfidenceUnknown, "%s; %s ended with exit code %d before it sent one", came, c.who(), end.Code)
		d.v.advise(c.situation(advice.Failed))
		return d.v, true
	}
	if len(culprits) > 0 {
		first := culprits[0]
		reason := strings.Join(first.Keys, ", ") + " in " + first.Path + " overrides the lent credential"
		if first.Effect == profile.EffectLacks {
			reason = first.Says() + ", without which none is sent"
		}
		d.v.is(CauseNotRouted, ConfidenceLikely, "%s; %s", came, reason)
		d.blame(profile.EffectRoutes, profile.EffectReplaces, profile.EffectLacks)
		return d.v, true
	}
	s := c.situation(advice.Unused)
	s.Lease = profile.LeaseVariable
	for _, name := range c.basesInUse() {
		s.URLs = append(s.URLs, profile.BaseVariable(name))
	}
	sure := ConfidenceProved // that is what was seen
	if t.None() {
		sure = ConfidenceUnknown
	}
	if known {
		s.Agent = c.Agent.Word()
		came += "; " + c.Agent.Label + " may have sent its requests elsewhere"
		if t.None() {
			sure = ConfidenceLikely
		}
	}
	d.v.is(CauseNotRouted, sure, "%s", came)
	d.v.advise(s)
	return d.v, true
}

// who is the child, for people.
func (c Case) who() string {
	if c.Agent == nil {
		return "the command"
	}
	return c.Agent.Label
}

// basesInUse are the names of the server's bases, those that a declared operation is on first.
func (c Case) basesInUse() (names []string) {
	declared := func(name string) bool {
		return slices.ContainsFunc(c.Needs, func(need scopes.Need) bool {
			return slices.ContainsFunc(need.UsedBy, func(use scopes.Operation) bool { return use.Base == name })
		})
	}
	var others []string
	for _, base := range c.Server.Bases {
		if declared(base.Name) {
			names = append(names, base.Name)
		} else {
			others = append(others, base.Name)
		}
	}
	return append(names, others...)
}

// Unreachable is the verdict on a request that got no response, and why it did not.
func Unreachable(c Case, trouble *guard.Error) Verdict {
	d := newDiagnosis(&c)
	problem := advice.NotReached
	switch {
	case trouble.Reached:
		problem = advice.Broken
	case trouble.UnknownAuthority():
		problem = advice.NotTrusted
	case trouble.Kind == guard.KindTLS:
		problem = advice.BadCertificate
	}
	shown := *trouble
	shown.Err = withoutPorts(trouble.Err)
	d.v.is(CauseUnreachable, ConfidenceProved, "base %s: %s", c.Base, shown.Error())
	d.v.advise(d.c.situation(problem))
	return d.v
}

// withoutPorts drops from an error the addresses of a connection: one's own port is another each
// time, and the server is named beside it.
func withoutPorts(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case !ok || op.Err == nil:
		return err
	case op.Op == "proxyconnect":
		return errors.New("through the proxy that the environment names: " + withoutPorts(op.Err).Error())
	}
	return op.Err
}

// A Spell is for how long, and to how many requests, a base has answered with nothing but trouble
// of its own.
type Spell struct {
	Lasted    time.Duration
	Responses int
}

// Repeated is the verdict on a base that has answered with nothing but trouble of its own for some
// time; wait is what it asks to wait, 0 where it does not say.
func Repeated(c Case, spell Spell, wait time.Duration) Verdict {
	d := newDiagnosis(&c)
	asks := ""
	if wait > 0 {
		asks = ", and asks to wait " + wait.Round(time.Second).String()
	}
	d.v.is(CauseNotAScopeProblem, ConfidenceLikely, "base %s has answered %s for %s, to each of %d requests%s", c.Base, guard.StatusText(c.Response.Status), spell.Lasted.Round(time.Second), spell.Responses, asks)
	d.v.Spell = spell
	return d.v
}

// Silent is the verdict on a base that has not begun to respond to a request for some time.
func Silent(c Case, lasted time.Duration) Verdict {
	d := newDiagnosis(&c)
	d.v.is(CauseNotAScopeProblem, ConfidenceLikely, "base %s has not responded for %s; ambit goes on waiting", c.Base, lasted.Round(time.Second))
	return d.v
}

// NotRenewed is the verdict on a login that is at its end, and could not be renewed; see
// [Case.Renewal].
func NotRenewed(c Case) Verdict {
	d := newDiagnosis(c.beforeCalls())
	if lost, ok := errors.AsType[*credential.SessionLostError](c.Renewal); ok && lost.Err == nil && d.pastExpiry() {
		return d.v
	}
	if d.notRenewable() {
		return d.v
	}
	d.v.is(CauseRenewalFailed, ConfidenceProved, "%s is no longer valid, and could not be renewed: %v", c.subject(), c.Renewal)
	d.v.prove("the login itself was not refused: it is kept, and ambit will try again to renew it")
	d.v.advise(d.c.situation(advice.Waiting))
	return d.v
}

// beforeCalls is the case without what it knows of a request.
func (c Case) beforeCalls() *Case {
	c.Method, c.Base, c.Path, c.Tool, c.Response = "", "", "", "", Response{}
	return &c
}

// GatewayStatus is the status with which the child is told that its request got no response
// (RFC 9110 §15.6.3, §15.6.5).
func GatewayStatus(trouble error) int {
	timeout, ok := errors.AsType[net.Error](trouble)
	if ok && timeout.Timeout() {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}
