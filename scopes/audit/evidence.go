package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A Where is a place in a source of evidence.
type Where struct {
	File string // as the user named it: a path or a URL; untrusted text
	Line int    // from 1; 0 where the source has no lines
}

// String is file:line, or the file alone.
func (w Where) String() string {
	if w.Line == 0 {
		return text.Line(w.File)
	}
	return text.Line(w.File) + ":" + strconv.Itoa(w.Line)
}

// A Source is what kind of thing says that something is needed.
type Source string

// The kinds of source; they are the columns of an audit's table.
const (
	SourceAPI     Source = "api"     // an OpenAPI document
	SourceMCP     Source = "mcp"     // a file of MCP tools
	SourceTraffic Source = "traffic" // a recorded call that was refused, naming a scope
)

// A Requirement is what one source says that one operation or tool requires.
type Requirement struct {
	Operation scopes.Operation // its Path is the source's template
	Title     string           // what the operation does, in the source's words; untrusted text, may be empty
	// AnyOf are alternatives; all scopes of an alternative are needed together. An empty one
	// means that no scope is needed. nil: the source says nothing of scopes.
	AnyOf  [][]string
	Where  Where
	Source Source
}

// Silent reports whether the source knows the operation and says nothing of scopes.
func (r *Requirement) Silent() bool { return len(r.AnyOf) == 0 }

// MetBy reports whether some alternative is covered by what is held.
func (r *Requirement) MetBy(held scopes.Set, implies scopes.Implications) bool {
	return metBy(r.AnyOf, held, implies)
}

func metBy(anyOf [][]string, held scopes.Set, implies scopes.Implications) bool {
	return slices.ContainsFunc(anyOf, func(all []string) bool { return len(missing(all, held, implies)) == 0 })
}

// missing is what of all is not covered by what is held.
func missing(all []string, held scopes.Set, implies scopes.Implications) []string {
	var list []string
	for _, scope := range all {
		if _, ok := implies.CoveredBy(held, scope); !ok {
			list = append(list, scope)
		}
	}
	return list
}

// Says is one line of evidence: what the source says that the operation requires.
func (r *Requirement) Says() string {
	switch {
	case r.Source == SourceTraffic:
		return text.Line(fmt.Sprintf("%s was refused for lack of %s (%s)", r.Operation, r.wants(), r.Where))
	case r.Silent():
		return text.Line(fmt.Sprintf("%s: says nothing about scopes (%s)", r.Operation, r.Where))
	default:
		return text.Line(fmt.Sprintf("%s needs %s (%s)", r.Operation, r.wants(), r.Where))
	}
}

// For are the requirements of an operation, of a request for one, or of a tool.
func (e *Evidence) For(request scopes.Operation) []Requirement {
	operations := make([]scopes.Operation, len(e.Requirements))
	for i := range e.Requirements {
		operations[i] = e.Requirements[i].Operation
	}
	var found []Requirement
	for _, i := range scopes.NewOperations(operations).Match(request) {
		found = append(found, e.Requirements[i])
	}
	return found
}

func (r *Requirement) wants() string {
	words := make([]string, len(r.AnyOf))
	for i, all := range r.AnyOf {
		if words[i] = strings.Join(all, " and "); len(all) == 0 {
			words[i] = "no scope"
		}
	}
	return strings.Join(words, ", or ")
}

// An Observation is a call that was recorded, or several of the same kind.
type Observation struct {
	Operation scopes.Operation // its Path is concrete, or has {id} where the recorder folded ids
	Status    int              // of the answer
	Scopes    []string         // connected with the call by the recorder: declared for it, or named
	Named     []string         // named by the answer that refused it; nil where the recording does not tell
	Count     int              // how many such calls
	Where     Where            // of the first
}

// succeeded reports whether the grant was enough for the call: some services refuse with a status
// of success, and name what lacks in the body.
func (o *Observation) succeeded() bool { return scopes.Succeeded(o.Status) && len(o.Named) == 0 }

