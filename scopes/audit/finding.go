package audit

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Finding is one difference between a manifest and the evidence.
type Finding struct {
	Kind     FindingKind
	Scope    string        // as [scopes.Need.Name] for one that is declared
	Level    *scopes.Level // as declared; for what is not, as it would be added; nil for a waiver, which has none
	File     string
	Line     int      // of the manifest: the need, the waiver, or where the operation is named
	Evidence []string // what the finding rests on, a line each; never nil
	Message  string   // one sentence, one line
	Near     []string // of a word that is not known: what may be meant

	fix map[declaration][]scopes.Need // what [Fixed] puts in the place of declarations; nil: that is for people to decide
}

// A declaration is where a need is declared: no list has two of a key.
type declaration struct{ program, key string }

func declarationOf(n scopes.Need) declaration {
	if len(n.Programs) == 0 {
		return declaration{"", n.Key()}
	}
	return declaration{n.Programs[0], n.Key()}
}

// Findings is the outcome of an audit.
type Findings struct {
	Findings []Finding // in the order of the manifest's lines, then by kind and scope
	Matrix   []Row
	Waived   []Finding // what a waiver silences
	Notes    []Note
	Least    Least
}

// Of returns the findings of the given kinds, in their order.
func (f *Findings) Of(kinds ...FindingKind) []Finding {
	var found []Finding
	for _, one := range f.Findings {
		if slices.Contains(kinds, one.Kind) {
			found = append(found, one)
		}
	}
	return found
}

// sortFindings puts findings into the order of the manifest; what has no line comes last.
func sortFindings(list []Finding) {
	kinds := manifest.FindingKinds()
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.Line, math.MaxInt), cmp.Or(b.Line, math.MaxInt)),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Scope, b.Scope))
	})
}

// maxEvidence bounds the evidence that one finding lists: nobody reads more.
const maxEvidence = 20

// about is a finding about a declared need.
func (n *need) about(kind FindingKind, evidence []string, message string) Finding {
	evidence = append([]string{}, evidence...)
	if more := len(evidence) - maxEvidence; more > 0 {
		evidence = append(evidence[:maxEvidence], fmt.Sprintf("and %d more", more))
	}
	return Finding{Kind: kind, Scope: n.Name(), Level: &n.Level, File: n.File, Line: n.Line, Evidence: evidence, Message: text.Line(message)}
}

// evidenceOf lists what requirements say, in order, each once.
func evidenceOf(requirements []*requirement) []string {
	sorted := slices.SortedStableFunc(slices.Values(requirements), func(a, b *requirement) int {
		return cmp.Or(cmp.Compare(a.Operation.String(), b.Operation.String()),
			cmp.Compare(a.Where.File, b.Where.File), cmp.Compare(a.Where.Line, b.Where.Line))
	})
	lines := make([]string, 0, min(len(sorted), maxEvidence))
	for i, r := range sorted {
		if len(lines) == maxEvidence {
			return append(lines, fmt.Sprintf("and %d more", len(sorted)-i))
		}
		if line := r.Says(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
