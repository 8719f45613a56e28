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
	Detail bool   // who a login would be is said too

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
	s := v.Plan.Session.Server()
	p.line("%s at %s %s", p.Paint.Bold(text.Printable(v.Plan.Session.Manifest().Name)), s.Name, p.Paint.Dim("("+text.Printable(s.Issuer)+", "+v.source()+")"))
	p.line("")
	rows := make([][]string, len(v.Plan.Scopes))
	for i, item := range v.Plan.Scopes {
		decision := p.decision(item.Decision)
		if item.Asked != "" && v.Plan.Session.Provider().Scopes.NoRequest {
			decision = p.Paint.green("expect")
		}
		rows[i] = []string{item.Need.Name(), item.Need.Level.String(), advertised(item.Advertised), decision, v.why(item.Need)}
	}
	if len(rows) > 0 {
		p.table([]string{"SCOPE", "LEVEL", "ADVERTISED", "DECISION", "WHY"}, rows)
		p.line("")
	}
	v.remarks(p)
	p.line("%s", v.summary())
	if len(rows) == 0 && !v.Plan.Session.Provider().Scopes.NoRequest {
		p.wrapped("  ", "no scope is declared yet: remove \"# \" before those that the program needs in "+text.Printable(v.Plan.Session.Manifest().File)+", or add them")
	}
	if v.Plan.Session.Provider().LoginsHoldPermissions() {
		p.wrapped("  ", "what a login obtains here "+carriesPermissions)
	}
	v.client(p)
	if v.Drift.Any() {
		p.wrapped("  ", p.Paint.Yellow("since scopes.lock: ")+DriftWords(v.Drift))
	}
	if v.Locked != "" {
		p.line("%s", v.Locked)
	}
	writeMatches(p, v.Matches)
}

// why is the reason of a need and, where more is wanted, what its scopes allow.
func (v *Plan) why(need *scopes.Need) string {
	sentence := Why(*need)
	if allows := v.Plan.About(need); v.Detail && len(allows) > 0 {
		sentence += " (allows: " + text.Printable(strings.Join(allows, "; ")) + ")"
	}
	return sentence
}

// source is from where that comes which is known of the server.
func (v *Plan) source() string {
	source := v.Plan.Server.Source
	if v.Plan.Undescribed() {
		return "endpoints from the provider file"
	}
	sentence := "metadata from the " + source.From
	if n := len(source.Given); n > 0 && v.Detail {
		sentence += ", with " + strings.Join(source.Given, ", ") + " of the provider file"
	}
	return sentence
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

// remarks gives the reason of every decision that is not plain asking, and what a resource's list
// has not, which is asked for as the server has it.
func (v *Plan) remarks(p *Printer) {
	any := false
	for _, r := range v.Plan.Resources {
		var names []string
		for _, item := range v.Plan.Scopes {
			if item.Unlisted == r.Base && item.Asked != "" {
				names = append(names, item.Asked)
			}
		}
		if len(names) > 0 {
			p.wrapped("  ", "requested, as the server lists it, though the resource "+r.Base+" does not: "+text.Printable(strings.Join(names, ", ")))
			any = true
		}
	}
	for i := range v.Plan.Scopes {
		switch item := &v.Plan.Scopes[i]; {
		case item.Decision != scopes.DecisionRequest:
			p.wrapped("  ", p.decision(item.Decision)+": "+item.Need.Name()+": "+text.Printable(v.Plan.ReasonOf(item)))
			any = true
		case len(v.Plan.Near(item)) > 0:
			p.wrapped("  ", "requested, though the provider file does not list it: "+text.Printable(item.Asked)+"; "+text.DidYouMean(v.Plan.Near(item)))
			any = true
		}
	}
	if any {
		p.line("")
	}
}

func (v *Plan) summary() string {
	sentence := fmt.Sprintf("%s will be requested at %s", text.Count(v.Plan.Request.Len(), "scope"), text.Printable(v.Plan.ConsentHost()))
	switch p := v.Plan.Session.Provider(); {
	case p.Scopes.NoRequest:
		sentence = fmt.Sprintf("%s expected from %s: the client's scopes are set there, and the request names none", text.Count(v.Plan.Request.Len(), "scope")+" "+text.Are(v.Plan.Request.Len()), text.Printable(v.Plan.ConsentHost()))
	case v.Plan.Session.Server().NoLogin:
		return text.Count(v.Plan.Request.Len(), "scope") + " for a key to hold: nobody can log in there"
	case p.Client.Own:
		sentence = text.Count(v.Plan.Request.Len(), "scope") + " will be requested by the client for itself: no login is needed"
	}
	if n := len(v.Plan.Withheld); n > 0 {
		sentence += fmt.Sprintf(", %s withheld", text.Count(n, "need"))
	}
	if v.Plan.Advertised().State != scopes.Listed {
		sentence += "; the server does not say which scopes it knows"
	}
	return sentence
}

// advertised is what the server's list says of a scope.
func advertised(a scopes.Advertised) string {
	if a == scopes.AdvertisedUnknown {
		return "?"
	}
	return string(a)
}

// decision is a decision in a word, colored by how good the news is.
func (p *Printer) decision(d scopes.Decision) string {
	switch d {
	case scopes.DecisionRequest, scopes.DecisionRequestUnadvertised:
		return p.Paint.green("request")
	case scopes.DecisionImplied:
		return p.Paint.Dim("implied")
	default:
		return p.Paint.Red("withhold")
	}
}

// Why is the reason of a need, for people.
func Why(e scopes.Need) string {
	if e.Why == "" {
		return "(no reason given)"
	}
	return text.Printable(e.Why)
}
