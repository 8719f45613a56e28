package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// Text implements [View].
func (v Grant) Text(p *Printer) {
	if v.Brief {
		v.outcome(p)
	} else {
		v.heading(p)
		p.needs(v.lines())
		v.excess(p)
	}
	if len(v.Gap.HiddenTools) > 0 {
		p.wrapped("  ", p.Paint.Yellow("hidden tools: ")+HiddenTools(v.Gap))
	}
	for _, step := range v.Next {
		p.step(step)
	}
}

// outcome is one line where nothing is missing, else one more for each need that is.
func (v Grant) outcome(p *Printer) {
	paint := p.Paint.green
	switch {
	case v.fails():
		paint = p.Paint.Red
	case v.Gap.Unknown:
		paint = p.Paint.Yellow
	}
	verdict := v.verdict()
	p.line("%s", paint(verdict)+v.sentence())
	names := make([]string, len(v.Gap.Lost))
	for i, e := range v.Gap.Lost {
		names[i] = e.Name()
	}
	width := p.besideNames(names)
	for _, level := range scopes.Levels() {
		for _, e := range v.Gap.Lost {
			if e.Level == level {
				v.loss(p, e, width)
			}
		}
	}
}

// sentence is the outcome behind its verdict, with all that limits it.
func (v Grant) sentence() string {
	n, lost := len(v.Needs), len(v.Gap.Lost)
	all := "all " + text.Count(n, "scope")
	switch n {
	case 0:
		all = "no declared scope"
	case 1:
		all = "the one declared scope"
	case 2:
		all = "both scopes"
	}
	if unsaid := len(v.Gap.Unsaid); unsaid > 0 {
		all = fmt.Sprintf("%d of %s", n-unsaid, text.Count(n, "scope"))
	}
	if more := v.Gap.Excess.Len(); more > 0 {
		all += fmt.Sprintf(" and %d more", more)
	}
	without := fmt.Sprintf(", without %d of %s", lost, text.Count(n, "scope"))
	assumed := "; assumed to be granted, for the server does not say (RFC 6749 §5.1)"
	who, limits := v.holder(), v.caveats()
	if v.Unasked != "" && !v.Gap.Unknown { // else that is said below
		limits += "; " + v.basis()
	}
	if v.Login {
		who = strings.Replace(" as "+who, " as (", " (", 1)
	}
	switch {
	case v.fails():
		return fmt.Sprintf(" %d of %s: %s", lost, text.Count(n, "scope"), v.holder()) + limits
	case v.Login && lost > 0:
		return who + without + limits
	case v.Login && v.Gap.Unknown:
		return who + limits + "; " + Unlisted(v.Granted.KnownBy)
	case v.Login && v.Gap.Assumed:
		return who + ": " + all + " requested" + limits + assumed
	case v.Login:
		return who + ": " + all + " granted" + limits
	case lost > 0:
		return without + ": " + who + limits
	case v.Gap.Unknown:
		return ": " + who + limits + "; " + Unlisted(v.Granted.KnownBy)
	case v.Gap.Assumed:
		return ": " + all + " requested: " + who + limits + assumed
	}
	return ": " + all + ": " + who + limits
}

// verdict is the first word of an outcome.
func (v Grant) verdict() string {
	switch {
	case v.fails():
		return "missing"
	case v.Login:
		return "logged in"
	case v.Gap.Unknown:
		return "accepted"
	}
	return "ok"
}

// fails reports whether something is missing at the level that fails.
func (v Grant) fails() bool {
	for _, e := range v.Gap.Lost {
		if e.Level >= v.Level {
			return true
		}
	}
	return false
}

// holder names the credential in few words: by its owner, else by its prefix or its kind, with where it
// was found and where it serves.
func (v Grant) holder() string {
	named := text.Printable(v.Account)
	switch {
	case named != "":
	case v.Login: // whose it is, nobody said
	case strings.HasSuffix(v.Granted.Prefix, "***") && v.Granted.Prefix != "***":
		named = v.Granted.Prefix
	default:
		named = v.Label
	}
	source := strings.TrimPrefix(v.Granted.Source, "the variable ")
	return strings.TrimSpace(fmt.Sprintf("%s (%s, %s)", named, text.Printable(source), v.Server))
}

// caveats are what limits the outcome, to stand behind it.
func (v Grant) caveats() string {
	var words strings.Builder
	for _, r := range v.Granted.Reach {
		words.WriteString("; only " + Limit(r.Of, r.IDs))
	}
	words.WriteString(v.implying())
	if len(v.Gap.Unsaid) > 0 {
		words.WriteString("; the server does not tell whether it grants " + text.Printable(text.Listed(v.Gap.Unsaid)))
	}
	if v.KeptAs != "" {
		words.WriteString("; kept as account " + text.Printable(v.KeptAs))
		if v.Folder != "" {
			words.WriteString(", the default in " + text.Printable(v.Folder))
		}
	}
	return words.String()
}

// implying names what is granted, not declared, and the reason that declared scopes are held: such a
// scope may allow far more than these.
func (v Grant) implying() string {
	var order []string
	implied := make(map[string]int)
	for _, c := range v.Gap.Covered {
		if !v.Gap.Excess.Has(c.By) {
			continue
		}
		if implied[c.By] == 0 {
			order = append(order, c.By)
		}
		implied[c.By]++
	}
	var words strings.Builder
	for _, by := range order {
		fmt.Fprintf(&words, "; %s implies %d of them", text.Printable(by), implied[by])
	}
	return words.String()
}

