package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// judge holds one declared entry against the evidence. A word that nobody knows is
// told as that and nothing else, for the rest follows from it. Whether it asks for too
// much is for [audit.narrow] to say, which holds the entries against one another.
func (a *auditor) judge(f *Findings, i int) {
	e := &a.declared[i]
	if a.unknown(f, e) {
		return
	}
	v := a.view(i)
	a.open[i] = v.any(useSeen, useUnknown) || len(e.UsedBy) == 0 && !a.tells()
	switch {
	case slices.Contains(e.AnyOf, wholeScope) && !v.insists(wholeScope):
		a.suspect(e, v, true)
		return
	case len(v.needs) == 0 && !v.any(useSeen, useConfirmed):
		if len(e.UsedBy) > 0 || a.tells() {
			a.unneeded(f, e, v)
		}
		return
	}
	if v.missing() != nil && a.couldKnow(e, v) {
		f.Findings = append(f.Findings, a.finding(Unproved, e, v.missing(),
			fmt.Sprintf("%s is declared for %s, which no source confirms", e.Name(), plural(len(v.missing()), "an operation", "operations"))))
	}
	if len(e.AnyOf) == 1 {
		a.suspect(e, v, false)
	}
	a.tooUrgent(f, e, v)
}

// tells reports whether the evidence can say of an entry that names no operation what it is
// needed for: there is some, and nothing is in use of which the needs are not known. That
// a call was not recorded does not say that it is not made.
func (a *auditor) tells() bool {
	return !a.blind && len(a.inUse)+len(a.Evidence.Calls) > 0
}

// wholeScope is the word that providers use for everything.
const wholeScope = "*"

// A useState is what the evidence says of one used_by.
type useState int

const (
	useUnknown      useState = iota // no source knows the operation, or none says what it needs
	useSeen                         // listed or recorded; no source says what it needs
	useConfirmed                    // a source says that it needs the scope
	useContradicted                 // a source says that it needs something else, or that it is not used
)

// An entryView is what the evidence says of one entry.
type needView struct {
	needs  []*Requirement // in use, and served by the entry
	states []useState
	lines  []string // by used_by: the evidence in words
	calls  []usage
}

func (v *needView) any(states ...useState) bool {
	return slices.ContainsFunc(v.states, func(s useState) bool { return slices.Contains(states, s) })
}

// insists reports whether a need in use has the scope in every alternative.
func (v *needView) insists(scope string) bool {
	return slices.ContainsFunc(v.needs, func(n *Requirement) bool {
		return !slices.ContainsFunc(n.AnyOf, func(all []string) bool { return !slices.Contains(all, scope) })
	})
}

// missing are the lines of the uses that nothing confirms.
func (v *needView) missing() []string {
	var lines []string
	for i, s := range v.states {
		if s == useUnknown {
			lines = append(lines, v.lines[i])
		}
	}
	return lines
}

func (a *auditor) view(i int) *needView {
	e, v := &a.declared[i], &needView{}
	for _, n := range a.inUse {
		if a.serves(e, n) {
			v.needs = append(v.needs, n)
		}
	}
	for j, u := range e.UsedBy {
		state, line := a.stateOf(e, u, a.calls[useID{i, j}])
		v.states, v.lines, v.calls = append(v.states, state), append(v.lines, text.Line(line)), append(v.calls, a.calls[useID{i, j}])
	}
	return v
}

// stateOf weighs one used_by of an entry.
func (a *auditor) stateOf(e *scopes.Need, u scopes.Operation, c usage) (useState, string) {
	switch {
	case u.Tool != "" && a.choosing && !a.selects(u.Tool):
		return useContradicted, u.String() + " is not among the tools in use"
	case u.Tool == "" && a.listing && !c.listed && !c.doubtful:
		return useContradicted, u.String() + " is not among the calls in use"
	case slices.ContainsFunc(c.refused, func(scope string) bool { return a.serves(e, &Requirement{AnyOf: [][]string{{scope}}}) }):
		return useConfirmed, u.String() + " was refused without it"
	}
	var other *Requirement
	for _, at := range a.catalog.MatchRecorded(u) {
		n := &a.needs[at]
		if a.serves(e, n) {
			return useConfirmed, n.says()
		}
		if other == nil || other.Silent() {
			other = n
		}
	}
	switch {
	case other != nil && !other.Silent() && !c.doubtful:
		return useContradicted, other.says()
	case c.recorded:
		return useSeen, u.String() + " was recorded"
	case c.listed:
		return useSeen, u.String() + " is among the calls in use"
	case c.doubtful:
		return useUnknown, u.String() + " was refused, and the recording does not tell for want of what"
	case other != nil:
		return useUnknown, other.says()
	default:
		return useUnknown, u.String() + ": no source knows it"
	}
}

