package view

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Plan shows a plan: ambit.plan/v1 of the contract.
type Plan struct {
	Plan   *ambit.Plan
	Drift  ambit.Drift
	Locked string // what became of the lock file; "" where it was not to be written
	Alone  bool   // no login follows: that none is possible without a client is said here
	Detail bool   // who a login would be is said too, and from where each fact comes
	Quiet  bool   // one line: it was compared with the lock file, and nothing is wrong

	Matches []Match // files of platforms that were compared with the manifest
}

type planJSON struct {
	Envelope
	Manifest  manifestJSON   `json:"manifest"`
	Server    serverJSON     `json:"server"`
	Resources []resourceJSON `json:"resources"`
	Scopes    []itemJSON     `json:"scopes"`
	Request   scopes.Set     `json:"request"`
	Withheld  []string       `json:"withheld"`
	Blocked   []string       `json:"blocked"`
	Drift     []driftJSON    `json:"drift"`
	Client    clientJSON     `json:"client"`
	Matches   []matchJSON    `json:"matches"`
}

// A clientJSON is who a login would be.
type clientJSON struct {
	ID           string   `json:"id"`            // "" where it has none yet
	Grant        string   `json:"grant"`         // authorization_code: a person agrees; client_credentials: it gets a token for itself
	Registration string   `json:"registration"`  // none: no login is possible; itself: it registers itself; named
	RedirectURIs []string `json:"redirect_uris"` // of which the server has to know one; one without a port is for any
}

func clientOf(c ambit.LoginClient, own bool) clientJSON {
	out := clientJSON{ID: c.ID, Grant: "authorization_code", Registration: "named", RedirectURIs: c.Redirect.URIs()}
	switch {
	case own:
		out.Grant, out.RedirectURIs = "client_credentials", []string{}
	case c.Err != nil:
		out.Registration = "none"
	case c.ID == "":
		out.Registration = "itself"
	}
	return out
}

type manifestJSON struct {
	Path     string   `json:"path"`
	Name     string   `json:"name"`
	Programs []string `json:"programs"`
}

type serverJSON struct {
	Name            string                    `json:"name"`
	Issuer          string                    `json:"issuer"`
	MetadataURL     string                    `json:"metadata_url"`
	From            string                    `json:"from"`         // network, cache, or file: that of the provider alone
	Given           []string                  `json:"given"`        // members that the provider's file gives in place of the server's own
	ConsentHost     string                    `json:"consent_host"` // of the page on which the person consents
	ScopesSupported scopes.AdvertisementState `json:"scopes_supported"`
	DeviceLogin     bool                      `json:"device_login"` // a login with a code for another device is offered (RFC 8628)
}

type resourceJSON struct {
	Base            string                    `json:"base"`
	URL             string                    `json:"url"`
	ScopesSupported scopes.AdvertisementState `json:"scopes_supported"`
}

func resourcesOf(p *ambit.Plan) []resourceJSON {
	list := []resourceJSON{}
	for _, r := range p.Resources {
		list = append(list, resourceJSON{r.Base, r.URL, r.Advertises.State})
	}
	return list
}

type driftJSON struct {
	Kind  string `json:"kind"` // vanished or new
	Scope string `json:"scope"`
}

func driftsOf(d ambit.Drift) []driftJSON {
	list := make([]driftJSON, len(d.Scopes))
	for i, one := range d.Scopes {
		list[i] = driftJSON{one.Kind, one.Scope}
	}
	return list
}

type itemJSON struct {
	needJSON
	Advertised scopes.Advertised `json:"advertised"`
	Decision   scopes.Decision   `json:"decision"`
	Reason     string            `json:"reason"`
	Near       []string          `json:"near"`   // scopes that were likely meant, where nobody knows this one
	Allows     []string          `json:"allows"` // what its scopes allow, in the words of the provider's file
}

// A needJSON is a declared need in every JSON of ours: scope, or any_of in its place.
type needJSON struct {
	Scope  string             `json:"scope,omitempty"`
	AnyOf  []string           `json:"any_of,omitempty"`
	Level  scopes.Level       `json:"level"`
	Why    string             `json:"why"`
	UsedBy []scopes.Operation `json:"used_by"`
}

