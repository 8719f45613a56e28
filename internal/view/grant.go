package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Grant shows what a credential holds, compared with what is needed: ambit.grant/v1
// of the contract.
type Grant struct {
	Name    string // the manifest's
	Needs   []scopes.Need
	Implies scopes.Implications
	Granted scopes.Grant
	Gap     scopes.Gap
	Meant   map[string][]string // by the names of what is missing: scopes that were likely meant
	Label   string              // what people call the credential's kind
	Account string              // who is logged in; "" where no server said it
	KeptAs  string              // the name of the account under which the login is kept; "" for none
	Folder  string              // the directory of which that is the default; "" for none
	Server  string
	Next    []advice.Step
	Renews  bool // it is renewed once it ends
	Now     time.Time
	Brief   bool   // without the table: the needs were shown just before
	Unasked string // why its server was not asked about it just now; "" where it was, or gave it
}

type grantJSON struct {
	Envelope
	Credential  credentialJSON      `json:"credential"`
	Server      string              `json:"server"`
	Granted     scopes.Set          `json:"granted"`
	Missing     missingJSON         `json:"missing"`
	Lost        []lostJSON          `json:"lost"`
	Implied     []coverageJSON      `json:"implied"`
	HiddenTools []string            `json:"hidden_tools"`
	Excess      scopes.Set          `json:"excess"`
	Reach       map[string][]string `json:"reach"`
	Next        []stepJSON          `json:"next"`
}

// A lostJSON is a need that is not met.
type lostJSON struct {
	needJSON
	Near []string `json:"near"` // scopes that were likely meant, where nobody knows this one
}

func lostOf(needs []scopes.Need, meant map[string][]string) []lostJSON {
	list := make([]lostJSON, len(needs))
	for i, need := range needs {
		list[i] = lostJSON{needOf(need), append([]string{}, meant[need.Name()]...)}
	}
	return list
}

type credentialJSON struct {
	Kind      scopes.Kind    `json:"kind"`
	Prefix    string         `json:"prefix"`
	Source    string         `json:"source"`
	Account   string         `json:"account"`    // who is logged in; "" where no server said it
	KeptAs    string         `json:"kept_as"`    // the name of --account; "" for a login without one
	DefaultIn string         `json:"default_in"` // the directory of which it is the default account; "" for none
	ExpiresAt *time.Time     `json:"expires_at"`
	KnownBy   scopes.KnownBy `json:"known_by"`
	Asked     bool           `json:"asked"` // its server accepts it as of now
}

// reachOf lists by sort on what the credential works; empty lists stand for all.
func reachOf(limits []scopes.Reach) map[string][]string {
	out := map[string][]string{"projects": {}, "organizations": {}}
	for _, r := range limits {
		out[text.Plural(0, r.Of)] = r.IDs
	}
	return out
}

// JSON implements [View].
func (v Grant) JSON(e Envelope) any {
	if e.Error != nil && e.Error.Hint == "" {
		e.Error.Hint = advice.Line(v.Next)
	}
	out := grantJSON{
		Envelope: e, Credential: credentialOf(v.Granted), Server: v.Server, Granted: v.Granted.Scopes.Sorted(),
		Missing: missingJSON(v.Gap.Missing), Lost: lostOf(v.Gap.Lost, v.Meant), Implied: coveragesOf(v.Gap.Covered), HiddenTools: v.Gap.HiddenTools, Excess: v.Gap.Excess,
		Reach: reachOf(v.Granted.Reach),
		Next:  stepsOf(v.Next),
	}
	out.Credential.Asked = v.Unasked == ""
	out.Credential.Account, out.Credential.KeptAs, out.Credential.DefaultIn = v.Account, v.KeptAs, v.Folder
	return out
}

func credentialOf(c scopes.Grant) credentialJSON {
	out := credentialJSON{Kind: c.Kind, Prefix: c.Prefix, Source: c.Source, KnownBy: c.KnownBy}
	out.ExpiresAt = moment(c.ExpiresAt)
	return out
}

// moment is a time as JSON has it; nil for one that is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	at := t.UTC().Truncate(time.Second) // as it is stored
	return &at
}

// Text implements [View].
func (v Grant) Text(p *Printer) {
	v.heading(p)
	p.line("")
	if !v.Brief {
		p.table([]string{"SCOPE", "LEVEL", "GRANTED", "WHY"}, v.rows(p))
		p.line("")
	}
	v.losses(p)
	for _, c := range v.Gap.Covered {
		p.line("%s %s covers %s", p.Paint.Dim("implied:"), c.By, c.Scope)
	}
	if v.Gap.Excess.Len() > 0 {
		p.wrapped("  ", p.Paint.Yellow(Granted(v.Gap)+", not declared: ")+Some(v.Gap.Excess.Slice()))
	}
	for _, step := range v.Next {
		p.step(step)
	}
}

func (v Grant) heading(p *Printer) {
	c := v.Granted
	p.wrapped("  ", fmt.Sprintf("%s holds %s for server %s, from %s", p.Paint.Bold(text.Printable(v.Name)), v.credential(), v.Server, text.Printable(c.Source)))
	facts := []string{known(c.KnownBy)}
	if !c.ExpiresAt.IsZero() {
		life := Lifetime(c.ExpiresAt, v.Now)
		if v.Renews && !v.Now.Before(c.ExpiresAt) {
			life += ", and renewed when it is used"
		}
		facts = append(facts, life)
	}
	for _, r := range v.Granted.Reach {
		facts = append(facts, "only "+Limit(r.Of, r.IDs))
	}
	if v.KeptAs != "" {
		kept := "kept as account " + text.Printable(v.KeptAs)
		if v.Folder != "" {
			kept += ", the default in " + text.Printable(v.Folder)
		}
		facts = append(facts, kept)
	}
	p.wrapped("  ", p.Paint.Dim(strings.Join(facts, "; ")))
	if v.Unasked != "" {
		p.wrapped("  ", p.Paint.Yellow("nobody was asked: ")+text.Printable(v.Unasked))
	}
}

