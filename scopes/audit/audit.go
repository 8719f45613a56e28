package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// An AuditQuestion is all that [Audit] weighs.
type Question struct {
	Manifest *manifest.Manifest
	Programs []string // whose scopes count as declared, besides the base
	Evidence *Evidence
	Server   scopes.Advertisement // the zero value: the server does not say
	Granted  *scopes.Set          // what a credential holds, for the table's last column; nil where nobody asked
	Today    time.Time            // for waivers; the zero time lets none expire
}

// Audit holds a manifest against the evidence. It looks at nothing but q. An unknown
// program is an *[UnknownProgramError].
//
// What counts as in use: the operations of Evidence.Calls where such a list was given,
// else those that the declared entries name in used_by and those that were recorded;
// the tools of Evidence.Tools and Evidence.Calls, else those that the declared entries
// name; and each recorded refusal that names a scope, for it proves a need.
func Audit(q Question) (Findings, error) {
	declared, err := q.Manifest.Select(q.Programs...)
	if err != nil {
		return Findings{}, err
	}
	a := newAudit(q, declared)
	a.selectUsed()
	f := Findings{Findings: []Finding{}, Waived: []Finding{}, Notes: append(append([]Note{}, a.Evidence.Notes...), a.notes...)}
	a.undeclared(&f)
	for i := range a.declared {
		a.judge(&f, i)
	}
	a.narrow(&f)
	a.waive(&f)
	a.least(&f)
	f.Matrix = a.matrix()
	sortFindings(f.Findings)
	sortFindings(f.Waived)
	return f, nil
}

// An audit is the state of one [Audit].
type auditor struct {
	Question
	implies  scopes.Implications
	declared []scopes.Need            // merged, in the manifest's order
	places   map[string][]scopes.Need // by key: each declaration as it stands in the file
	words    scopes.Set               // every alternative of every entry
	fixed    scopes.Set               // the scopes of entries without alternatives
	catalog  *scopes.Operations       // of the needs of the evidence
	needs    []Requirement            // those of the evidence, then those that refusals prove
	used     []bool                   // by need: is the operation in use?
	stands   []bool                   // by need: so, whatever the manifest names?
	seen     []bool                   // by need: did a recorded call succeed, or is it a refusal?
	backing  map[string][]string      // by needed scope: the declared scopes that cover it
	calls    map[useID]usage
	known    *scopes.Set                  // filled by vocabulary
	named    map[scopes.Operation][]namer // filled by naming
	inUse    []*Requirement               // the needs in use that say something, by operation
	open     []bool                       // by declared entry: no source says what its operations need
	accepted map[string]int               // see acceptance
	proved   map[string]bool              // refusals that are among the needs
	choosing bool                         // see choseTools
	listing  bool                         // see listsCalls
	blind    bool                         // of something in use it is not known what it needs, see strange
	notes    []Note

	suspects []suspect               // see narrow
	left     map[string]scopes.Level // fixed, as it is once the suspects judged so far are mended
	gone     map[string]bool         // by name: entries that are not left
}

// A useID is the n-th used_by of the n-th declared entry.
type useID struct{ entry, use int }

// called is what lists and recordings say of a used_by.
type usage struct {
	listed   bool     // in Evidence.Calls
	tried    bool     // in Evidence.Traffic, however it ended
	unsafe   bool     // so, with a method that may change something (RFC 9110 §9.2.1)
	recorded bool     // in Evidence.Traffic with success: another call proves nothing of the grant
	refused  []string // what recorded refusals named
	doubtful bool     // it was refused, maybe for want of the entry's scope: the recording does not tell
}