func needOf(e scopes.Need) needJSON {
	n := needJSON{Level: e.Level, Why: e.Why, UsedBy: append([]scopes.Operation{}, e.UsedBy...)}
	if len(e.AnyOf) == 1 {
		n.Scope = e.AnyOf[0]
	} else {
		n.AnyOf = e.AnyOf
	}
	return n
}

func needsOf(entries []scopes.Need) []needJSON {
	list := make([]needJSON, len(entries))
	for i, e := range entries {
		list[i] = needOf(e)
	}
	return list
}

// JSON implements [View].
func (v *Plan) JSON(e Envelope) any {
	p, m := v.Plan, v.Plan.Session.Manifest()
	server := p.Session.Server()
	out := planJSON{
		Envelope: e, Manifest: manifestJSON{m.File, m.Name, append([]string{}, p.Session.Programs()...)},
		Server:    serverJSON{server.Name, server.Issuer, p.Server.Source.URL, p.Server.Source.From, append([]string{}, p.Server.Source.Given...), p.ConsentHost(), p.Advertised().State, p.OffersDevice()},
		Resources: resourcesOf(p), Scopes: []itemJSON{}, Request: p.Request, Withheld: p.Withheld, Blocked: p.Blocked, Drift: driftsOf(v.Drift),
		Client: clientOf(p.LoginClient(), p.Session.Provider().Client.Own), Matches: matchesOf(v.Matches),
	}
	for i := range p.Scopes {
		item := &p.Scopes[i]
		out.Scopes = append(out.Scopes, itemJSON{
			needOf(*item.Need), item.Advertised, item.Decision, p.ReasonOf(item),
			append([]string{}, p.Near(item)...), append([]string{}, p.About(item.Need)...),
		})
	}
	return out
}

// Text implements [View].
func (v *Plan) Text(p *Printer) {
	if v.Quiet {
		p.line("%s", p.Paint.green("ok")+": scopes.lock is up to date; "+v.summary())
		v.drift(p)
		writeMatches(p, v.Matches)
		return
	}
	s := v.Plan.Session.Server()
	p.line("%s at %s %s", p.Paint.Bold(text.Printable(v.Plan.Session.Manifest().Name)), s.Name, p.Paint.Dim("("+v.source()+")"))
	p.needs(v.lines())
	p.wrapped("  ", v.summary())
	if len(v.Plan.Scopes) == 0 && !v.Plan.Session.Provider().Scopes.NoRequest {
		p.wrapped("  ", "no scope is declared yet: remove \"# \" before those that the program needs in "+text.Printable(v.Plan.Session.Manifest().File)+", or add them")
	}
	if v.Plan.Session.Provider().LoginsHoldPermissions() {
		p.wrapped("  ", "what a login obtains here "+carriesPermissions)
	}
	v.client(p)
	v.drift(p)
	if v.Locked != "" {
		p.line("%s", v.Locked)
	}
	writeMatches(p, v.Matches)
}

func (v *Plan) drift(p *Printer) {
	if v.Drift.Any() {
		p.wrapped("  ", p.Paint.Yellow("since scopes.lock: ")+DriftWords(v.Drift))
	}
}

// Remarks are what a person should know of the plan before a login: each decision that is not plain
// asking, and nothing where there is none.
func (v *Plan) Remarks(p *Printer) {
	for i, line := range v.lines() {
		if item := &v.Plan.Scopes[i]; line.Mark == markMissing || line.Mark == markHeld && (item.Unlisted != "" || len(v.Plan.Near(item)) > 0) {
			p.wrapped("  ", p.Paint.Yellow("note: ")+text.Printable(line.Name)+": "+line.Text)
		}
	}
}

// lines are the needs, each with what was decided on it, and why where that is not plain.
func (v *Plan) lines() []needLine {
	lines := make([]needLine, len(v.Plan.Scopes))
	for i := range v.Plan.Scopes {
		item := &v.Plan.Scopes[i]
		line := needLine{Mark: markHeld, Level: item.Need.Level, Name: item.Need.Name(), Text: v.why(item.Need)}
		reason := text.Printable(v.Plan.ReasonOf(item))
		switch near := v.Plan.Near(item); {
		case item.Decision == scopes.DecisionImplied:
			line.Mark, line.Text = markImplied, reason
		case item.Decision == scopes.DecisionWithhold:
			line.Mark, line.Text = markMissing, "withheld: "+reason
		case len(near) > 0:
			line.Text += " (the provider file does not list it; " + text.DidYouMean(near) + ")"
		case item.Unlisted != "":
			line.Text += " (" + text.Printable(item.Unlisted) + " does not list it; the server does)"
		case v.Detail && item.Asked != "" && item.Advertised == scopes.AdvertisedNo:
			line.Text += "; " + reason
		}
		lines[i] = line
	}
	return lines
}

