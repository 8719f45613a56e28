package view

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// An Explain is ambit.explain/v1.
type Explain struct {
	About   string
	Entries []ExplainedNeed
	Offered *ExplainedScope // a scope that exists, and that the manifest does not declare; nil where there are Entries
}

// An ExplainedScope is a scope that exists, without what a manifest has to say of it.
type ExplainedScope struct {
	scopes.Offered
	CoveredBy []string
	Held      string // as of an [ExplainedNeed]
}

type explainedScopeJSON struct {
	Scope     string   `json:"scope"`
	Allows    string   `json:"allows"` // "" where nobody says
	Listed    bool     `json:"listed"`
	Resources []string `json:"resources"`
	Withheld  bool     `json:"withheld"`
	CoveredBy []string `json:"covered_by"`
	Held      string   `json:"held"`
}

// An ExplainedNeed is a need with what is known of it beside the manifest.
type ExplainedNeed struct {
	Need       scopes.Need
	Allows     []string // what its scopes allow, in the words of the provider's file
	CoveredBy  []string
	Advertised scopes.Advertised
	Near       []string // that were likely meant, where the server lists none of it
	Held       string   // yes, no, or what else is known; "" where no credential could be looked at
}

type explainJSON struct {
	Envelope
	About   string              `json:"about"`
	Scopes  []explainedJSON     `json:"scopes"`
	Offered *explainedScopeJSON `json:"offered"` // where the scope exists, and is not declared
}

type explainedJSON struct {
	needJSON
	File       string            `json:"file"`
	Line       int               `json:"line"`
	Programs   []string          `json:"programs"`
	Allows     []string          `json:"allows"`
	CoveredBy  []string          `json:"covered_by"`
	Advertised scopes.Advertised `json:"advertised"`
	Near       []string          `json:"near"` // what was likely meant, where the server lists none of it
	Held       string            `json:"held"`
}

// JSON implements [View].
func (v *Explain) JSON(e Envelope) any {
	out := explainJSON{e, v.About, []explainedJSON{}, nil}
	for _, x := range v.Entries {
		out.Scopes = append(out.Scopes, explainedJSON{
			needOf(x.Need), x.Need.File, x.Need.Line,
			append([]string{}, x.Need.Programs...), append([]string{}, x.Allows...), append([]string{}, x.CoveredBy...), x.Advertised, append([]string{}, x.Near...), x.Held,
		})
	}
	if o := v.Offered; o != nil {
		out.Offered = &explainedScopeJSON{o.Scope, o.About, o.Listed, append([]string{}, o.Bases...), o.Withheld, append([]string{}, o.CoveredBy...), o.Held}
	}
	return out
}

// offered tells of a scope that the manifest does not declare.
func (v *Explain) offered(p *Printer) {
	o := v.Offered
	p.line("%s, not declared", p.Paint.Bold(text.Printable(o.Scope)))
	p.fact("allows", o.About)
	var by []string
	if o.Listed {
		by = append(by, "the server")
	}
	for _, base := range o.Bases {
		by = append(by, "the resource "+base)
	}
	if len(by) == 0 {
		by = append(by, "the provider file")
	}
	if o.Withheld {
		by = append(by, "not granted to ordinary people")
	}
	p.fact("listed by", strings.Join(by, ", "))
	p.fact("implied by", strings.Join(o.CoveredBy, ", "))
	p.fact("granted", o.Held)
}

// Text implements [View].
func (v *Explain) Text(p *Printer) {
	if v.Offered != nil {
		v.offered(p)
	}
	for i, x := range v.Entries {
		if i > 0 {
			p.line("")
		}
		p.line("%s, %s: %s", p.Paint.Bold(x.Need.Name()), x.Need.Level, Why(x.Need))
		p.fact("allows", strings.Join(x.Allows, "; "))
		p.fact("declared at", Place(x.Need.File, x.Need.Line))
		p.fact("used by", usesOf(x.Need))
		p.fact("programs", strings.Join(x.Need.Programs, ", "))
		p.fact("implied by", strings.Join(x.CoveredBy, ", "))
		said := string(x.Advertised)
		if len(x.Near) > 0 {
			said += "; " + text.DidYouMean(x.Near)
		}
		p.fact("advertised", said)
		p.fact("granted", x.Held)
	}
}

// factIndent is how far a labelled line stands in.
const factIndent = 16

// fact writes a labelled line, where there is something to say.
func (p *Printer) fact(label, line string) {
	if line == "" {
		return
	}
	for i, line := range Wrap(text.Printable(line), p.Width-factIndent) {
		if i > 0 {
			label = ""
		}
		p.labelled(label, line)
	}
}

func (p *Printer) labelled(label, line string) { p.line("  %-*s%s", factIndent-2, label, line) }

// factStep writes a step. Where it does not fit on its line, its command and its URL have lines
// of their own, to be copied.
func (p *Printer) factStep(label string, step advice.Step) {
	if step.Command == "" && step.URL == "" || Visible(step.String()) <= p.Width-factIndent {
		p.fact(label, step.String())
		return
	}
	if step.Text != "" {
		end := ":"
		if step.Command == "" { // the text can end in a scope, and a colon would be a part of it
			end = "; at"
		}
		p.fact(label, step.Text+end)
		label = ""
	}
	for _, whole := range []string{step.Command, step.URL} {
		if whole != "" {
			p.labelled(label, text.Printable(whole))
			label = ""
		}
	}
}
