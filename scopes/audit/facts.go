package audit

import (
	"cmp"
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// facts are the picture that the rules judge: what is declared, what is in use and why, and
// what is not known. They are made once, by [newFacts], and never change.
type facts struct {
	Question
	implies scopes.Implications

	needs   []need                        // that count as declared, merged, in the manifest's order
	words   scopes.Set                    // every scope that one of them names
	certain scopes.Set                    // the scopes of those without alternatives: what is asked for in any case
	places  map[string][]scopes.Need      // by key: each declaration that counts, as the file has it
	naming  map[scopes.Operation][]naming // by operation of a source

	requirements []requirement             // what the sources say, then what refusals prove
	catalog      *scopes.Operations        // of what the sources say
	inUse        []*requirement            // those of operations in use that say something, by operation
	serving      map[string][]*requirement // of those: by scope, the ones for which it is of use
	accepted     map[string]int            // by scope: for how many operations of the sources it would do
	vocabulary   scopes.Set                // every scope that the sources know of

	picks       []Call // the names by which the tools in use were picked; none: as the needs name them
	listsCalls  bool   // a list says which calls are in use; one that names only tools says nothing of the others
	undescribed bool   // something is in use that no source describes and no need names
	notes       []Note // what is not known, for people
}

// A requirement is what one source says, and why it counts as one of the program's.
type requirement struct {
	Requirement
	use use
}

// A use says why an operation counts as used: the later, the stronger the reason.
type use int

const (
	useNone     use = iota // nothing says that the program uses it
	useNamed               // only needs of the manifest name it
	useListed              // a list of calls or of tools has it, or a recording
	useObserved            // and a recorded call proves what is required: it succeeded, or was refused for lack of it
)

// A naming is a declaration of the whole file, of whatever program, that names an operation.
type naming struct {
	*scopes.Need
	line int
}

// newFacts makes the picture. An unknown program is an *[manifest.UnknownProgramError].
func newFacts(q Question) (*facts, error) {
	declared, err := q.Manifest.Select(q.Programs...)
	if err != nil {
		return nil, err
	}
	if q.Evidence == nil {
		q.Evidence = &Evidence{}
	}
	f := &facts{Question: q, vocabulary: q.Evidence.Vocabulary()}
	if q.Manifest.Provider != nil {
		f.implies = q.Manifest.Provider.Implies
	}
	f.fileSources()
	f.fileNeeds(declared)
	f.fileNamings()
	newCollector(f).collect()
	f.inUse = f.required()
	f.serving = f.servingAmong(f.inUse)
	f.judgeNeeds()
	return f, nil
}

func (f *facts) fileSources() {
	f.accepted = make(map[string]int)
	f.requirements = make([]requirement, len(f.Evidence.Requirements))
	operations := make([]scopes.Operation, len(f.Evidence.Requirements))
	for i, r := range f.Evidence.Requirements {
		f.requirements[i].Requirement, operations[i] = r, r.Operation
		for scope := range scopes.NewSet(slices.Concat(r.AnyOf...)...).All() {
			f.accepted[scope]++
		}
	}
	f.catalog = scopes.NewOperations(operations)
}

func (f *facts) fileNeeds(declared []scopes.Need) {
	var words, certain []string
	for _, n := range declared {
		one := need{Need: n, mentions: make([]mention, len(n.UsedBy))}
		for i, op := range n.UsedBy {
			one.mentions[i] = mention{op: op, anyOf: n.AnyOf, sources: f.catalog.MatchRecorded(op)}
		}
		f.needs, words = append(f.needs, one), append(words, n.AnyOf...)
		if len(n.AnyOf) == 1 {
			certain = append(certain, n.AnyOf...)
		}
	}
	f.words, f.certain = scopes.NewSet(words...), scopes.NewSet(certain...)
}

// fileNamings goes through the declarations one by one: those that count, and those of other
// programs, which name operations as well.
func (f *facts) fileNamings() {
	f.places, f.naming = make(map[string][]scopes.Need), make(map[scopes.Operation][]naming)
	file := func(list []scopes.Need, counts bool) {
		for i := range list {
			n := &list[i]
			if counts {
				f.places[n.Key()] = append(f.places[n.Key()], *n)
			}
			for _, op := range n.UsedBy {
				for _, at := range f.catalog.MatchRecorded(op) {
					known := f.requirements[at].Operation.Unplaced()
					f.naming[known] = append(f.naming[known], naming{n, op.Line})
				}
			}
		}
	}
	file(f.Manifest.Scopes, true)
	for _, p := range f.Manifest.Programs {
		file(p.Scopes, slices.Contains(f.Programs, p.Name))
	}
}

// required are the requirements in use that say something, by operation.
func (f *facts) required() []*requirement {
	var list []*requirement
	for i := range f.requirements {
		if r := &f.requirements[i]; r.use > useNone && !r.Silent() {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b *requirement) int {
		p, q := &a.Operation, &b.Operation
		return cmp.Or(cmp.Compare(p.Tool, q.Tool), cmp.Compare(p.Base, q.Base), cmp.Compare(p.Path, q.Path), cmp.Compare(p.Method, q.Method))
	})
	return list
}

// servingAmong finds the requirements for which each scope is of use, for itself or for what it
// covers, in their order.
func (f *facts) servingAmong(requirements []*requirement) map[string][]*requirement {
	serving := make(map[string][]*requirement)
	add := func(scope string, r *requirement) {
		if list := serving[scope]; len(list) == 0 || list[len(list)-1] != r {
			serving[scope] = append(list, r)
		}
	}
	for _, r := range requirements {
		for _, word := range slices.Concat(r.AnyOf...) {
			add(word, r)
			for by := range f.implies.Covering(word) {
				add(by, r)
			}
		}
	}
	return serving
}

// covers reports whether one scope is as good as another.
func (f *facts) covers(scope, other string) bool {
	_, ok := f.implies.CoveredBy(scopes.NewSet(scope), other)
	return ok
}

// isComplete reports whether it is known of all that is in use what it requires, so that a need
// that names no operation can be judged. That a call was not recorded does not say that it is
// not made.
func (f *facts) isComplete() bool {
	return !f.undescribed && len(f.inUse)+len(f.Evidence.Calls) > 0
}

// isUnknown reports whether a scope of a need is a word that neither the server nor a source has.
func (f *facts) isUnknown(n *need, scope string) bool {
	return f.Server.State == scopes.Listed && !n.Unadvertised && scope != everything &&
		!f.Server.Scopes.Has(scope) && !f.vocabulary.Has(scope)
}

// counts reports whether a declaration is of the base, or of a program that was named.
func (f *facts) counts(n *scopes.Need) bool {
	return len(n.Programs) == 0 || slices.Contains(f.Programs, n.Programs[0])
}

// isWaived reports whether a waiver in force names the finding. One that names an alternative
// of an any_of names the need.
func (f *facts) isWaived(kind FindingKind, scope string) bool {
	for _, w := range f.Manifest.Waivers {
		if w.Kind != kind || w.Expired(f.Today) {
			continue
		}
		if w.Scope == scope || slices.ContainsFunc(f.needs, func(n need) bool { return n.Name() == scope && slices.Contains(n.AnyOf, w.Scope) }) {
			return true
		}
	}
	return false
}
