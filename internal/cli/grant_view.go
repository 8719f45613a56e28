package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A grantView shows what a credential holds against what is needed: ambit.grant/v1
// of the contract.
type grantView struct {
	name    string // the manifest's
	needs   []scopes.Need
	implies scopes.Implications
	grant   scopes.Grant
	gap     scopes.Gap
	label   string // what people call the credential's kind
	server  string
	next    []advice.Step
	renews  bool // it is renewed once it ends
	now     time.Time
	brief   bool // without the table: the needs were shown just before
}

type grantJSON struct {
	envelope
	Credential  credentialJSON    `json:"credential"`
	Server      string            `json:"server"`
	Granted     scopes.Set        `json:"granted"`
	Missing     scopes.Missing    `json:"missing"`
	Lost        []needJSON        `json:"lost"`
	Implied     []scopes.Coverage `json:"implied"`
	HiddenTools []string          `json:"hidden_tools"`
	Excess      scopes.Set        `json:"excess"`
	Reach       reachJSON         `json:"reach"`
	Next        []advice.Step     `json:"next"`
}

type credentialJSON struct {
	Kind      scopes.Kind    `json:"kind"`
	Prefix    string         `json:"prefix"`
	Source    string         `json:"source"`
	ExpiresAt *time.Time     `json:"expires_at"`
	KnownBy   scopes.KnownBy `json:"known_by"`
}

// A reachJSON says on which projects and organizations the credential works; empty
// lists stand for all.
type reachJSON struct {
	Projects      []string `json:"projects"`
	Organizations []string `json:"organizations"`
}

func (v grantView) json(e envelope) any {
	if e.Error != nil && e.Error.Hint == "" {
		e.Error.Hint = advice.Line(v.next)
	}
	out := grantJSON{
		envelope: e, Credential: credentialOf(v.grant), Server: v.server, Granted: v.grant.Scopes.Sorted(),
		Missing: v.gap.Missing, Lost: needsOf(v.gap.Lost), Implied: v.gap.Covered, HiddenTools: v.gap.HiddenTools, Excess: v.gap.Excess,
		Reach: reachJSON{append([]string{}, v.grant.Teams...), append([]string{}, v.grant.Organizations...)},
		Next:  append([]advice.Step{}, v.next...),
	}
	return out
}

func credentialOf(c scopes.Grant) credentialJSON {
	out := credentialJSON{Kind: c.Kind, Prefix: c.Prefix, Source: c.Source, KnownBy: c.KnownBy}
	if !c.ExpiresAt.IsZero() {
		at := c.ExpiresAt.UTC().Truncate(time.Second) // as it is stored
		out.ExpiresAt = &at
	}
	return out
}

func (v grantView) text(p *printer) {
	v.heading(p)
	p.line("")
	if !v.brief {
		p.table([]string{"SCOPE", "LEVEL", "GRANTED", "WHY"}, v.rows(p))
		p.line("")
	}
	v.losses(p)
	for _, c := range v.gap.Covered {
		p.line("%s %s covers %s", p.paint.dim("implied:"), c.By, c.Scope)
	}
	if v.gap.Excess.Len() > 0 {
		p.wrapped("  ", p.paint.yellow("granted, not declared: ")+some(v.gap.Excess.Slice()))
	}
	for _, step := range v.next {
		p.step(step)
	}
}

func (v grantView) heading(p *printer) {
	c := v.grant
	p.wrapped("  ", fmt.Sprintf("%s holds %s %s for server %s, from %s", p.paint.bold(text.Printable(v.name)), v.label, c.Prefix, v.server, text.Printable(c.Source)))
	facts := []string{known(c.KnownBy)}
	if !c.ExpiresAt.IsZero() {
		life := lifetime(c.ExpiresAt, v.now)
		if v.renews && !v.now.Before(c.ExpiresAt) {
			life += ", and renewed when it is used"
		}
		facts = append(facts, life)
	}
	if len(v.grant.Teams) > 0 {
		facts = append(facts, limitedTo(v.grant.Teams, "project"))
	}
	if len(v.grant.Organizations) > 0 {
		facts = append(facts, limitedTo(v.grant.Organizations, "organization"))
	}
	p.wrapped("  ", p.paint.dim(strings.Join(facts, "; ")))
}

// limitedTo words a credential's reach.
func limitedTo(names []string, noun string) string {
	return "only " + text.Plural(len(names), noun) + " " + text.Printable(strings.Join(names, ", "))
}

// known words where the knowledge of a grant comes from.
func known(by scopes.KnownBy) string {
	switch by {
	case scopes.TokenResponse:
		return "known from the server's token answer"
	case scopes.SelfInspection:
		return "known from the server, which was asked"
	case scopes.Introspection:
		return "known from the server's introspection"
	case scopes.JWT:
		return "known from the token itself"
	}
	return "assumed: the server did not say what it granted, so it counts as asked (RFC 6749 §5.1)"
}

func (v grantView) rows(p *printer) [][]string {
	rows := make([][]string, len(v.needs))
	for i := range v.needs {
		e := &v.needs[i]
		rows[i] = []string{e.Name(), e.Level.String(), v.held(p, e), why(*e)}
	}
	return rows
}

func (v grantView) held(p *printer, e *scopes.Need) string {
	scope, by, met := e.MetBy(v.grant.Scopes, v.implies)
	switch {
	case !met && e.Level == scopes.Required:
		return p.paint.red("no")
	case !met:
		return p.paint.yellow("no")
	case v.gap.Assumed:
		return "assumed"
	case by != scope:
		return p.paint.green("implied")
	}
	return p.paint.green("yes")
}

// losses says for each missing need what stops without it, worst first.
func (v grantView) losses(p *printer) {
	any := false
	for _, level := range scopes.Levels() {
		for _, e := range v.gap.Lost {
			if e.Level == level {
				p.wrapped("  ", loss(p, e))
				any = true
			}
		}
	}
	if len(v.gap.HiddenTools) > 0 {
		p.wrapped("  ", p.paint.yellow("hidden tools: ")+strings.Join(v.gap.HiddenTools, ", ")+" (a server leaves these out of its list without an error)")
	}
	switch {
	case !any && v.gap.Assumed:
		p.line("nothing is known to be missing")
	case !any:
		p.line("%s", p.paint.green("everything declared is granted"))
	}
}

func loss(p *printer, e scopes.Need) string {
	paint := p.paint.yellow
	if e.Level == scopes.Required {
		paint = p.paint.red
	}
	text := paint("missing, "+e.Level.String()+": ") + e.Name() + ": " + why(e)
	if uses := usesOf(e); uses != "" {
		text += " (" + uses + ")"
	}
	return text
}

func usesOf(e scopes.Need) string {
	words := make([]string, len(e.UsedBy))
	for i, u := range e.UsedBy {
		words[i] = u.String()
	}
	return strings.Join(words, ", ")
}

// shownOf is how many of a long list a person is shown; the JSON has all.
const shownOf = 12

func some(words []string) string {
	if len(words) <= shownOf {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more (all of them: -o json)", strings.Join(words[:shownOf], ", "), len(words)-shownOf)
}
