package view

import (
	"fmt"
	"strings"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Scopes shows which scopes exist: ambit.scopes/v1.
type Scopes struct {
	Offering  ambit.Offering
	Shown     scopes.Offer // of the offer, or what was looked for in it
	Word      string       // what was looked for; "" for all
	File      string       // the manifest; "" where there is none
	Needs     []scopes.Need
	Granted   *scopes.Set // what the stored login holds; nil where nobody knows
	Unoffered []scopes.Need
}

type scopesJSON struct {
	Envelope
	Manifest  string          `json:"manifest"` // "" where there is none
	Server    offeringJSON    `json:"server"`
	Resources []resourceJSON  `json:"resources"`
	Word      string          `json:"word"`
	Offered   int             `json:"offered"` // how many there are, whatever was looked for
	Scopes    []offeredJSON   `json:"scopes"`
	Unoffered []unofferedJSON `json:"unoffered"` // declared needs of which no scope is offered
}

// An offeringJSON says by whose word scopes are offered.
type offeringJSON struct {
	Name            string                    `json:"name"`
	Issuer          string                    `json:"issuer"`
	ScopesSupported scopes.AdvertisementState `json:"scopes_supported"`
	From            string                    `json:"from"`    // network, cache, or file: that of the provider alone
	Stale           bool                      `json:"stale"`   // the server does not say it now: it is what was known before
	Partial         bool                      `json:"partial"` // there are scopes that the server leaves out of its list
}

type offeredJSON struct {
	Scope     string   `json:"scope"`
	About     string   `json:"about"` // what it allows; "" where nobody says
	Resource  string   `json:"resource"`
	Listed    bool     `json:"listed"`     // in scopes_supported
	Resources []string `json:"resources"`  // bases whose resources list it
	Withheld  bool     `json:"withheld"`   // listed, and not granted to ordinary people
	Declared  string   `json:"declared"`   // the level; "" where the manifest does not declare it
	ImpliedBy string   `json:"implied_by"` // the declared scope that covers it
	Granted   string   `json:"granted"`    // yes, no, unknown
	GrantedBy string   `json:"granted_by"` // the granted scope that is it, or covers it
}

type unofferedJSON struct {
	needJSON
	File       string   `json:"file"`
	Line       int      `json:"line"`
	Advertised bool     `json:"advertised"` // false: the manifest says that it is granted all the same
	Near       []string `json:"near"`
}

func (v *Scopes) standings() []scopes.Standing {
	var granted scopes.Set
	if v.Granted != nil {
		granted = *v.Granted
	}
	return v.Shown.Standings(v.Needs, granted, v.Offering.Plan.Session.Provider().Implies)
}

// near are the scopes that a need which is not offered was likely to name.
func (v *Scopes) near(need scopes.Need) []string {
	if need.Unadvertised {
		return nil
	}
	return v.Offering.NearAny(need.AnyOf)
}

// stale reports whether what is shown is not what the server says now.
func (v *Scopes) stale() bool { return v.Offering.Err != nil || v.Offering.Plan.Server.Source.Stale }

// JSON implements [View].
func (v *Scopes) JSON(e Envelope) any {
	plan := v.Offering.Plan
	server, said := plan.Session.Server(), plan.Advertised()
	out := scopesJSON{
		Envelope: e, Manifest: v.File, Word: v.Word, Offered: len(v.Offering.Offer),
		Server:    offeringJSON{server.Name, server.Issuer, said.State, plan.Server.Source.From, v.stale(), said.Partial},
		Resources: resourcesOf(plan), Scopes: []offeredJSON{}, Unoffered: []unofferedJSON{},
	}
	for i, s := range v.standings() {
		one := &v.Shown[i]
		x := offeredJSON{
			Scope: one.Scope, About: one.About, Resource: one.Resource, Listed: one.Listed, Resources: append([]string{}, one.Bases...), Withheld: one.Withheld,
			ImpliedBy: s.Covered, GrantedBy: s.Held, Granted: "unknown",
		}
		if s.Need != nil {
			x.Declared = s.Need.Level.String()
		}
		if v.Granted != nil {
			x.Granted = map[bool]string{true: "yes", false: "no"}[s.Held != ""]
		}
		out.Scopes = append(out.Scopes, x)
	}
	for _, need := range v.Unoffered {
		out.Unoffered = append(out.Unoffered, unofferedJSON{needOf(need), need.File, need.Line, !need.Unadvertised, append([]string{}, v.near(need)...)})
	}
	return out
}

// Text implements [View].
func (v *Scopes) Text(p *Printer) {
	if len(v.Shown) == 0 && len(v.Unoffered) == 0 {
		return // the failure tells it
	}
	p.wrapped("  ", v.heading(p))
	if len(v.Shown) > 0 {
		p.line("")
		v.rows(p)
	}
	if len(v.Unoffered) > 0 {
		p.line("")
	}
	for _, need := range v.Unoffered {
		line := "declared, and none of these: "
		if need.Unadvertised {
			line = "declared as granted though not listed: "
		}
		line = p.Paint.Yellow(line) + need.Name() + " (" + Place(need.File, need.Line) + ")"
		if near := v.near(need); len(near) > 0 {
			line += "; " + text.DidYouMean(near)
		}
		p.wrapped("  ", line)
	}
}

// heading says how many scopes there are, and by whose word.
func (v *Scopes) heading(p *Printer) string {
	host := p.Paint.Bold(text.Printable(provider.HostOf(v.Offering.Plan.Session.Server().Issuer)))
	if v.Word != "" {
		return fmt.Sprintf("%d of the %s of %s speak of %s", len(v.Shown), text.Count(len(v.Offering.Offer), "scope"), host, text.Quote(v.Word))
	}
	said, listed, resource, table := v.Offering.Plan.Advertised(), 0, 0, 0
	for _, one := range v.Offering.Offer {
		switch {
		case one.Listed:
			listed++
		case len(one.Bases) > 0:
			resource++
		default:
			table++
		}
	}
	sentence := host + " lists " + text.Count(listed, "scope")
	switch {
	case v.stale() && listed == 0:
		sentence = host + " does not say now which scopes it has"
	case v.stale():
		sentence = host + " does not answer; it listed " + text.Count(listed, "scope")
	case listed == 0:
		sentence = host + " lists no scopes"
	}
	if said.Partial && listed > 0 {
		sentence += ", and has others that it leaves out"
	}
	if resource > 0 {
		sentence += fmt.Sprintf("; its resources list %d more", resource)
	}
	switch {
	case table > 0 && listed+resource == 0:
		sentence += fmt.Sprintf(": these %d are known from the provider file", table)
	case table > 0:
		sentence += fmt.Sprintf("; the provider file knows %d more", table)
	}
	if v.File != "" {
		declared := 0
		for _, s := range v.standings() {
			if s.Need != nil {
				declared++
			}
		}
		sentence += fmt.Sprintf("; %s declares %d of them", text.Printable(v.File), declared)
	}
	return sentence
}

// rows are the scopes, each with its state and what it allows: beside it, or below where that leaves no room.
func (v *Scopes) rows(p *Printer) {
	rows := v.cells(p)
	var full [][]string // a row of names alone may be wider
	for _, row := range rows {
		if row[1] != "" || row[2] != "" {
			full = append(full, row)
		}
	}
	widths := columnWidths([]string{"", "", ""}, full)
	left := widths[0] + gutter
	if widths[1] > 0 {
		left += widths[1] + gutter
	}
	for _, row := range rows {
		line, about := row[0], row[2]
		if row[1] != "" || about != "" {
			line = padded(append(row[:2:2], ""), widths)
		}
		switch {
		case about == "":
			p.line("%s", line)
		case p.Width-left < leastAbout:
			p.line("%s", line)
			for _, more := range Wrap(about, p.Width-gutter) {
				p.line("  %s", p.Paint.Dim(more))
			}
		default:
			lines := Wrap(about, p.Width-left)
			p.line("%s%s%s", line, strings.Repeat(" ", left-Visible(line)), lines[0])
			for _, more := range lines[1:] {
				p.line("%s%s", strings.Repeat(" ", left), more)
			}
		}
	}
}

// cells are a row for each scope; those of one resource of which there is nothing to say share one.
func (v *Scopes) cells(p *Printer) [][]string {
	var rows [][]string
	resource, plain := "", false
	for i, s := range v.standings() {
		one := &v.Shown[i]
		state, before := v.state(p, one, s), plain && one.Resource == resource
		resource, plain = one.Resource, one.Resource != "" && one.About == "" && state == ""
		if plain && before {
			rows[len(rows)-1][0] += ", " + one.Scope
			continue
		}
		rows = append(rows, []string{one.Scope, state, text.Printable(one.About)})
	}
	return rows
}

// leastAbout is the least room in which a description stands beside a scope.
const leastAbout = 32

// state is what a manifest and a credential have to do with a scope.
func (v *Scopes) state(p *Printer, one *scopes.Offered, s scopes.Standing) string {
	var words []string
	said := v.Offering.Plan.Advertised()
	switch {
	case s.Need != nil:
		level := p.Paint.Bold(s.Need.Level.String())
		if programs := s.Need.Programs; len(programs) > 0 {
			level += " (" + text.Printable(strings.Join(programs, ", ")) + ")"
		}
		words = append(words, level)
	case s.Covered != "":
		words = append(words, "implied by "+text.Printable(s.Covered))
	}
	switch {
	case s.Held != "":
		words = append(words, p.Paint.green("granted"))
	case v.Granted != nil && s.Need != nil:
		words = append(words, p.Paint.Yellow("not granted"))
	}
	switch {
	case one.Withheld:
		words = append(words, p.Paint.Dim("not for everyone"))
	case said.State == scopes.Listed && !said.Partial && !one.Listed && len(one.Bases) == 0:
		words = append(words, p.Paint.Dim("not listed"))
	case said.State == scopes.Listed && !one.Listed && len(one.Bases) > 0:
		words = append(words, p.Paint.Dim("resource "+strings.Join(one.Bases, ", ")))
	}
	return strings.Join(words, ", ")
}
