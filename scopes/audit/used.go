package audit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// selectUsed finds out which needs are those of operations in use, and what lists and
// recordings say of each used_by.
func (a *auditor) selectUsed() {
	a.used, a.stands, a.seen = make([]bool, len(a.needs)), make([]bool, len(a.needs)), make([]bool, len(a.needs))
	a.choosing, a.listing = a.choseTools(), a.listsCalls()
	var operations []scopes.Operation
	var ids []useID
	for i := range a.declared {
		for j, u := range a.declared[i].UsedBy {
			operations = append(operations, u)
			ids = append(ids, useID{i, j})
			if !a.listing && u.Tool == "" {
				a.mention(a.catalog.MatchRecorded(u))
			}
		}
	}
	named := scopes.NewOperations(operations)
	a.selectTools(named)
	var listed, recorded []Call
	for _, c := range a.Evidence.Calls {
		needs, namers := a.catalog.MatchRecorded(c.Operation), named.MatchRecorded(c.Operation)
		a.use(needs)
		for _, id := range namers {
			found := a.calls[ids[id]]
			found.listed = true
			a.calls[ids[id]] = found
		}
		if c.Operation.Tool == "" && a.strange(needs, namers) {
			listed = append(listed, c)
		}
	}
	for i := range a.Evidence.Traffic {
		o := &a.Evidence.Traffic[i]
		found := a.catalog.MatchRecorded(o.Operation)
		a.observe(o, found)
		namers := named.MatchRecorded(o.Operation)
		wanted := a.wanted(o, namers, ids)
		for _, id := range namers {
			a.record(ids[id], o, wanted)
		}
		a.refusal(o, wanted)
		if !a.listing && len(wanted) == 0 && a.strange(found, namers) {
			recorded = append(recorded, Call{o.Operation, o.Where})
		}
	}
	a.noteStrange(listed, maxEvidence)
	a.noteStrange(recorded, 1)
	a.inUse = a.usedNeeds()
}

// strange reports whether nobody knows what an operation needs: neither a source nor an
// entry, which would have to name it.
func (a *auditor) strange(needs, namers []int) bool {
	says := func(at int) bool { return !a.needs[at].Silent() }
	return len(namers) == 0 && !slices.ContainsFunc(needs, says)
}

// use marks needs of operations that a list or a recording has.
func (a *auditor) use(needs []int) {
	a.mention(needs)
	for _, i := range needs {
		a.stands[i] = true
	}
}

// mention marks needs of operations that an entry names.
func (a *auditor) mention(needs []int) {
	for _, i := range needs {
		a.used[i] = true
	}
}

// listsCalls reports whether a list says which calls are in use; one that names only tools
// says nothing of the others.
func (a *auditor) listsCalls() bool {
	return slices.ContainsFunc(a.Evidence.Calls, func(c Call) bool { return c.Operation.Tool == "" })
}

// noteStrange tells of calls in use of which nothing is known: what they need is then in
// no finding and in no set, and may be any scope that is declared for no operation.
func (a *auditor) noteStrange(calls []Call, most int) {
	a.blind = a.blind || len(calls) > 0
	for i, c := range calls {
		if i == most {
			a.notes = append(a.notes, Note{c.Where, fmt.Sprintf("and %d more such calls", len(calls)-i)})
			return
		}
		message := ": no source knows this call and no entry names it, so what it needs is not known"
		if len(a.catalog.MatchRecorded(c.Operation)) > 0 {
			message = ": no source says what this call needs, and no entry names it"
		}
		a.notes = append(a.notes, Note{c.Where, text.Line(c.Operation.String() + message)})
	}
}

// observe takes in what a recorded call says of the operations that it is.
func (a *auditor) observe(o *Observation, needs []int) {
	if !a.listing {
		a.use(needs)
	}
	if o.Succeeded() {
		for _, i := range needs {
			a.seen[i] = true
		}
	}
}

func (a *auditor) record(id useID, o *Observation, wanted []string) {
	c := a.calls[id]
	safe := o.Operation.Method == "GET" || o.Operation.Method == "HEAD" || o.Operation.Method == "OPTIONS"
	c.tried, c.unsafe = true, c.unsafe || !safe
	c.recorded = c.recorded || o.Succeeded()
	c.refused = append(c.refused, wanted...)
	c.doubtful = c.doubtful || o.Refused() && o.Named == nil && slices.ContainsFunc(a.declared[id.entry].AnyOf, func(scope string) bool { return slices.Contains(o.Scopes, scope) })
	a.calls[id] = c
}

