package diagnosis

import (
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

// A Case is everything that a diagnosis looks at.
type Case struct {
	Method   string
	Base     string // name of one of the provider's bases
	Path     string // below the base's URL, without the query
	Tool     string // that the request calls on an MCP server; "" for any other request
	Sent     Sent
	Response Response

	Provider *provider.Provider
	Server   provider.Server         // where the request went
	Kind     provider.CredentialKind // of the lent credential
	Login    bool                    // it came of a login; otherwise someone made it, and handed it over
	Grant    scopes.Grant
	Asked    scopes.Set // what the login asked for
	Needs    []scopes.Need
	Withheld map[string]string // needs for which no login would ask, by their names: why
	// Advertised are the scopes that the server lists: words that a response may name.
	Advertised scopes.Set

	Agent     *profile.Profile
	Conflicts []profile.Conflict // what a scan found just now
	Inquiry   credential.Inquiry // what servers said when they were asked about the credential
	Renewed   bool               // the credential was renewed since, and the request cannot be sent once more
	Renewal   error              // why the credential could not be renewed; nil where it could, or nobody tried
	Now       time.Time

	Run        Invocation // what leads a command of ambit to the same manifest
	Unattended bool       // nobody is there who could log in
	Log        string     // path of the log; "" without one

	Index *scopes.NeedIndex // of Needs; nil: not made yet
}

// A Step is one way out, for people.
type Step = advice.Step

// An Invocation is what leads a command of ambit to the same manifest, server and programs.
type Invocation = advice.Invocation

// A Response is what a server sent to a request that it refused.
type Response struct {
	Status int
	Header http.Header // WWW-Authenticate, Content-Type, Content-Encoding, and fields whose name speaks of scopes, are read
	Body   []byte      // as it came, packed or not; 64 KiB of it will do
	Veil   text.Veil   // over what the request carried, as [Case.With] sets it
}

// Sent is what a request carried.
type Sent struct {
	Ours   bool     // the lent credential, or the lease that stands for it
	Others []string // names of what held another credential, or may have

	// Misplaced are the places where the lease stood and is not swapped, as people name them;
	// Swapped are those where it is.
	Misplaced, Swapped []string
}

// Declared are the needs that the manifest has for this very operation, and for the tool that it
// calls.
func (c *Case) Declared() []scopes.Need {
	declared := c.declaredFor(scopes.Operation{Method: c.Method, Base: c.Base, Path: c.Path})
	if c.Tool == "" {
		return declared
	}
	for _, need := range c.declaredFor(scopes.Operation{Tool: c.Tool}) {
		if !slices.ContainsFunc(declared, func(e scopes.Need) bool { return e.Key() == need.Key() }) {
			declared = append(declared, need)
		}
	}
	return declared
}

func (c *Case) declaredFor(op scopes.Operation) []scopes.Need {
	if c.Index == nil {
		c.Index = scopes.IndexNeeds(c.Needs)
	}
	return c.Index.For(op)
}

// vocabulary are the words that are scopes: what is declared, held or advertised, and what the
// provider's rules speak of.
func (c *Case) vocabulary() refusal.Vocabulary {
	var known []string
	for i := range c.Needs {
		known = append(known, c.Needs[i].AnyOf...)
	}
	v := refusal.Vocabulary{Scopes: scopes.NewSet(known...).Union(c.Grant.Scopes).Union(c.Advertised)}
	if c.Provider != nil {
		v.Implies = c.Provider.Implies
	}
	return v
}

// read is what the response says. To whoever sent a credential without scopes, a list of those that
// others need for the operation says nothing: it stands in every response, whatever is wrong.
func (c *Case) read() refusal.Reading {
	p := c.Provider
	if p != nil && c.Kind.Permissions {
		own := p.Voice()
		own.Refusals = slices.DeleteFunc(slices.Clone(own.Refusals), func(f provider.Refusal) bool { return f.Needs.Given() && !f.Says() })
		p = p.WithVoice(own)
	}
	r := refusal.Read(p, c.Base, c.vocabulary(), refusal.Response(c.Response))
	if c.Kind.Permissions && !r.SaysLacking() && !r.Means(provider.MeaningMissingScope) {
		r.Needs, r.Mentioned = nil, nil
	}
	return r
}

// onBase are the needs that the manifest has for operations of this base.
func (c *Case) onBase() []scopes.Need {
	return c.needsWhere(func(e *scopes.Need) bool {
		return slices.ContainsFunc(e.UsedBy, func(u scopes.Operation) bool { return u.Base == c.Base })
	})
}

func (c *Case) needsWhere(keep func(*scopes.Need) bool) []scopes.Need {
	var list []scopes.Need
	for i := range c.Needs {
		if keep(&c.Needs[i]) {
			list = append(list, c.Needs[i])
		}
	}
	return list
}

// Unmet are those of the needs that the grant is known, or at least assumed, not to meet: none
// where nobody said what it holds.
func (c *Case) Unmet(needs []scopes.Need) []scopes.Need {
	if !c.anyoneSaid() {
		return nil
	}
	return scopes.Compare(needs, c.Grant, c.Provider.Implies).Lost
}

// credential is how people call the lent credential.
func (c *Case) credential() string {
	label := c.Kind.Label
	if label == "" {
		label = "a credential"
	}
	if prefix := c.Grant.Prefix; prefix != "" {
		return text.Line(prefix) + ", " + label
	}
	return label
}

// subject is the credential as a sentence begins with it: what explains it stands between commas.
func (c *Case) subject() string {
	name := c.credential()
	if strings.Contains(name, ", ") {
		return name + ","
	}
	return name
}

// knownBy says in words how the grant is known.
func (c *Case) knownBy() string {
	switch c.Grant.KnownBy {
	case scopes.TokenResponse:
		return "according to the token response"
	case scopes.JWT:
		return "according to the token's own claim"
	default:
		return "according to the server"
	}
}

// holding says that a scope is in the grant; where that is assumed, that it was requested.
func (c *Case) holding(scope string) string {
	if !c.grantIsKnown() {
		return scope + " was requested, and no server said what was granted"
	}
	return "the grant includes " + scope + ", " + c.knownBy()
}

// heldBefore says that a scope was in the grant some time ago.
func (c *Case) heldBefore(scope string) string {
	if !c.grantIsKnown() {
		return c.holding(scope)
	}
	return "the grant included " + scope + ", " + c.knownBy() + "; it may have shrunk since"
}

// without says that a scope is not in the grant; where that is assumed, that it was not requested.
func (c *Case) without(scope string) string {
	if !c.grantIsKnown() {
		return scope + " was not requested, and no server said what was granted"
	}
	return "the grant does not include " + scope + ", " + c.knownBy()
}

// grantIsKnown reports whether some server said what the credential holds.
func (c *Case) grantIsKnown() bool {
	by := c.Grant.KnownBy
	return c.anyoneSaid() && by != scopes.Assumed
}

// anyoneSaid reports whether there is any word of what the credential holds, be it only that
// it was asked for.
func (c *Case) anyoneSaid() bool { return c.Grant.KnownBy != "" && !c.Grant.KnownBy.Unlisted() }

// saidHere reports whether the credential's own server said upon the refusal what it holds, and not
// only that it accepts it.
func (c *Case) saidHere() bool {
	return c.knownHere() && slices.Contains([]scopes.KnownBy{scopes.SelfInspection, scopes.Introspection}, c.Grant.KnownBy)
}

// surelyLacks reports whether a scope that is not in the grant is not held either: its server
// said so when it was asked upon the refusal, or the grant is a token's, which gains none (RFC 6749 §6).
func (c *Case) surelyLacks() bool {
	return c.grantIsKnown() && (c.saidHere() || c.Login || c.Grant.KnownBy == scopes.JWT)
}

// lackExplains reports whether a scope that is not in the grant is what a response that gives no
// reason is about. Whoever answers 403 knows who asked (RFC 9110 §15.5.4); at a 401 that has to be
// known from elsewhere. Where the service is known to say the same whatever is wrong, a 403 may be for the
// person's role as well, which nobody has measured; a 401 is about the credential alone, which is.
func (d *diagnoser) lackExplains() bool {
	c := d.c
	switch c.Response.Status {
	case http.StatusForbidden:
		return c.surelyLacks() && !d.resp.Means(provider.MeaningSilent)
	case http.StatusUnauthorized:
		return c.knownHere() && c.surelyLacks()
	}
	return false
}

// situation is what advice on the credential is made from.
func (c *Case) situation(p advice.Problem) advice.Situation {
	return advice.Situation{
		Problem: p, IsLogin: c.Login, Source: c.Grant.Source, Unattended: c.Unattended,
		Provider: c.Provider, At: c.Server, Kind: c.Kind, Run: c.Run, Wanted: advice.Wanted(c.Needs),
	}
}
