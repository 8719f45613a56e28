package diagnosis

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Cause is why a call was refused.
type Cause string

// The causes of a refusal.
const (
	CauseMissingScope        Cause = "missing_scope"
	CauseCredentialConflict  Cause = "credential_conflict"
	CauseWrongCredentialKind Cause = "wrong_credential_kind"
	CauseWrongServer         Cause = "wrong_server"
	CauseExpired             Cause = "expired"
	CauseRejected            Cause = "rejected"
	CauseRenewalFailed       Cause = "renewal_failed" // for another reason than the grant (RFC 6749 §5.2)
	CauseUnreachable         Cause = "unreachable"
	CauseNotRouted           Cause = "not_routed" // no request came with the lease
	CauseNotAScopeProblem    Cause = "not_a_scope_problem"
	CauseUnknown             Cause = "unknown"
)

// A Confidence is how sure a [Verdict] is of its cause.
type Confidence string

// The confidences. Proved is for what was measured.
const (
	ConfidenceProved  Confidence = "proved"
	ConfidenceLikely  Confidence = "likely"
	ConfidenceUnknown Confidence = "unknown"
)

// A Verdict is why a call was refused, or will be. Every text in it fits on one line of a
// terminal. Its slices and maps are never nil.
type Verdict struct {
	Message    string // the cause and what it comes from, in one line: what the person and the agent read first
	Status     int    // the server's; 0 before a call, and where the proxy refused it
	Method     string
	Base       string
	Path       string // below the base's URL, without the query
	Tool       string // that was called on an MCP server; "" for any other request
	Cause      Cause
	Confidence Confidence
	Missing    []string            // names of needs as in the manifest, or scopes that the answer names
	NeededFor  map[string][]string // of each missing one: the operations and tools
	Why        map[string]string   // of each missing one that the manifest declares: its reason
	Level      scopes.Level        // the highest of the missing ones; optional where none is declared
	Said       string              // the server's own sentence; "" where it says nothing
	Evidence   []string
	Possible   []string           // of an unknown cause: what nothing rules out
	Named      []string           // scopes that the response says are missing; of several that are enough, the first
	Conflicts  []profile.Conflict // what the scan found, whether or not it is the cause
	Next       []Step
	Spell      Spell  // of [Repeated]: it goes on when that is told
	Known      bool   // the provider's file has an error that the response fits
	Beside     bool   // it came out when servers were asked about a request, and has a verdict beside it, which decides
	Log        string // path of the log; "" without one
}

// Decides reports whether the verdict ends a run: a required scope is missing, or the
// credential cannot be used.
func (v Verdict) Decides() bool {
	return (v.LacksRequired() || v.unusable()) && !v.ofSuccess() && !v.Beside
}

// Wanted are the scopes that a login has to add for the request to succeed: of several that are
// enough, the one that the response names, else the first. There are none where nobody knows which
// are missing, or where that is not the cause.
func (v Verdict) Wanted() []string {
	var list []string
	if v.Cause != CauseMissingScope || v.Confidence == ConfidenceUnknown || v.ofSuccess() {
		return nil
	}
	for _, name := range v.Missing {
		enough := strings.Split(name, "|")
		scope := enough[0]
		if at := slices.IndexFunc(enough, func(one string) bool { return slices.Contains(v.Named, one) }); at >= 0 {
			scope = enough[at]
		}
		if scopes.CheckScope(scope) == nil && !slices.Contains(list, scope) {
			list = append(list, scope)
		}
	}
	return list
}

// ofSuccess reports whether the response was one of success, with an error in its body that the
// provider's file does not know: it can be somebody's data, and ends nothing.
func (v Verdict) ofSuccess() bool { return v.Status >= 200 && v.Status < 300 && !v.Known }

// LacksRequired reports whether a required scope is missing.
func (v Verdict) LacksRequired() bool {
	return v.Cause == CauseMissingScope && v.Level == scopes.Required && len(v.Missing) > 0
}

// unusable reports whether the cause lies in the credential as such.
func (v Verdict) unusable() bool {
	return slices.Contains([]Cause{CauseWrongCredentialKind, CauseWrongServer, CauseExpired, CauseRejected}, v.Cause)
}