// loss is a need that is not met: what stops without it, where it is declared and what uses it.
func (v Grant) loss(p *Printer, e scopes.Need, width int) {
	sentence := e.Level.String() + ": " + Why(e)
	if near := v.Meant[e.Name()]; len(near) > 0 {
		sentence += "; " + text.DidYouMean(near)
	}
	p.need(needLine{Mark: markMissing, Name: e.Name(), Text: sentence}, width)
	place := Place(e.File, e.Line)
	if e.File == "" {
		place = ""
	}
	if uses := usesOf(e); uses != "" {
		place = strings.TrimPrefix(place+", used by "+uses, ", ")
	}
	if place != "" {
		for _, line := range Wrap(text.Printable(place), p.Width-4) {
			p.line("    %s", p.Paint.Dim(line))
		}
	}
}

// heading says which credential it is, and what is known of it.
func (v Grant) heading(p *Printer) {
	c := v.Granted
	named := strings.TrimSpace(v.Label + " " + c.Prefix)
	if v.Account != "" {
		named += " of " + text.Printable(v.Account)
	}
	p.wrapped("  ", fmt.Sprintf("%s: %s for server %s, from %s", p.Paint.Bold(text.Printable(v.Name)), named, v.Server, text.Printable(c.Source)))
	facts := []string{v.basis()}
	if !c.ExpiresAt.IsZero() {
		life := Lifetime(c.ExpiresAt, v.Now)
		if v.Renews && !v.Now.Before(c.ExpiresAt) {
			life += ", and renewed when it is used"
		}
		facts = append(facts, life)
	}
	p.wrapped("  ", p.Paint.Dim(strings.Join(facts, "; ")+v.caveats()))
}

// basis is where the knowledge of the grant comes from, and why its server did not confirm it.
func (v Grant) basis() string {
	if v.Unasked == "" {
		return known(v.Granted.KnownBy)
	}
	return known(v.Granted.KnownBy) + ", not verified: " + text.Printable(v.Unasked)
}

// known words where the knowledge of a grant comes from.
func known(by scopes.KnownBy) string {
	switch by {
	case scopes.TokenResponse:
		return "from the token response"
	case scopes.SelfInspection:
		return "verified with the server"
	case scopes.Introspection:
		return "verified by introspection"
	case scopes.JWT:
		return "from the token itself"
	case scopes.Permissions, scopes.Accepted:
		return Unlisted(by)
	}
	return "assumed: the server did not say what it granted, so what was requested counts as granted (RFC 6749 §5.1)"
}

// lines are the needs, each with what the credential holds of it.
func (v Grant) lines() []needLine {
	lines := make([]needLine, len(v.Needs))
	for i := range v.Needs {
		e := &v.Needs[i]
		lines[i] = needLine{Level: e.Level, Name: e.Name()}
		lines[i].Mark, lines[i].Text = v.stateOf(e)
	}
	return lines
}

// unsaid reports whether nobody can tell if a need is met.
func (v Grant) unsaid(e *scopes.Need) bool {
	return v.Gap.Unknown || slices.Contains(v.Gap.Unsaid, e.Name())
}

// stateOf is the mark of a need, and what is said of it.
func (v Grant) stateOf(e *scopes.Need) (mark, sentence string) {
	scope, by, met := e.MetBy(v.Granted.Scopes, v.Implies)
	switch {
	case v.unsaid(e):
		return markUnknown, Why(*e)
	case !met:
		sentence = strings.TrimPrefix(strings.TrimPrefix(NotGranted(v.Gap), "is "), "was ") + ": " + Why(*e)
		if near := v.Meant[e.Name()]; len(near) > 0 {
			sentence += "; " + text.DidYouMean(near)
		}
		return markMissing, sentence
	case by != scope:
		return markImplied, "implied by " + by + ": " + Why(*e)
	}
	return markHeld, Why(*e)
}

// state is the same in a word, for a table.
func (v Grant) state(e *scopes.Need) string {
	scope, by, met := e.MetBy(v.Granted.Scopes, v.Implies)
	switch {
	case v.unsaid(e):
		return "unknown"
	case !met && v.Gap.Assumed:
		return "not requested"
	case !met:
		return "no"
	case v.Gap.Assumed:
		return "assumed"
	case by != scope:
		return "implied"
	}
	return "yes"
}

// excess counts what the needs come to, and what is granted besides.
func (v Grant) excess(p *Printer) {
	if v.Gap.Unknown {
		return
	}
	n := len(v.Needs)
	line := fmt.Sprintf("%d of %s %s", n-len(v.Gap.Lost)-len(v.Gap.Unsaid), text.Count(n, "declared scope"), Granted(v.Gap))
	switch more := v.Gap.Excess.Len(); {
	case more == 0:
	case v.Detail:
		line += fmt.Sprintf("; %d more than declared: %s", more, strings.Join(v.Gap.Excess.Slice(), ", "))
	default:
		line += fmt.Sprintf("; %d more than declared (-v lists them)", more)
	}
	p.wrapped("  ", line)
}

// HiddenTools names the tools that a server hides from a grant.
func HiddenTools(gap scopes.Gap) string {
	return text.Printable(strings.Join(gap.HiddenTools, ", ")) + " (the server leaves them out of its list, without an error)"
}
