package ambit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/metadata"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Plan is what will be requested of an authorization server, what not, and why.
type Plan struct {
	scopes.Plan
	Session *Session // that made it
	Server  *metadata.AuthorizationServer

	negotiation scopes.Negotiation
	near        func() map[string][]string // see [Plan.Near]
}

// Advertised is what the server says of the scopes that it knows.
func (p *Plan) Advertised() scopes.Advertisement { return p.negotiation.Server }

// Undescribed reports whether the server publishes no metadata: all that is known of it is the
// provider file's.
func (p *Plan) Undescribed() bool { return p.Server.Source.From == metadata.FromFile }

// Plan reads what the authorization server says of itself, and the resources that the manifest
// names, and decides what to request. Nobody logs in. The error is a *[metadata.Error]; the list
// of a resource only limits, so one that cannot be had is said, and no error.
func (s *Session) Plan(ctx context.Context) (*Plan, error) {
	documents, err := s.documents()
	if err != nil {
		return nil, err
	}
	var as *metadata.AuthorizationServer
	var resources []scopes.Resource
	err = s.opt.UI.during("asking "+text.Line(provider.HostOf(s.server.Issuer)), func() error {
		if as, err = s.metadataOf(ctx, s.server); err != nil {
			return err
		}
		resources = s.resources(ctx, documents)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	s.opt.UI.notes(as.Source.Warnings)
	for _, remark := range as.Source.Remarks {
		s.opt.UI.detail(text.Line(remark))
	}
	return newPlan(s, as, resources), nil
}

func newPlan(s *Session, as *metadata.AuthorizationServer, resources []scopes.Resource) *Plan {
	n := scopes.Negotiation{Needs: s.needs, Implies: s.Provider().Implies, Server: s.Provider().Scopes.Advertised(as.ScopesSupported), Resources: resources}
	p := &Plan{Session: s, Server: as, negotiation: n}
	p.negotiate()
	return p
}

// negotiate decides by the plan's negotiation.
func (p *Plan) negotiate() {
	p.Plan = scopes.Negotiate(p.negotiation)
	n, decided := p.negotiation, p.Plan
	p.near = sync.OnceValue(func() map[string][]string { return n.Near(decided) })
}

// resources reads the RFC 9728 document of each base that the manifest names.
func (s *Session) resources(ctx context.Context, documents *metadata.Client) []scopes.Resource {
	list := []scopes.Resource{}
	for _, base := range s.manifest.Resources {
		u, ok := s.KeyServer().Base(base)
		if !ok {
			s.opt.UI.note(fmt.Sprintf("server %s has no base %s: its list of scopes is not read", s.server.Name, base))
			continue
		}
		doc, err := documents.ProtectedResource(ctx, u)
		if err != nil {
			s.opt.UI.note(fmt.Sprintf("the resource %s did not say which scopes it takes: %s", base, text.Line(err.Error())))
			list = append(list, scopes.Resource{Base: base, URL: u, ID: u, Advertises: scopes.Advertisement{State: scopes.Absent}})
			continue
		}
		s.opt.UI.notes(doc.Source.Warnings)
		if others := doc.AuthorizationServers; len(others) > 0 && !slices.ContainsFunc(others, func(other string) bool { return sameIssuer(other, s.server.Issuer) }) {
			s.opt.UI.note(fmt.Sprintf("the resource %s takes tokens from %s, but %s is asked", base, text.Line(strings.Join(others, ", ")), text.Line(s.server.Issuer)))
		}
		list = append(list, scopes.Resource{Base: base, URL: u, ID: doc.Resource, Advertises: s.Provider().Scopes.OfResource(base, doc.ScopesSupported)})
	}
	return list
}

// lastResources are those of the manifest of which something was kept.
func (s *Session) lastResources(documents *metadata.Client) []scopes.Resource {
	var list []scopes.Resource
	for _, base := range s.manifest.Resources {
		u, _ := s.KeyServer().Base(base)
		if doc := documents.CachedProtectedResource(u); doc != nil {
			list = append(list, scopes.Resource{Base: base, URL: u, ID: doc.Resource, Advertises: s.Provider().Scopes.OfResource(base, doc.ScopesSupported)})
		}
	}
	return list
}

// indicators say whom the token is for (RFC 8707 §2): the resources that the manifest names, else
// those of the provider's file.
func (p *Plan) indicators() []string {
	var list []string
	for _, r := range p.Resources {
		list = append(list, r.ID)
	}
	if len(p.Session.manifest.Resources) > 0 {
		return list
	}
	for _, template := range p.Session.Provider().Client.Resources {
		if u, ok := p.Session.KeyServer().Expand(template); ok {
			list = append(list, u)
		}
	}
	return list
}

// sameIssuer compares two but for one final slash.
func sameIssuer(one, other string) bool {
	return strings.TrimSuffix(one, "/") == strings.TrimSuffix(other, "/")
}

// Check returns a *[MissingError] where something required cannot be requested, and an
// *[oauth.ProtocolError] where the server cannot be used; nil where a login makes sense.
func (p *Plan) Check() error { return p.check(false) }

// check is Check for a login in the browser, or one on another device.
func (p *Plan) check(device bool) error {
	if withheld := p.withheld(scopes.Required); len(withheld) > 0 {
		return &MissingError{Needs: withheld, Plan: p, Level: scopes.Required}
	}
	if p.Session.Provider().Client.Own || p.Session.Server().NoLogin {
		return nil // nobody goes to a page
	}
	if device {
		return nil // it has no code that could be intercepted: PKCE is for the browser's
	}
	who, server := p.Session.Provider().Client, p.Session.Server().Name
	protected := who.ProtectsCode(server) || who.NoPKCE && who.IDFor(server) == "" // a client with a secret is still to be named
	return oauth.CheckServer(p.Server, who.Push, protected)
}

// checkRequest returns a *[NoLoginError] where nobody can log in, and a *[MissingError] also for a login that would request nothing of what
// the manifest declares: an empty request stands for what the server thinks best (RFC 6749
// §3.3).
func (p *Plan) checkRequest(device bool) error {
	if server := p.Session.Server(); server.NoLogin {
		return &NoLoginError{Server: server}
	}
	if err := p.check(device); err != nil {
		return err
	}
	if withheld := p.withheld(scopes.Optional); p.Request.Len() == 0 && len(withheld) > 0 {
		return &MissingError{Needs: withheld, Plan: p, Level: highest(withheld)}
	}
	return nil
}

func highest(needs []scopes.Need) scopes.Level {
	level := scopes.Optional
	for i := range needs {
		level = max(level, needs[i].Level)
	}
	return level
}

// withheld are the needs at level or above that are not requested.
func (p *Plan) withheld(level scopes.Level) []scopes.Need {
	var needs []scopes.Need
	for i := range p.Scopes {
		if item := &p.Scopes[i]; item.Decision == scopes.DecisionWithhold && item.Need.Level >= level {
			needs = append(needs, *item.Need)
		}
	}
	return needs
}

// Item is what was decided on a need; nil where the plan does not know it.
func (p *Plan) Item(need scopes.Need) *scopes.Item {
	for i := range p.Scopes {
		if n := p.Scopes[i].Need; n.File == need.File && n.Line == need.Line && n.Name() == need.Name() {
			return &p.Scopes[i]
		}
	}
	return nil
}

// without is the plan without what the server refused.
func (p *Plan) without(refused scopes.Set) *Plan {
	again := *p
	again.negotiation.Refused = p.negotiation.Refused.Union(refused)
	again.negotiate()
	return &again
}

// narrow decides on another request after invalid_scope (RFC 6749 §4.1.2.1): without what the
// response names, unless a required need would have nothing left to be requested. Where it names
// nothing, what is not required may be the cause, and goes. told says what goes.
func (p *Plan) narrow(e *oauth.AuthorizationError) (fewer *Plan, told string, ok bool) {
	named := e.NamedScopes(p.Request)
	if named.Len() == 0 {
		fewer, ok = p.requiredOnly()
		return fewer, "the server refuses a scope and does not name it; asking once more for the required ones alone", ok
	}
	again := p.without(named)
	for len(again.Blocked) > 0 && named.Len() > 0 {
		kept := named.Minus(p.alternatives(again.Blocked))
		if kept.Len() == named.Len() {
			return nil, "", false
		}
		named, again = kept, p.without(kept)
	}
	told = fmt.Sprintf("the server refuses %s; asking once more without", strings.Join(named.Slice(), ", "))
	return again, told, named.Len() > 0 && again.Request.Len() > 0
}

// requiredOnly is the plan with nothing but what required needs ask for; ok is false where it asks
// for nothing else already, or would ask for nothing.
func (p *Plan) requiredOnly() (fewer *Plan, ok bool) {
	again := *p
	for {
		required, others := again.requested()
		if others = others.Minus(required); others.Len() == 0 {
			return &again, again.Request.Len() > 0 && again.negotiation.Dropped.Len() > p.negotiation.Dropped.Len()
		}
		again.negotiation.Dropped = again.negotiation.Dropped.Union(others)
		again.negotiate()
	}
}

// requested are the scopes that are asked for, by what needs them.
func (p *Plan) requested() (required, others scopes.Set) {
	var words [2][]string
	for i := range p.Scopes {
		switch item := &p.Scopes[i]; {
		case item.Asked == "":
		case item.Need.Level == scopes.Required:
			words[0] = append(words[0], item.Asked)
		default:
			words[1] = append(words[1], item.Asked)
		}
	}
	return scopes.NewSet(words[0]...), scopes.NewSet(words[1]...)
}

// alternatives are the scopes of the needs of these names.
func (p *Plan) alternatives(names []string) scopes.Set {
	var words []string
	for i := range p.Scopes {
		if slices.Contains(names, p.Scopes[i].Need.Name()) {
			words = append(words, p.Scopes[i].Need.AnyOf...)
		}
	}
	return scopes.NewSet(words...)
}

// refusedNeeds are the needs whose scopes a refusal of the request names.
func (p *Plan) refusedNeeds(e *oauth.AuthorizationError) []scopes.Need {
	named := e.NamedScopes(p.Request)
	var needs []scopes.Need
	for i := range p.Scopes {
		if named.Has(p.Scopes[i].Asked) {
			needs = append(needs, *p.Scopes[i].Need)
		}
	}
	return needs
}

// whole is the negotiation of the manifest with all its programs, whichever were chosen: the
// lock file speaks for the file.
func (p *Plan) whole() scopes.Plan {
	m := p.Session.manifest
	n := p.negotiation
	n.Needs, _ = m.Select(m.ProgramNames()...) // its own names are known
	return scopes.Negotiate(n)
}

// RecordIn is a lock with what the server advertises and what was negotiated with it.
func (p *Plan) RecordIn(lock *manifest.Lock) *manifest.Lock {
	return lock.With(p.Session.server.Issuer, p.negotiation.Server, manifest.Digest(p.whole()))
}

// A Drift is how a server and the manifest differ from the lock file.
type Drift struct {
	Scopes     []manifest.Drift
	Advertised scopes.Set // now
	Changed    bool       // the negotiation comes out differently: the manifest changed, or the server
	Unrecorded string     // the issuer, where the lock file does not have it: nothing can be compared
}

// Any reports whether anything differs.
func (d *Drift) Any() bool { return len(d.Scopes) > 0 || d.Changed || d.Unrecorded != "" }

// Breaks reports whether more differs than that the server offers new scopes, which changes nothing
// for the manifest.
func (d *Drift) Breaks() bool {
	gone := func(one manifest.Drift) bool { return one.Kind != manifest.DriftNew }
	return d.Changed || d.Unrecorded != "" || slices.ContainsFunc(d.Scopes, gone)
}

// Drift compares the plan with the lock file.
func (p *Plan) Drift(lock *manifest.Lock) Drift {
	issuer := p.Session.server.Issuer
	recorded, ok := lock.Negotiated(issuer)
	if !ok {
		return Drift{Unrecorded: issuer}
	}
	return Drift{
		Scopes: lock.Drift(issuer, p.negotiation.Server), Advertised: p.negotiation.Server.Scopes,
		Changed: recorded != manifest.Digest(p.whole()),
	}
}
