package scopes

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// selectUsed finds out which needs are those of operations in use, and what lists and
// recordings say of each used_by.
func (a *audit) selectUsed() {
	a.used, a.seen = make([]bool, len(a.needs)), make([]bool, len(a.needs))
	a.selectTools()
	named := newRouter()
	var ids []useID
	for i := range a.declared {
		for j, u := range a.declared[i].UsedBy {
			named.add(u, len(ids))
			ids = append(ids, useID{i, j})
			if a.Evidence.Calls == nil && u.Tool == "" {
				a.use(a.catalog.find(u))
			}
		}
	}
	for _, c := range a.Evidence.Calls {
		a.use(a.catalog.find(c.Use))
		for _, id := range named.find(c.Use) {
			found := a.calls[ids[id]]
			found.listed = true
			a.calls[ids[id]] = found
		}
	}
	for i := range a.Evidence.Traffic {
		o := &a.Evidence.Traffic[i]
		found := a.catalog.find(o.Operation)
		a.observe(o, found)
		for _, id := range named.find(o.Operation) {
			a.record(ids[id], o)
		}
	}
	a.refusals()
	a.inUse = a.usedNeeds()
}

func (a *audit) use(needs []int) {
	for _, i := range needs {
		a.used[i] = true
	}
}

// observe takes in what a recorded call says of the operations that it is.
func (a *audit) observe(o *Observation, needs []int) {
	if a.Evidence.Calls == nil {
		a.use(needs)
	}
	if o.Succeeded() {
		for _, i := range needs {
			a.seen[i] = true
		}
	}
}

func (a *audit) record(id useID, o *Observation) {
	c := a.calls[id]
	safe := o.Operation.Method == "GET" || o.Operation.Method == "HEAD" || o.Operation.Method == "OPTIONS"
	c.safe = safe && (c.safe || !c.recorded)
	c.recorded = true
	if o.Refused() {
		c.refused = append(c.refused, o.Scopes...)
	}
	a.calls[id] = c
}

// selectTools marks the needs of the tools in use, and notes names that no file knows.
func (a *audit) selectTools() {
	names := slices.Clone(a.Evidence.Tools)
	for _, c := range a.Evidence.Calls {
		if c.Use.Tool != "" {
			names = append(names, c.Use.Tool)
		}
	}
	if len(names) == 0 {
		for i := range a.declared {
			for _, tool := range a.declared[i].Tools() {
				a.use(a.catalog.tools[tool])
			}
		}
		return
	}
	known := make([]string, 0, len(a.catalog.tools))
	for tool := range a.catalog.tools {
		known = append(known, tool)
	}
	slices.Sort(known)
	for _, name := range NewSet(names...).Slice() {
		hits := 0
		for _, tool := range known {
			if toolFits(name, tool) {
				hits++
				a.use(a.catalog.tools[tool])
			}
		}
		if hits == 0 {
			message := "no tool is called so: " + name
			if near := Near(name, known); len(near) > 0 {
				message += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			a.notes = append(a.notes, Note{Where{File: "--tools"}, oneLine(message)})
		}
	}
}

// toolFits tells whether a tool has the name, in which * stands for any characters and
// ? for one. A pattern that is none names the tool of that very name.
func toolFits(name, tool string) bool {
	fits, err := path.Match(name, tool)
	return name == tool || err == nil && fits
}

// selects tells whether Evidence.Tools or Evidence.Calls name the tool.
func (a *audit) selects(tool string) bool {
	return slices.ContainsFunc(a.Evidence.Tools, func(name string) bool { return toolFits(name, tool) }) ||
		slices.ContainsFunc(a.Evidence.Calls, func(c Call) bool { return c.Use.Tool != "" && toolFits(c.Use.Tool, tool) })
}

// selectsTools tells whether anything names the tools in use.
func (a *audit) selectsTools() bool {
	return len(a.Evidence.Tools) > 0 || slices.ContainsFunc(a.Evidence.Calls, func(c Call) bool { return c.Use.Tool != "" })
}

// refusals adds a need for each recorded refusal that names scopes: the strongest
// evidence there is, so it counts whatever was said to be in use.
func (a *audit) refusals() {
	proved := make(map[string]int)
	for i := range a.Evidence.Traffic {
		o := &a.Evidence.Traffic[i]
		if !o.Refused() || len(o.Scopes) == 0 {
			continue
		}
		n := Need{Operation: o.Operation, AnyOf: [][]string{o.Scopes}, Where: o.Where, Source: SourceTraffic}
		if known := a.catalog.find(o.Operation); len(known) > 0 {
			n.Operation, n.Title = a.needs[known[0]].Operation, a.needs[known[0]].Title
		}
		key := n.Operation.String() + " " + strings.Join(o.Scopes, " ")
		if _, twice := proved[key]; twice {
			continue
		}
		proved[key] = len(a.needs)
		a.needs, a.used, a.seen = append(a.needs, n), append(a.used, true), append(a.seen, true)
	}
}

// usedNeeds are the needs in use that say something, by operation.
func (a *audit) usedNeeds() []*Need {
	var needs []*Need
	for i := range a.needs {
		if a.used[i] && !a.needs[i].Silent() {
			needs = append(needs, &a.needs[i])
		}
	}
	slices.SortStableFunc(needs, func(x, y *Need) int {
		p, q := &x.Operation, &y.Operation
		return cmp.Or(cmp.Compare(p.Tool, q.Tool), cmp.Compare(p.Base, q.Base), cmp.Compare(p.Path, q.Path), cmp.Compare(p.Method, q.Method))
	})
	return needs
}
