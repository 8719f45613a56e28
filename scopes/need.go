package scopes

import (
	"slices"
	"strings"
)

// A Need declares one need: a scope, or several of which one is enough.
type Need struct {
	AnyOf        []string // one scope, or the alternatives in order of preference
	Level        Level
	Why          string // for people; untrusted text, to be escaped by each view
	UsedBy       []Operation
	Unadvertised bool     // advertised: false: granted, though not in scopes_supported (RFC 8414 §2)
	Added        bool     // somebody asks for it beside what the manifest says, whatever the server advertises
	Programs     []string // the selected programs that declare it; the base may declare it too
	File         string
	Line         int // of the scope's own word
	Column       int
	StartLine    int // line on which the entry begins
}

// Name is how views show the entry: the scope, or the alternatives as a|b.
func (e Need) Name() string {
	if len(e.AnyOf) == 1 {
		return e.AnyOf[0]
	}
	return strings.Join(e.AnyOf, "|")
}

// Declared reports whether a manifest has it; else somebody asks for it beside one.
func (e Need) Declared() bool { return !e.Added || e.Line > 0 }

// InWords is a name of [Need.Name] in a sentence: "one of a, b".
func InWords(name string) string {
	if strings.Contains(name, "|") {
		return "one of " + strings.ReplaceAll(name, "|", ", ")
	}
	return name
}

// Key is the same for entries that declare the same need. A blank can stand in no
// scope, so no two needs share a key.
func (e Need) Key() string {
	if len(e.AnyOf) == 1 {
		return e.AnyOf[0]
	}
	return strings.Join(slices.Sorted(slices.Values(e.AnyOf)), " ")
}

// Tools are the MCP tools among the entry's uses, in the manifest's order.
func (e Need) Tools() []string {
	var tools []string
	for _, u := range e.UsedBy {
		if u.Tool != "" {
			tools = append(tools, u.Tool)
		}
	}
	return tools
}

// uses reports whether some operation of the entry stands on the named base.
func (e Need) uses(base string) bool {
	return slices.ContainsFunc(e.UsedBy, func(u Operation) bool { return u.Base == base })
}
