package audit

import (
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// A collector finds out which operations are in use, and what lists and recordings have of
// those that needs name.
type collector struct {
	*facts
	named  *scopes.Operations // those that needs name
	owners []*mention         // of named, by index
	proved map[string]bool    // refusals that are among the requirements
}

func newCollector(f *facts) *collector {
	c := &collector{facts: f, proved: make(map[string]bool)}
	var operations []scopes.Operation
	for i := range f.needs {
		for j := range f.needs[i].mentions {
			m := &f.needs[i].mentions[j]
			operations, c.owners = append(operations, m.op), append(c.owners, m)
		}
	}
	c.named = scopes.NewOperations(operations)
	f.listsCalls = slices.ContainsFunc(f.Evidence.Calls, func(call Call) bool { return call.Operation.Tool == "" })
	return c
}

func (c *collector) collect() {
	c.pickTools()
	for _, o := range c.owners {
		if tool := o.op.Tool != ""; tool && len(c.picks) == 0 || !tool && !c.listsCalls {
			c.raise(o.sources, useNamed)
		}
	}
	c.collectTools()
	c.collectCalls()
	c.collectTraffic()
}

// raise notes a reason why the operations of requirements count as used.
func (c *collector) raise(requirements []int, use use) {
	for _, at := range requirements {
		c.requirements[at].use = max(c.requirements[at].use, use)
	}
}

// isDescribed reports whether somebody knows what an operation requires: a source, or a need
// that names it.
func (c *collector) isDescribed(requirements, owners []int) bool {
	return len(owners) > 0 || slices.ContainsFunc(requirements, func(at int) bool { return !c.requirements[at].Silent() })
}

func (c *collector) collectCalls() {
	var unknown []Call
	for _, call := range c.Evidence.Calls {
		requirements, owners := c.catalog.MatchRecorded(call.Operation), c.named.MatchRecorded(call.Operation)
		c.raise(requirements, useListed)
		for _, id := range owners {
			c.owners[id].listed = true
		}
		if call.Operation.Tool == "" && !c.isDescribed(requirements, owners) {
			unknown = append(unknown, call)
		}
	}
	c.noteUndescribed(unknown, maxEvidence)
}

// collectTraffic takes in what was recorded. Where calls are listed, other recorded calls are
// another program's; but a refusal that names a scope proves that it is required.
func (c *collector) collectTraffic() {
	var unknown []Call
	for i := range c.Evidence.Traffic {
		o := &c.Evidence.Traffic[i]
		requirements, owners := c.catalog.MatchRecorded(o.Operation), c.named.MatchRecorded(o.Operation)
		if !c.listsCalls {
			c.raise(requirements, useListed)
		}
		for _, at := range requirements {
			if r := &c.requirements[at]; o.succeeded() && r.use > useNone {
				r.use = useObserved
			}
		}
		wanted := c.wanted(o, owners)
		for _, id := range owners {
			c.record(c.owners[id], o, wanted)
		}
		c.prove(o, requirements, wanted)
		if !c.listsCalls && len(wanted) == 0 && !c.isDescribed(requirements, owners) {
			unknown = append(unknown, Call{o.Operation, o.Where})
		}
	}
	c.noteUndescribed(unknown, 1)
}

func (c *collector) record(by *mention, o *Observation, wanted []string) {
	by.recorded = max(by.recorded, recordedFailure)
	if o.succeeded() {
		by.recorded = recordedSuccess
	}
	by.refusedFor = append(by.refusedFor, wanted...)
	if o.refused() && o.Named == nil {
		by.unclear = by.unclear || slices.ContainsFunc(by.anyOf, func(scope string) bool { return slices.Contains(o.Scopes, scope) })
	}
}

// wanted are the scopes that a recorded refusal proves to be missing: those that the response
// named. Where the recording does not say which these are, they are the scopes of the call
// without those that the manifest connects with it, for an expired key is refused in the same
// way. Those are unclear, and stay as they are declared: once removed, they would be wanted.
func (c *collector) wanted(o *Observation, owners []int) []string {
	switch {
	case !o.refused():
		return nil
	case o.Named != nil:
		return o.Named
	}
	return slices.DeleteFunc(slices.Clone(o.Scopes), func(scope string) bool {
		return slices.ContainsFunc(owners, func(id int) bool { return slices.Contains(c.owners[id].anyOf, scope) })
	})
}

// prove adds a requirement for a recorded refusal that names scopes: the strongest evidence
// there is, so it counts whatever was said to be in use.
func (c *collector) prove(o *Observation, known []int, wanted []string) {
	if len(wanted) == 0 {
		return
	}
	r := requirement{Requirement{Operation: o.Operation, AnyOf: [][]string{wanted}, Where: o.Where, Source: SourceTraffic}, useObserved}
	if len(known) > 0 {
		r.Operation, r.Title = c.requirements[known[0]].Operation, c.requirements[known[0]].Title
	}
	if key := r.Operation.String() + " " + strings.Join(wanted, " "); !c.proved[key] {
		c.proved[key] = true
		c.requirements = append(c.requirements, r)
	}
}

// noteUndescribed is about calls in use that nobody describes: what they require is then in no
// finding and in no set, and may be any scope that is declared for no operation.
func (c *collector) noteUndescribed(calls []Call, most int) {
	c.undescribed = c.undescribed || len(calls) > 0
	for i, call := range calls {
		if i == most {
			c.note(call.Where, "and "+text.Count(len(calls)-i, "more such call"))
			return
		}
		message := ": no source knows this call and no entry names it, so what it needs is not known"
		if len(c.catalog.MatchRecorded(call.Operation)) > 0 {
			message = ": no source says what this call needs, and no entry names it"
		}
		c.note(call.Where, call.Operation.String()+message)
	}
}

func (c *collector) note(where Where, message string) {
	c.notes = append(c.notes, Note{where, text.Line(message)})
}

// collectTools takes in the tools that were picked, and notes names that no source knows.
func (c *collector) collectTools() {
	known := c.catalog.Tools()
	for _, pick := range c.picks {
		name := pick.Operation.Tool
		fits := slices.DeleteFunc(slices.Clone(known), func(tool string) bool { return !toolFits(name, tool) })
		for _, tool := range fits {
			op := scopes.Operation{Tool: tool}
			requirements := c.catalog.Match(op)
			c.raise(requirements, useListed)
			c.undescribed = c.undescribed || !c.isDescribed(requirements, c.named.Match(op))
		}
		if len(fits) > 0 {
			continue
		}
		c.undescribed = c.undescribed || len(c.named.Match(pick.Operation)) == 0
		message := "no tool has this name: " + name
		if near := text.Near(name, known); len(near) > 0 {
			message += "; " + text.DidYouMean(near)
		}
		c.note(pick.Where, message)
	}
}

// pickTools gathers the names by which tools were picked, each once, and who says so.
func (c *collector) pickTools() {
	pick := func(call Call) {
		if name := call.Operation.Tool; name != "" && !slices.ContainsFunc(c.picks, func(pick Call) bool { return pick.Operation.Tool == name }) {
			c.picks = append(c.picks, call)
		}
	}
	for _, name := range c.Evidence.Tools {
		pick(Call{scopes.Operation{Tool: name}, Where{File: "--tools"}})
	}
	for _, call := range c.Evidence.Calls {
		pick(call)
	}
}

// UnknownTools are the names of [Evidence.Tools] that no tool has, with the tools that there are: those
// of the sources, else those that declared needs name.
func UnknownTools(e *Evidence, declared []scopes.Need) (unknown, known []string) {
	var operations []scopes.Operation
	for i := range e.Requirements {
		operations = append(operations, e.Requirements[i].Operation)
	}
	for i := range e.Traffic {
		operations = append(operations, e.Traffic[i].Operation)
	}
	if known = scopes.NewOperations(operations).Tools(); len(known) == 0 {
		for _, need := range declared {
			known = append(known, need.Tools()...)
		}
	}
	for _, name := range e.Tools {
		if !slices.ContainsFunc(known, func(tool string) bool { return toolFits(name, tool) }) {
			unknown = append(unknown, name)
		}
	}
	return unknown, known
}

// isPicked reports whether a tool is among those that were picked.
func (f *facts) isPicked(tool string) bool {
	return slices.ContainsFunc(f.picks, func(pick Call) bool { return toolFits(pick.Operation.Tool, tool) })
}

// toolFits reports whether a tool has the name: * means any characters, ? one. A malformed
// pattern is the tool of that very name.
func toolFits(name, tool string) bool {
	// A slash in a tool's name is a character like any other.
	fits, err := path.Match(strings.ReplaceAll(name, "/", "\x00"), strings.ReplaceAll(tool, "/", "\x00"))
	return name == tool || err == nil && fits
}