func newAudit(q Question, declared []scopes.Need) *auditor {
	a := &auditor{
		Question: q, declared: declared, places: make(map[string][]scopes.Need),
		backing: make(map[string][]string), calls: make(map[useID]usage),
		proved: make(map[string]bool), open: make([]bool, len(declared)),
	}
	if q.Evidence == nil {
		a.Evidence = &Evidence{}
	}
	if q.Manifest.Provider != nil {
		a.implies = q.Manifest.Provider.Implies
	}
	a.needs, a.accepted = slices.Clone(a.Evidence.Requirements), acceptance(a.Evidence.Requirements)
	a.catalog = scopes.NewOperations(operationsOf(a.needs))
	var words, fixed []string
	for _, e := range declared {
		words = append(words, e.AnyOf...)
		if len(e.AnyOf) == 1 {
			fixed = append(fixed, e.AnyOf...)
		}
	}
	a.words, a.fixed = scopes.NewSet(words...), scopes.NewSet(fixed...)
	for _, e := range a.declarations(q.Programs) {
		a.places[e.Key()] = append(a.places[e.Key()], e)
	}
	return a
}

// declarations are the entries that count, one by one.
func (a *auditor) declarations(programs []string) []scopes.Need {
	list := slices.Clone(a.Manifest.Scopes)
	for _, p := range a.Manifest.Programs {
		if slices.Contains(programs, p.Name) {
			list = append(list, p.Scopes...)
		}
	}
	return list
}

// cover is [Cover] with what the evidence knows of the scopes.
func (a *auditor) cover(needs []*Requirement, held, prefer scopes.Set) Covering {
	return Cover(CoverQuestion{Requirements: values(needs), Implies: a.implies, Held: held, Prefer: prefer, Accepted: a.accepted})
}

// acceptance counts for how many operations of the evidence each scope would do.
func acceptance(needs []Requirement) map[string]int {
	accepted := make(map[string]int)
	for i := range needs {
		for scope := range scopes.NewSet(slices.Concat(needs[i].AnyOf...)...).All() {
			accepted[scope]++
		}
	}
	return accepted
}

func operationsOf(list []Requirement) []scopes.Operation {
	operations := make([]scopes.Operation, len(list))
	for i := range list {
		operations[i] = list[i].Operation
	}
	return operations
}

// backers are the declared scopes that cover a needed one.
func (a *auditor) backers(scope string) []string {
	found, known := a.backing[scope]
	if known {
		return found
	}
	if a.words.Has(scope) {
		found = append(found, scope)
	}
	for by := range a.implies.Covering(scope) {
		if a.words.Has(by) {
			found = append(found, by)
		}
	}
	a.backing[scope] = found
	return found
}

// serves reports whether the entry helps to meet the need.
func (a *auditor) serves(e *scopes.Need, n *Requirement) bool {
	for _, all := range n.AnyOf {
		for _, scope := range all {
			for _, by := range a.backers(scope) {
				if slices.Contains(e.AnyOf, by) {
					return true
				}
			}
		}
	}
	return false
}

// says is one line of evidence: what the source says that the operation needs.
func (n *Requirement) says() string {
	switch {
	case n.Source == SourceTraffic:
		return text.Line(fmt.Sprintf("%s was refused for want of %s (%s)", n.Operation, n.wants(), n.Where))
	case n.Silent():
		return text.Line(fmt.Sprintf("%s: no word of scopes (%s)", n.Operation, n.Where))
	default:
		return text.Line(fmt.Sprintf("%s needs %s (%s)", n.Operation, n.wants(), n.Where))
	}
}

func (n *Requirement) wants() string {
	words := make([]string, len(n.AnyOf))
	for i, all := range n.AnyOf {
		if words[i] = strings.Join(all, " and "); len(all) == 0 {
			words[i] = "no scope"
		}
	}
	return strings.Join(words, ", or ")
}

// evidenceOf lists what the needs say, in order, each once.
func evidenceOf(needs []*Requirement) []string {
	needs = slices.Clone(needs)
	slices.SortStableFunc(needs, byOperation)
	lines := make([]string, 0, min(len(needs), maxEvidence))
	for i, n := range needs {
		if len(lines) == maxEvidence {
			lines = append(lines, fmt.Sprintf("and %d more", len(needs)-i))
			break
		}
		if line := n.says(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