// Failing is the reason for which the child got no response of success, in the words of an error's
// shape.
func (v Verdict) Failing() provider.Failing {
	switch {
	case v.Cause == CauseUnreachable:
		return provider.FailingUnreachable
	case v.Cause == CauseMissingScope, v.Status == http.StatusForbidden:
		return provider.FailingRefused
	}
	return provider.FailingCredential
}

// Brief reports whether the message and the way out say it all.
func (v Verdict) Brief() bool { return len(v.Missing)+len(v.Evidence)+len(v.Possible) == 0 }

// Final reports whether to repeat the request is certainly in vain.
func (v Verdict) Final() bool { return v.Cause != CauseUnknown }

// newVerdict is the verdict on a case before its cause is known.
func newVerdict(c *Case) Verdict {
	v := Verdict{
		Status: c.Response.Status, Method: text.Line(c.Method), Base: c.Base, Path: text.Line(c.Path), Tool: text.Line(c.Tool),
		Cause: CauseUnknown, Confidence: ConfidenceUnknown, Missing: []string{}, NeededFor: map[string][]string{}, Why: map[string]string{},
		Evidence: []string{}, Possible: []string{}, Named: []string{}, Conflicts: append([]profile.Conflict{}, c.Conflicts...), Next: []Step{}, Log: c.Log,
	}
	return v
}

// is sets the cause; what, for people, stands behind it in the first line.
func (v *Verdict) is(cause Cause, sure Confidence, format string, args ...any) {
	v.Cause, v.Confidence = cause, sure
	v.Message = text.Line(strings.ReplaceAll(string(cause), "_", " ") + ": " + fmt.Sprintf(format, args...))
}

// prove adds a piece of evidence.
func (v *Verdict) prove(format string, args ...any) {
	v.Evidence = append(v.Evidence, text.Line(fmt.Sprintf(format, args...)))
}

// advise adds what to do.
func (v *Verdict) advise(s advice.Situation) { v.Next = append(v.Next, advice.Steps(s)...) }

// lack sets the cause to missing scopes: declared needs, and scopes that only the
// answer names.
func (v *Verdict) lack(c *Case, sure Confidence, needs []scopes.Need, named []string) {
	v.Level = scopes.Optional
	for _, e := range needs {
		name := text.Line(e.Name())
		v.Missing = append(v.Missing, name)
		v.Why[name] = text.Line(e.Why)
		v.NeededFor[name] = uses(e)
		v.Level = max(v.Level, e.Level)
	}
	for _, scope := range named {
		v.Missing = append(v.Missing, scope)
		v.NeededFor[scope] = []string{v.operation()}
	}
	v.is(CauseMissingScope, sure, "%s", v.missingInWords())
	if sure == ConfidenceLikely {
		v.Message = "probably " + v.Message
	}
	s := c.situation(advice.Lacking)
	for _, need := range needs {
		s.Lack(need, c.Asked, c.Withheld[need.Name()])
	}
	s.Undeclared = named
	v.advise(s)
}

func uses(e scopes.Need) []string {
	list := []string{}
	for _, u := range e.UsedBy {
		list = append(list, text.Line(u.String()))
	}
	return list
}

// operation names the request as a manifest would.
func (v *Verdict) operation() string {
	return scopes.Operation{Method: v.Method, Base: v.Base, Path: v.Path, Tool: v.Tool}.String()
}

// namesOf lists needs in words.
func namesOf(needs []scopes.Need) string {
	var names []string
	for _, e := range needs {
		names = append(names, e.Name())
	}
	return listed(names)
}

// namedInLine is how many missing scopes the first line names.
const namedInLine = 3

func (v *Verdict) missingInWords() string {
	var list []string
	for _, name := range v.Missing[:min(len(v.Missing), namedInLine)] {
		spoken := scopes.InWords(name)
		switch why := v.Why[name]; {
		case why != "":
			list = append(list, fmt.Sprintf("%s (%s)", spoken, why))
		case v.Method != "":
			list = append(list, fmt.Sprintf("%s (for %s)", spoken, v.operation()))
		default:
			list = append(list, spoken)
		}
	}
	if more := len(v.Missing) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	if len(list) == 0 {
		if strings.Contains(v.Said, " ") {
			return "the server does not say which: \"" + text.Cut(v.Said, text.MaxWord) + "\""
		}
		return "the server does not say which"
	}
	return strings.Join(list, ", ")
}
