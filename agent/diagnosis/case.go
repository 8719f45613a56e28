package diagnosis

import (
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
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
	Sent     Sent
	Response Response

	Provider *provider.Provider
	Server   provider.Server         // where the request went
	Kind     provider.CredentialKind // of the lent credential
	Grant    scopes.Grant
	Needs    []scopes.Need

	Agent     *profile.Profile
	Conflicts []profile.Conflict // what a scan found just now
	Inquiry   credential.Inquiry // what servers said when they were asked about the credential
	Now       time.Time

	Login string // the command that asks for everything anew; "" means "ambit login"
	Log   string // path of the log; "" without one

	Index *scopes.NeedIndex // of Needs; nil: not made yet
}

// Sent is what a request carried.
type Sent struct {
	Ours   bool     // the lent credential
	Others []string // names of the header fields in which another credential stood
}

// Declared are the needs that the manifest has for this very operation.
func (c *Case) Declared() []scopes.Need {
	if c.Index == nil {
		c.Index = scopes.IndexNeeds(c.Needs)
	}
	return c.Index.For(scopes.Operation{Method: c.Method, Base: c.Base, Path: c.Path})
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

// Unmet are those of the needs that the grant does not meet.
func (c *Case) Unmet(needs []scopes.Need) []scopes.Need {
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

// knownBy says in words how the grant is known.
func (c *Case) knownBy() string {
	switch c.Grant.KnownBy {
	case scopes.TokenResponse:
		return "by the token answer"
	case scopes.SelfInspection, scopes.Introspection:
		return "by the server's own word"
	case scopes.JWT:
		return "by the token's own claim"
	default:
		return "as far as assumed: nobody said what was granted"
	}
}

// told reports whether some server said what the credential holds.
func (c *Case) told() bool {
	by := c.Grant.KnownBy
	return by != "" && by != scopes.Assumed
}

// isLogin reports whether another login would get another credential of this kind.
func (c *Case) isLogin() bool {
	return c.Kind.Create == "" && c.Kind.Renewable
}

// again is the command that logs in.
func (c *Case) again() string {
	if c.Login != "" {
		return c.Login
	}
	return "ambit login"
}

// widen is how to get a credential that also holds the missing scopes.
func (c *Case) widen(missing []string) string {
	if c.isLogin() || len(missing) == 0 {
		return c.again() + " (and leave the boxes ticked)"
	}
	return "make a key that also has: " + strings.Join(missing, ", ") + c.at(c.Kind)
}

// NotOffered is the way out where another login does not help: an authorization server
// may leave out of its page what this client may not have, or show no page at all to
// someone who consented before.
func NotOffered(p *provider.Provider, server provider.Server, missing []string) string {
	text := "if no page appears, or it does not offer " + strings.Join(missing[:min(len(missing), namedInLine)], ", ") +
		": end this application's access in your account, and log in again"
	if key := UseKey(p, server); key != "" {
		text += "; or " + key
	}
	return text
}

// UseKey says which kind of key the provider means for programs, and where it is made; ""
// where there is none.
func UseKey(p *provider.Provider, server provider.Server) string {
	kind, ok := p.ForPrograms()
	if !ok {
		return ""
	}
	text := "use " + kind.Label
	if link, ok := server.Expand(kind.Create); ok && link != "" {
		text += ", made at " + link
	}
	return text
}

// renew is how to get another credential that holds the same.
func (c *Case) renew() string {
	if c.isLogin() || c.Kind.Create == "" {
		return c.again()
	}
	return "make a new key" + c.at(c.Kind)
}

// at says where a kind of credential is made.
func (c *Case) at(kind provider.CredentialKind) string {
	if link, ok := c.Server.Expand(kind.Create); ok && link != "" {
		return "; at " + link
	}
	return ""
}
