package scopes

import "slices"

// A Gap is how a grant falls short of the needs, and how it goes beyond them.
type Gap struct {
	Missing     Missing
	Lost        []Need     // the missing needs, in the manifest's order, with what stops without them
	HiddenTools []string   // MCP tools that a server leaves out of its catalogue for this grant
	Excess      Set        // granted and not declared, sorted
	Unsaid      []string   // the needs that only a scope of [Grant.Unsaid] could meet: neither met nor missing
	Covered     []Coverage // needs that were met by implication
	Assumed     bool       // nobody said what was granted: nothing here is certain
	Unknown     bool       // nobody lists what is held: nothing was compared
}

// Missing lists the names of missing needs by level, in the manifest's order.
type Missing struct {
	Required    []string
	Recommended []string
	Optional    []string
}

// A Coverage says by which granted scope a need was met that is not itself granted.
type Coverage struct {
	Scope string
	By    string
}

// Compare compares a grant with the needs, by meaning: a need is met where one of
// its alternatives is granted or implied by what is granted. Where nobody lists what is granted,
// nothing is missing, and nothing is met.
func Compare(needs []Need, grant Grant, implies Implications) Gap {
	gap := Gap{
		Missing: Missing{Required: []string{}, Recommended: []string{}, Optional: []string{}},
		Lost:    []Need{}, HiddenTools: []string{}, Unsaid: []string{}, Covered: []Coverage{},
		Assumed: grant.KnownBy == Assumed, Unknown: grant.KnownBy.Unlisted(),
	}
	if gap.Unknown {
		return gap
	}
	hidden := make(map[string]bool)
	for i := range needs {
		e := &needs[i]
		scope, by, met := e.MetBy(grant.Scopes, implies)
		switch {
		case !met && slices.ContainsFunc(e.AnyOf, grant.Unsaid.Has):
			gap.Unsaid = append(gap.Unsaid, e.Name())
		case !met:
			gap.lose(e, hidden)
		case scope != by:
			gap.Covered = append(gap.Covered, Coverage{Scope: scope, By: by})
		}
	}
	gap.Excess = excess(needs, grant.Scopes, implies)
	return gap
}

// MetBy reports whether the need is met by what is held: which alternative, and by
// which held scope.
func (e *Need) MetBy(held Set, implies Implications) (scope, by string, met bool) {
	for _, scope := range e.AnyOf {
		if held.Has(scope) {
			return scope, scope, true
		}
	}
	for _, scope := range e.AnyOf {
		if by, ok := implies.CoveredBy(held, scope); ok {
			return scope, by, true
		}
	}
	return "", "", false
}

func (g *Gap) lose(e *Need, hidden map[string]bool) {
	g.Lost = append(g.Lost, *e)
	name := e.Name()
	switch e.Level {
	case Required:
		g.Missing.Required = append(g.Missing.Required, name)
	case Recommended:
		g.Missing.Recommended = append(g.Missing.Recommended, name)
	default:
		g.Missing.Optional = append(g.Missing.Optional, name)
	}
	for _, tool := range e.Tools() {
		if !hidden[tool] {
			hidden[tool] = true
			g.HiddenTools = append(g.HiddenTools, tool)
		}
	}
}

// excess is what was granted beyond every declared scope and what those imply.
func excess(needs []Need, granted Set, implies Implications) Set {
	var declared []string
	for i := range needs {
		declared = append(declared, needs[i].AnyOf...)
	}
	all := NewSet(declared...)
	return granted.Where(func(scope string) bool {
		_, covered := implies.CoveredBy(all, scope)
		return !covered
	}).Sorted()
}