// credential names what is held, and whose it is.
func (v Grant) credential() string {
	named := v.Label + " " + v.Granted.Prefix
	if v.Account != "" {
		named += " of " + text.Printable(v.Account)
	}
	return named
}

// Limit words a limit of a credential's reach: "projects 1, 2".
func Limit(of string, ids []string) string {
	return text.Plural(len(ids), of) + " " + text.Printable(strings.Join(ids, ", "))
}

// known words where the knowledge of a grant comes from.
func known(by scopes.KnownBy) string {
	switch by {
	case scopes.TokenResponse:
		return "known from the server's token response"
	case scopes.SelfInspection:
		return "known from the server, which was asked"
	case scopes.Introspection:
		return "known from the server's introspection"
	case scopes.JWT:
		return "known from the token itself"
	case scopes.Permissions, scopes.Accepted:
		return Unlisted(by)
	}
	return "assumed: the server did not say what it granted, so what was requested counts as granted (RFC 6749 §5.1)"
}

const carriesPermissions = "carries permissions, not scopes, and no server lists them: whether anything declared is missing shows only in use"

// Unlisted is why nobody can say whether a scope is missing; "" where somebody can.
func Unlisted(by scopes.KnownBy) string {
	switch by {
	case scopes.Permissions:
		return "it " + carriesPermissions
	case scopes.Accepted:
		return "the server accepts it, and does not say what it holds: whether anything declared is missing shows only in use"
	}
	return ""
}

// NotGranted says of a scope that a gap counts as missing what is known of that.
func NotGranted(gap scopes.Gap) string {
	if gap.Assumed {
		return "was not requested, and no server said what was granted"
	}
	return "is not granted"
}

// Granted is the word for what a gap counts as held.
func Granted(gap scopes.Gap) string {
	if gap.Assumed {
		return "requested"
	}
	return "granted"
}

func (v Grant) rows(p *Printer) [][]string {
	rows := make([][]string, len(v.Needs))
	for i := range v.Needs {
		e := &v.Needs[i]
		rows[i] = []string{e.Name(), e.Level.String(), v.held(p, e), Why(*e)}
	}
	return rows
}

func (v Grant) held(p *Printer, e *scopes.Need) string {
	scope, by, met := e.MetBy(v.Granted.Scopes, v.Implies)
	no := "no"
	if v.Gap.Assumed {
		no = "not requested"
	}
	switch {
	case v.Gap.Unknown:
		return "unknown"
	case !met && e.Level == scopes.Required:
		return p.Paint.Red(no)
	case !met:
		return p.Paint.Yellow(no)
	case v.Gap.Assumed:
		return "assumed"
	case by != scope:
		return p.Paint.green("implied")
	}
	return p.Paint.green("yes")
}

// losses says for each missing need what stops without it, worst first.
func (v Grant) losses(p *Printer) {
	any := false
	for _, level := range scopes.Levels() {
		for _, e := range v.Gap.Lost {
			if e.Level == level {
				p.wrapped("  ", loss(p, e))
				any = true
			}
		}
	}
	if len(v.Gap.HiddenTools) > 0 {
		p.wrapped("  ", p.Paint.Yellow("hidden tools: ")+HiddenTools(v.Gap))
	}
	switch {
	case !any && (v.Gap.Assumed || v.Gap.Unknown):
		p.line("nothing is known to be missing")
	case !any && v.Unasked != "":
		p.line("everything declared was granted, as recorded")
	case !any:
		p.line("%s", p.Paint.green("everything declared is granted"))
	}
}

// HiddenTools names the tools that a server hides from a grant.
func HiddenTools(gap scopes.Gap) string {
	return text.Printable(strings.Join(gap.HiddenTools, ", ")) + " (a server leaves these out of its list without an error)"
}

func loss(p *Printer, e scopes.Need) string {
	paint := p.Paint.Yellow
	if e.Level == scopes.Required {
		paint = p.Paint.Red
	}
	text := paint("missing, "+e.Level.String()+": ") + e.Name() + ": " + Why(e)
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

// Some lists words, as many as a person reads; the JSON has all.
func Some(words []string) string {
	if len(words) <= shownOf {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more (all of them: -o json)", strings.Join(words[:shownOf], ", "), len(words)-shownOf)
}

// A Missing is what there is to say in JSON of a login that was not made, for want of
// what the manifest requires: those members of ambit.grant/v1 that are known without one.
type Missing struct{ Gap scopes.Gap }

// Text implements [View].
func (v Missing) Text(*Printer) {} // the failure tells it

// JSON implements [View].
func (v Missing) JSON(e Envelope) any {
	return struct {
		Envelope
		Missing missingJSON `json:"missing"`
		Lost    []lostJSON  `json:"lost"`
		Next    []stepJSON  `json:"next"`
	}{e, missingJSON(v.Gap.Missing), lostOf(v.Gap.Lost, nil), []stepJSON{{Text: e.Error.Hint}}}
}
