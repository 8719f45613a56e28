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
	Level   scopes.Level // what is missing at this level or above fails
	Brief   bool         // the outcome alone, with what is missing; else every need
	Login   bool         // it was obtained just now
	Detail  bool         // all that is granted and not declared is named
	Unasked string       // why its server was not asked about it just now; "" where it was, or gave it
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
	Unsaid      []string            `json:"unsaid"` // needs of which the server tells nobody whether they are met
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
		Missing: missingJSON(v.Gap.Missing), Lost: lostOf(v.Gap.Lost, v.Meant), Implied: coveragesOf(v.Gap.Covered), HiddenTools: v.Gap.HiddenTools, Excess: v.Gap.Excess, Unsaid: append([]string{}, v.Gap.Unsaid...),
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

// Limit words a limit of a credential's reach: "projects 1, 2".
func Limit(of string, ids []string) string {
	return text.Plural(len(ids), of) + " " + text.Printable(strings.Join(ids, ", "))
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