// wanted are the scopes whose want a recorded refusal proves: those that the answer
// named. Where the recording does not tell these apart, they are what is connected with
// the call and not by the manifest: a key that is expired is refused just so. What that
// leaves out is doubtful, and stays as it is declared: were it removed, it would be wanted.
func (a *auditor) wanted(o *Observation, namers []int, ids []useID) []string {
	switch {
	case !o.Refused():
		return nil
	case o.Named != nil:
		return o.Named
	}
	return slices.DeleteFunc(slices.Clone(o.Scopes), func(scope string) bool {
		return slices.ContainsFunc(namers, func(id int) bool { return slices.Contains(a.declared[ids[id].entry].AnyOf, scope) })
	})
}

// selectTools marks the needs of the tools in use, and notes names that no file knows.
func (a *auditor) selectTools(named *scopes.Operations) {
	names := slices.Clone(a.Evidence.Tools)
	where := make(map[string]Where)
	for _, c := range a.Evidence.Calls {
		if c.Operation.Tool != "" {
			names = append(names, c.Operation.Tool)
			where[c.Operation.Tool] = c.Where
		}
	}
	if !a.selectsTools() {
		for i := range a.declared {
			for _, tool := range a.declared[i].Tools() {
				a.mention(a.catalog.Match(scopes.Operation{Tool: tool}))
			}
		}
		return
	}
	known := a.catalog.Tools()
	for _, name := range scopes.NewSet(names...).Slice() {
		hits := 0
		for _, tool := range known {
			if toolFits(name, tool) {
				hits++
				a.use(a.catalog.Match(scopes.Operation{Tool: tool}))
				a.blind = a.blind || a.strange(a.catalog.Match(scopes.Operation{Tool: tool}), named.Match(scopes.Operation{Tool: tool}))
			}
		}
		if hits == 0 {
			a.blind = a.blind || len(named.Match(scopes.Operation{Tool: name})) == 0
			message := "no tool is called so: " + name
			if near := text.Near(name, known); len(near) > 0 {
				message += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			at, listed := where[name]
			if !listed {
				at = Where{File: "--tools"}
			}
			a.notes = append(a.notes, Note{at, text.Line(message)})
		}
	}
}

// toolFits reports whether a tool has the name, in which * stands for any characters and
// ? for one. A pattern that is none names the tool of that very name.
func toolFits(name, tool string) bool {
	// A slash in a tool's name is a character like any other.
	fits, err := path.Match(strings.ReplaceAll(name, "/", "\x00"), strings.ReplaceAll(tool, "/", "\x00"))
	return name == tool || err == nil && fits
}

// selects reports whether Evidence.Tools or Evidence.Calls name the tool.
func (a *auditor) selects(tool string) bool {
	return slices.ContainsFunc(a.Evidence.Tools, func(name string) bool { return toolFits(name, tool) }) ||
		slices.ContainsFunc(a.Evidence.Calls, func(c Call) bool { return c.Operation.Tool != "" && toolFits(c.Operation.Tool, tool) })
}

// selectsTools reports whether anything names the tools in use.
func (a *auditor) selectsTools() bool {
	return len(a.Evidence.Tools) > 0 || slices.ContainsFunc(a.Evidence.Calls, func(c Call) bool { return c.Operation.Tool != "" })
}

// choseTools reports whether a tool that some file knows was named: a list of which none is
// known is a slip of the pen, and takes nothing out of use.
func (a *auditor) choseTools() bool {
	for _, tool := range a.catalog.Tools() {
		if a.selects(tool) {
			return true
		}
	}
	return false
}

// refusal adds a need for a recorded refusal that names scopes: the strongest evidence
// there is, so it counts whatever was said to be in use.
func (a *auditor) refusal(o *Observation, wanted []string) {
	if len(wanted) == 0 {
		return
	}
	n := Requirement{Operation: o.Operation, AnyOf: [][]string{wanted}, Where: o.Where, Source: SourceTraffic}
	if known := a.catalog.MatchRecorded(o.Operation); len(known) > 0 {
		n.Operation, n.Title = a.needs[known[0]].Operation, a.needs[known[0]].Title
	}
	key := n.Operation.String() + " " + strings.Join(wanted, " ")
	if a.proved[key] {
		return
	}
	a.proved[key] = true
	a.needs, a.used, a.stands, a.seen = append(a.needs, n), append(a.used, true), append(a.stands, true), append(a.seen, true)
}

// usedNeeds are the needs in use that say something, by operation.
func (a *auditor) usedNeeds() []*Requirement {
	var needs []*Requirement
	for i := range a.needs {
		if a.used[i] && !a.needs[i].Silent() {
			needs = append(needs, &a.needs[i])
		}
	}
	slices.SortStableFunc(needs, func(x, y *Requirement) int {
		p, q := &x.Operation, &y.Operation
		return cmp.Or(cmp.Compare(p.Tool, q.Tool), cmp.Compare(p.Base, q.Base), cmp.Compare(p.Path, q.Path), cmp.Compare(p.Method, q.Method))
	})
	return needs
}