// refused reports whether the call was turned away for want of a permission (RFC 9110
// §15.5.2 and §15.5.4, or any status where the answer named one). What lacked is proved only
// where the answer named it.
func (o *Observation) refused() bool { return o.Status == 401 || o.Status == 403 || len(o.Named) > 0 }

// A Call is an operation, or a tool, that the program uses: someone says so.
type Call struct {
	Operation scopes.Operation
	Where     Where
}

// A Note is something about a source that people should know: what was skipped, what
// is said twice. It is not a finding.
type Note struct {
	Where   Where
	Message string // one line
}

// An AuthorizedAt is where people agree to what an API grants: URLs, each "" where a source does not say.
type AuthorizedAt struct {
	Authorization, Token string // the endpoints (RFC 6749 §3)
	Discovery            string // the document of an OpenID provider
}

// Evidence is what all sources together say. The zero value is no evidence.
type Evidence struct {
	Requirements []Requirement // of every operation and tool that a document knows, used or not
	Calls        []Call        // what the program uses; nil where no list was given
	Tools        []string      // names of tools that the program uses, * and ? allowed; none: as the manifest says
	Traffic      []Observation // what was recorded
	Words        []string      // further scopes that a source knows of, though nothing there needs them
	// About is what scopes allow, in the words of a source: one line each. Untrusted text.
	About map[string]string
	// Elsewhere are URLs on which a source says that its operations stand, and where the provider
	// has no base.
	Elsewhere []string
	// Authorized is where people agree, as a source says, each once.
	Authorized []AuthorizedAt
	Notes      []Note
}

// Merge adds what another source says. An operation that several documents know is
// needed as each of them says; where they differ, a note says so.
func (e *Evidence) Merge(more Evidence) {
	e.Notes = append(e.Notes, more.Notes...)
	e.Notes = append(e.Notes, contradictions(e.Requirements, more.Requirements)...)
	e.Requirements = append(e.Requirements, more.Requirements...)
	if more.Calls != nil {
		e.Calls = append(append([]Call{}, e.Calls...), more.Calls...)
	}
	e.Tools = append(e.Tools, more.Tools...)
	e.Traffic = append(e.Traffic, more.Traffic...)
	e.Words = scopes.NewSet(slices.Concat(e.Words, more.Words)...).Slice()
	e.Authorized = append(e.Authorized, more.Authorized...)
	e.Elsewhere = scopes.NewSet(slices.Concat(e.Elsewhere, more.Elsewhere)...).Slice()
	if len(e.About)+len(more.About) > 0 {
		about := make(map[string]string, len(e.About)+len(more.About))
		maps.Copy(about, more.About)
		maps.Copy(about, e.About) // the first source counts
		e.About = about
	}
}

// OnlyBase is the base on which all operations of the requirements stand; "" where they stand on
// several, or there are none.
func (e *Evidence) OnlyBase() string {
	only := ""
	for i := range e.Requirements {
		switch base := e.Requirements[i].Operation.Base; {
		case only == "":
			only = base
		case base != "" && base != only:
			return ""
		}
	}
	return only
}

// contradictions notes operations for which two sources name different scopes.
func contradictions(have, more []Requirement) []Note {
	first := make(map[scopes.Operation]*Requirement, len(have))
	for i := range have {
		u := have[i].Operation.Unplaced()
		if first[u] == nil {
			first[u] = &have[i]
		}
	}
	var notes []Note
	for i := range more {
		n := &more[i]
		other := first[n.Operation.Unplaced()]
		if other != nil && !slices.EqualFunc(other.AnyOf, n.AnyOf, slices.Equal) {
			notes = append(notes, Note{n.Where, text.Line(n.Operation.String() + " is also in " + other.Where.String() + ", with other scopes: both count")})
		}
	}
	return notes
}

// Vocabulary is every scope that the evidence knows of, sorted.
func (e *Evidence) Vocabulary() scopes.Set {
	words := slices.Clone(e.Words)
	for i := range e.Requirements {
		for _, all := range e.Requirements[i].AnyOf {
			words = append(words, all...)
		}
	}
	for i := range e.Traffic {
		words = append(words, e.Traffic[i].Named...)
	}
	return scopes.NewSet(words...).Sorted()
}