// why is the reason of a need and, where more is wanted, what its scopes allow.
func (v *Plan) why(need *scopes.Need) string {
	sentence := Why(*need)
	if allows := v.Plan.About(need); v.Detail && len(allows) > 0 {
		sentence += " (allows: " + text.Printable(strings.Join(allows, "; ")) + ")"
	}
	return sentence
}

// source is the server, and from where that comes which is known of it where that is not the server now.
func (v *Plan) source() string {
	source, issuer := v.Plan.Server.Source, text.Printable(v.Plan.Session.Server().Issuer)
	switch {
	case v.Plan.Undescribed():
		return issuer + ", endpoints from the provider file"
	case source.Stale:
		issuer += ", by an old copy of its metadata"
	case v.Detail:
		issuer += ", metadata from the " + source.From
	}
	if n := len(source.Given); n > 0 && v.Detail {
		issuer += ", with " + strings.Join(source.Given, ", ") + " of the provider file"
	}
	return issuer
}

// client says who a login would be, and what the server has to know of it.
func (v *Plan) client(p *Printer) {
	c := v.Plan.LoginClient()
	redirect, service := c.Redirect.String(), v.Plan.Session.Provider()
	switch {
	case v.Plan.Session.Server().NoLogin:
	case c.Err != nil && v.Alone:
		p.wrapped("  ", "for a login, "+advice.RegisterClient(service, c.Redirect))
	case !v.Detail || c.Err != nil:
	case service.Client.Own:
		p.wrapped("  ", fmt.Sprintf("the client %s gets its token from %s", text.Quote(c.ID), text.Printable(v.Plan.Server.TokenEndpoint)))
	case c.ID == "":
		p.wrapped("  ", "a login registers a client of its own, with the redirect URI "+redirect)
	default:
		p.wrapped("  ", fmt.Sprintf("a login is made by the client %s, with the redirect URI %s", text.Quote(c.ID), redirect))
	}
	if v.Detail && v.Plan.OffersDevice() {
		p.wrapped("  ", "the server offers a login with a code for another device: ambit login --device")
	}
}

func (v *Plan) summary() string {
	n := v.Plan.Request.Len()
	scopesToRequest, host := text.Count(n, "scope")+" to request", text.Printable(v.Plan.ConsentHost())
	sentence := scopesToRequest + " at " + host
	switch p := v.Plan.Session.Provider(); {
	case p.Scopes.NoRequest:
		names := "none"
		if p.Scopes.Instead.Len() > 0 {
			names = text.Printable(p.Scopes.Instead.String())
		}
		sentence = text.Count(n, "scope") + " expected from " + host + ": the client's scopes are set there, and the request names " + names
	case v.Plan.Session.Server().NoLogin:
		return text.Count(n, "scope") + " for a key to hold: nobody can log in there"
	case p.Client.Own:
		sentence = scopesToRequest + " by the client for itself: no login is needed"
	}
	implied, unadvertised := 0, 0
	for i := range v.Plan.Scopes {
		switch item := &v.Plan.Scopes[i]; {
		case item.Decision == scopes.DecisionImplied:
			implied++
		case item.Asked != "" && item.Advertised == scopes.AdvertisedNo:
			unadvertised++
		}
	}
	if unadvertised > 0 {
		sentence += fmt.Sprintf(", %d of them not advertised", unadvertised)
	}
	if implied > 0 {
		sentence += fmt.Sprintf("; %d implied", implied)
	}
	if n := len(v.Plan.Withheld); n > 0 {
		sentence += fmt.Sprintf("; %d withheld", n)
	}
	if v.Plan.Advertised().State != scopes.Listed {
		sentence += "; the server does not list its scopes"
	}
	return sentence
}

// Why is the reason of a need, for people.
func Why(e scopes.Need) string {
	if e.Why == "" {
		return "(no reason given)"
	}
	return text.Printable(e.Why)
}
