package audit

import (
	"cmp"
	"slices"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A FindingKind is what an audit can find. The type stands with the manifest, whose waivers
// name it.
type FindingKind = manifest.FindingKind

// The kinds of finding, as [manifest.FindingKinds] lists them.
const (
	Undeclared    = manifest.Undeclared
	UnknownScope  = manifest.UnknownScope
	OverLevel     = manifest.OverLevel
	Unused        = manifest.Unused
	Unproved      = manifest.Unproved
	ExpiredWaiver = manifest.ExpiredWaiver
)

// FindingKinds lists every kind, the gravest first.
func FindingKinds() []FindingKind { return manifest.FindingKinds() }

// FailingKinds are the kinds that fail an audit where nobody says which: with these a
// program lacks something, or asks for what does not exist.
func FailingKinds() []FindingKind { return []FindingKind{Undeclared, UnknownScope} }

// A Finding is one difference between a manifest and the evidence. Its JSON names
// are those of ambit.audit/v1.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Scope    string      `json:"scope"` // as [Entry.Name] for one that is declared
	Level    string      `json:"level"` // as declared; for what is not, as it would be added; "" for a waiver
	File     string      `json:"file"`
	Line     int         `json:"line"`     // of the manifest: the entry, the waiver, or where the operation is named
	Evidence []string    `json:"evidence"` // what was held against it, a line each; never nil
	Message  string      `json:"message"`  // one sentence, one line
	Near     []string    `json:"near,omitempty"`

	Fix Fix `json:"-"`
}

// A Fix is how [Mend] settles a finding.
type Fix struct {
	Entries []scopes.Need // the declarations that it is about
	Level   *scopes.Level // the level that is enough
	Narrow  bool          // is instead an answer?
	Instead []scopes.Need // what is enough in their place; nothing where the others cover all
}

// Findings is the outcome of an audit. Its JSON names are those of ambit.audit/v1;
// schema and ok are the view's to add.
type Findings struct {
	Findings []Finding `json:"findings"` // in the order of the manifest's lines, then by kind and scope
	Matrix   []Row     `json:"matrix"`
	Waived   []Finding `json:"waived"` // what a waiver silences
	Notes    []Note    `json:"notes"`
	Least    Least     `json:"least"`

	Missing []scopes.Need `json:"-"` // what has to be added, with level, why and used_by
}

// A Least is the least set of scopes for everything that the evidence shows in use.
type Least struct {
	Scopes scopes.Set    `json:"scopes"`
	Exact  bool          `json:"exact"` // false: the search was cut off, and a smaller set may exist
	Needs  []scopes.Need `json:"-"`     // the same, ready for [FormatEntries]

	// Kept are the names of declared entries besides: of operations that are in use or may
	// be, and of which no source says what they need.
	Kept      []string      `json:"kept"` // never nil
	KeptNeeds []scopes.Need `json:"-"`
}

// A Row is a scope in the table of an audit, with a column for each source.
type Row struct {
	Scope      string            `json:"scope"`
	Declared   bool              `json:"declared"`
	Level      string            `json:"level"`      // "" where it is not declared
	CoveredBy  string            `json:"covered_by"` // the declared scope that implies it; "" for none, or where it is declared
	Advertised scopes.Advertised `json:"advertised"`
	NeededBy   []string          `json:"needed_by"` // operations and tools, sorted; never nil
	API        bool              `json:"api"`       // a document says that an operation in use needs it
	MCP        bool              `json:"mcp"`       // a tool in use needs it
	Observed   bool              `json:"observed"`  // a recorded call proves it: it succeeded, or was refused by this name
	Granted    scopes.Advertised `json:"granted"`   // unknown where no grant was given
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

// sort puts findings into the order of the manifest; what has no line comes last.
func sortFindings(list []Finding) {
	line := func(f *Finding) int {
		if f.Line == 0 {
			return int(^uint(0) >> 1)
		}
		return f.Line
	}
	kinds := FindingKinds()
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(line(&a), line(&b)),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Scope, b.Scope))
	})
}

// maxEvidence bounds the evidence that one finding or row lists: more nobody reads.
const maxEvidence = 20