// couldKnow reports whether a source of the kind was given that could have confirmed one
// of the uses that nothing confirms.
func (a *auditor) couldKnow(e *scopes.Need, v *needView) bool {
	for i, s := range v.states {
		tool := e.UsedBy[i].Tool != ""
		if s == useUnknown && (tool && len(a.catalog.Tools()) > 0 || !tool && a.catalog.HasPaths()) {
			return true
		}
	}
	return false
}

// unneeded finds an entry that nothing confirms: unproved where some use is merely
// unknown, unused where there is none, or each is known to need something else.
func (a *auditor) unneeded(f *Findings, e *scopes.Need, v *needView) {
	if v.any(useUnknown) {
		message := fmt.Sprintf("no source confirms that %s is needed", e.Name())
		f.Findings = append(f.Findings, a.finding(Unproved, e, v.lines, message))
		return
	}
	message := fmt.Sprintf("%s is declared, and no evidence needs it", e.Name())
	found := a.finding(Unused, e, v.lines, message)
	found.Fix.Entries = a.places[e.Key()]
	f.Findings = append(f.Findings, found)
}

// finding is one about a declared entry.
func (a *auditor) finding(kind FindingKind, e *scopes.Need, evidence []string, message string) Finding {
	evidence = append([]string{}, evidence...)
	if more := len(evidence) - maxEvidence; more > 0 {
		evidence = append(evidence[:maxEvidence], fmt.Sprintf("and %d more", more))
	}
	return Finding{
		Kind: kind, Scope: e.Name(), Level: e.Level.String(), File: e.File, Line: e.Line,
		Evidence: evidence, Message: text.Line(message),
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// unknown finds words of the entry that neither the server nor the evidence has; it
// reports whether that is all that there is to say of the entry.
func (a *auditor) unknown(f *Findings, e *scopes.Need) bool {
	if a.Server.State != scopes.Listed || e.Unadvertised {
		return false
	}
	count := 0
	for _, scope := range e.AnyOf {
		if scope == wholeScope || a.Server.Scopes.Has(scope) || a.vocabulary().Has(scope) {
			continue
		}
		count++
		found := a.finding(UnknownScope, e, []string{"not in the server's scopes_supported", "in no source of evidence"}, "")
		found.Scope, found.Near = scope, a.near(e, scope)
		found.Message = text.Line(fmt.Sprintf("%s is no scope that the server or the evidence knows%s", scope, a.hint(scope, found.Near)))
		f.Findings = append(f.Findings, found)
	}
	return count == len(e.AnyOf)
}

func (a *auditor) vocabulary() scopes.Set {
	if a.known == nil {
		words := a.Evidence.Vocabulary()
		a.known = &words
	}
	return *a.known
}

// near suggests known scopes: what the entry's own operations need, else what tools need
// that are called so, else similar words.
func (a *auditor) near(e *scopes.Need, scope string) []string {
	var words []string
	for _, u := range e.UsedBy {
		words = append(words, a.wordsOf(a.catalog.MatchRecorded(u))...)
	}
	if len(words) == 0 {
		for _, tool := range a.toolsCalled(scope) {
			words = append(words, a.wordsOf(a.catalog.Match(scopes.Operation{Tool: tool}))...)
		}
	}
	if len(words) == 0 {
		words = text.Near(scope, a.vocabulary().Union(a.Server.Scopes).Sorted().Slice())
	}
	words = scopes.NewSet(words...).Slice()
	return words[:min(len(words), text.MaxNear)]
}

func (a *auditor) wordsOf(needs []int) []string {
	var words []string
	for _, at := range needs {
		words = append(words, slices.Concat(a.needs[at].AnyOf...)...)
	}
	return words
}

// toolsCalled are the tools whose name begins with the scope's first part: such a word
// was once taken from a tool's name.
func (a *auditor) toolsCalled(scope string) []string {
	stem, _, _ := strings.Cut(scope, ":")
	var tools []string
	for _, tool := range a.catalog.Tools() {
		if tool == stem || strings.HasPrefix(tool, stem+"-") || strings.HasPrefix(tool, stem+"_") {
			tools = append(tools, tool)
		}
	}
	slices.Sort(tools)
	return tools
}

func (a *auditor) hint(scope string, near []string) string {
	text := ""
	if tools := a.toolsCalled(scope); len(tools) > 0 {
		text = fmt.Sprintf("; a tool is called so (%s), and a tool's name is no scope", tools[0])
	}
	if len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return text
}
