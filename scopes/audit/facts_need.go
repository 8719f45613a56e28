package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A need is one that the manifest declares, with what the evidence says of it.
type need struct {
	scopes.Need
	mentions []mention
	helps    []*requirement // of those in use: the ones that it helps to meet
	standing standing
}

// A standing is what the evidence says of a need as a whole.
type standing int

const (
	standingUnknown     standing = iota // neither the server nor a source has such a word; nothing else is said of it
	standingEverything                  // it asks for everything, and nothing in use insists on that
	standingRequired                    // something in use requires it, or was seen to work with it
	standingUndecided                   // it names no operation, and the evidence is not complete
	standingUnconfirmed                 // nothing in use requires it, and no source describes some operation that it names
	standingUnused                      // nothing in use requires it
)

// A mention is one used_by of a need, with what lists and recordings have of it.
type mention struct {
	op      scopes.Operation
	anyOf   []string // the need's scopes
	sources []int    // the requirements that the sources have for it, by index

	listed     bool      // a list of calls has it
	recorded   recording // how recorded calls of it ended
	refusedFor []string  // what the answers that refused it named
	unclear    bool      // it was refused, perhaps for want of the need's scope: the recording does not say

	state mentionState
	says  string // the evidence of the state, a line
}

// A recording is how recorded calls ended.
type recording int

const (
	recordedNever   recording = iota
	recordedFailure           // none succeeded, which proves nothing
	recordedSuccess           // the grant was enough for one
)

// A mentionState is what the evidence says of one used_by.
type mentionState int

const (
	mentionUnknown      mentionState = iota // no source knows the operation, or none says what it requires
	mentionSeen                             // listed or recorded; no source says what it requires
	mentionConfirmed                        // a source says that it requires the need's scope
	mentionContradicted                     // a source says that it requires something else, or that it is not used
)

// everything is the word that providers use for every scope.
const everything = "*"

// judgeNeeds finds out what the evidence says of each need.
func (f *facts) judgeNeeds() {
	picks := slices.ContainsFunc(f.catalog.Tools(), f.isPicked) // a list without any known tool is a slip of the pen
	for i := range f.needs {
		n := &f.needs[i]
		n.helps = f.serving[n.AnyOf[0]]
		if len(n.AnyOf) > 1 {
			n.helps = slices.DeleteFunc(slices.Clone(f.inUse), func(r *requirement) bool { return !f.helps(n, r.AnyOf) })
		}
		for j := range n.mentions {
			m := &n.mentions[j]
			state, says := f.stateOf(n, m, picks)
			m.state, m.says = state, text.Line(says)
		}
		n.standing = f.standingOf(n)
	}
}

func (f *facts) standingOf(n *need) standing {
	known := func(scope string) bool { return !f.isUnknown(n, scope) }
	switch {
	case !slices.ContainsFunc(n.AnyOf, known):
		return standingUnknown
	case slices.Contains(n.AnyOf, everything) && !n.insistedOn(everything):
		return standingEverything
	case len(n.helps) > 0 || n.any(mentionSeen, mentionConfirmed):
		return standingRequired
	case len(n.mentions) == 0 && !f.isComplete():
		return standingUndecided
	case n.any(mentionUnknown):
		return standingUnconfirmed
	default:
		return standingUnused
	}
}

// stateOf weighs one used_by. picks says that the tools in use were picked, and by names that
// some source knows.
func (f *facts) stateOf(n *need, m *mention, picks bool) (mentionState, string) {
	op := m.op.String()
	switch {
	case picks && m.op.Tool != "" && !f.isPicked(m.op.Tool):
		return mentionContradicted, op + " is not among the tools in use"
	case m.op.Tool == "" && f.listsCalls && !m.listed && !m.unclear:
		return mentionContradicted, op + " is not among the calls in use"
	case f.helps(n, [][]string{m.refusedFor}):
		return mentionConfirmed, op + " was refused without it"
	}
	var other *requirement
	for _, at := range m.sources {
		r := &f.requirements[at]
		if f.helps(n, r.AnyOf) {
			return mentionConfirmed, r.Says()
		}
		if other == nil || other.Silent() {
			other = r
		}
	}
	if other != nil && !other.Silent() && !m.unclear {
		return mentionContradicted, other.Says()
	}
	return m.undescribed(other)
}

// undescribed is the state of a mention where no source says what the operation requires;
// silent is a source that knows the operation, if there is one.
func (m *mention) undescribed(silent *requirement) (mentionState, string) {
	op := m.op.String()
	switch {
	case m.recorded == recordedSuccess:
		return mentionSeen, op + " was recorded"
	case m.listed:
		return mentionSeen, op + " is among the calls in use"
	case m.unclear:
		return mentionUnknown, op + " was refused, and the recording does not say for lack of what"
	case silent != nil:
		return mentionUnknown, silent.Says()
	default:
		return mentionUnknown, op + ": no source knows it"
	}
}

// helps reports whether a need covers some scope that is wanted.
func (f *facts) helps(n *need, anyOf [][]string) bool {
	own := scopes.NewSet(n.AnyOf...)
	return slices.ContainsFunc(slices.Concat(anyOf...), func(scope string) bool { _, ok := f.implies.CoveredBy(own, scope); return ok })
}

// any reports whether some used_by is in one of the states.
func (n *need) any(states ...mentionState) bool {
	return slices.ContainsFunc(n.mentions, func(m mention) bool { return slices.Contains(states, m.state) })
}

// says are the lines about the mentions in one of the states; about all where none is given.
func (n *need) says(states ...mentionState) []string {
	var lines []string
	for _, m := range n.mentions {
		if len(states) == 0 || slices.Contains(states, m.state) {
			lines = append(lines, m.says)
		}
	}
	return lines
}

// insistedOn reports whether something in use requires the scope, whatever else is granted.
func (n *need) insistedOn(scope string) bool {
	return slices.ContainsFunc(n.helps, func(r *requirement) bool {
		return !slices.ContainsFunc(r.AnyOf, func(all []string) bool { return !slices.Contains(all, scope) })
	})
}

// isUndescribed reports whether an operation of the need is in use, or may be, and no source says
// what it requires.
func (f *facts) isUndescribed(n *need) bool {
	return n.standing != standingUnknown && (n.any(mentionSeen, mentionUnknown) || len(n.mentions) == 0 && !f.isComplete())
}

// isVague reports whether the need may serve an operation whose requirement is not known.
func (f *facts) isVague(n *need) bool {
	return n.any(mentionUnknown) || slices.ContainsFunc(n.mentions, func(m mention) bool { return m.unclear }) || len(n.mentions) == 0 && f.undescribed
}

// isSafe reports whether a method changes nothing (RFC 9110 §9.2.1).
func isSafe(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS"
}
