package cli

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// An explainView is ambit.explain/v1.
type explainView struct {
	about   string
	entries []explained
}

// An explained need, with what is known of it beside the manifest.
type explained struct {
	need       scopes.Need
	coveredBy  []string
	advertised scopes.Advertised
	held       string // yes, no, or "" where no credential could be looked at
}

type explainJSON struct {
	envelope
	About  string          `json:"about"`
	Scopes []explainedJSON `json:"scopes"`
}

type explainedJSON struct {
	needJSON
	File       string            `json:"file"`
	Line       int               `json:"line"`
	Programs   []string          `json:"programs"`
	CoveredBy  []string          `json:"covered_by"`
	Advertised scopes.Advertised `json:"advertised"`
	Held       string            `json:"held"`
}

func (v *explainView) json(e envelope) any {
	out := explainJSON{e, v.about, []explainedJSON{}}
	for _, x := range v.entries {
		out.Scopes = append(out.Scopes, explainedJSON{needOf(x.need), x.need.File, x.need.Line,
			append([]string{}, x.need.Programs...), append([]string{}, x.coveredBy...), x.advertised, x.held})
	}
	return out
}

func (v *explainView) text(p *printer) {
	for i, x := range v.entries {
		if i > 0 {
			p.line("")
		}
		p.line("%s, %s: %s", p.paint.bold(x.need.Name()), x.need.Level, why(x.need))
		p.fact("declared at", place(x.need.File, x.need.Line))
		p.fact("used by", usesOf(x.need))
		p.fact("programs", strings.Join(x.need.Programs, ", "))
		p.fact("covered by", strings.Join(x.coveredBy, ", "))
		p.fact("advertised", string(x.advertised))
		p.fact("held", x.held)
	}
}

// fact writes a labelled line, where there is something to say.
func (p *printer) fact(label, line string) {
	const indent = "                "
	if line == "" {
		return
	}
	for i, line := range wrap(text.Printable(line), p.width-len(indent)) {
		if i > 0 {
			label = ""
		}
		p.line("  %-13s %s", label, line)
	}
}
