package audit

import (
	"cmp"
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Row is a scope in the table of an audit, with a column for each source.
type Row struct {
	Scope      string
	About      string // what it allows, in the words of a source or the provider's file; untrusted text, may be empty
	Declared   bool
	Level      scopes.Level // only where it is declared
	CoveredBy  string       // the declared scope that implies it; "" for none, or where it is declared
	Advertised scopes.Advertised
	NeededBy   []string // operations and tools, sorted; never nil
	API        bool     // a document says that an operation in use requires it
	MCP        bool     // a tool in use requires it
	Observed   bool     // a recorded call proves it: it succeeded, or was refused by this name
	Granted    Granted
}

// Granted says whether the credential at hand holds a scope.
type Granted string

// What can be said of a scope and a credential.
const (
	GrantedYes     Granted = "yes" // it holds the scope, or another one that implies it
	GrantedNo      Granted = "no"
	GrantedUnknown Granted = "unknown" // nobody asked
)

// A table is the matrix while it is made.
type table struct {
	*facts
	rows  []Row
	index map[string]int
}

// matrix is a row for each scope that is declared, required or observed: in the manifest's
// order, then sorted. What is merely granted has none: a key for everything has hundreds.
func (f *facts) matrix() []Row {
	t := table{facts: f, rows: []Row{}, index: make(map[string]int)}
	for i := range f.needs {
		for _, scope := range f.needs[i].AnyOf {
			r := t.row(scope)
			r.Declared, r.Level = true, max(r.Level, f.needs[i].Level)
		}
	}
	declared := len(t.rows)
	t.takeRequirements()
	t.takeTraffic()
	slices.SortFunc(t.rows[declared:], func(a, b Row) int { return cmp.Compare(a.Scope, b.Scope) })
	for i := range t.rows {
		r := &t.rows[i]
		if !r.Declared {
			r.CoveredBy, _ = f.implies.CoveredBy(f.words, r.Scope)
		}
		slices.Sort(r.NeededBy)
		r.NeededBy = slices.Compact(r.NeededBy)
	}
	return t.rows
}

func (t *table) row(scope string) *Row {
	at, there := t.index[scope]
	if !there {
		at = len(t.rows)
		t.index[scope] = at
		t.rows = append(t.rows, Row{Scope: scope, About: t.about(scope), Advertised: t.Server.Says(scope), Granted: t.granted(scope), NeededBy: []string{}})
	}
	return &t.rows[at]
}

func (t *table) takeRequirements() {
	for _, one := range t.inUse {
		operation := one.Operation.String()
		for _, scope := range slices.Concat(one.AnyOf...) {
			r := t.row(scope)
			r.NeededBy = append(r.NeededBy, operation)
			r.API = r.API || one.Source == SourceAPI
			r.MCP = r.MCP || one.Source == SourceMCP
			r.Observed = r.Observed || one.use == useObserved && len(one.AnyOf) == 1
		}
	}
}

// takeTraffic takes in what was connected with recorded calls that succeeded.
func (t *table) takeTraffic() {
	for i := range t.Evidence.Traffic {
		if o := &t.Evidence.Traffic[i]; o.succeeded() {
			for _, scope := range o.Scopes {
				t.row(scope).Observed = true
			}
		}
	}
	for i := range t.needs {
		n := &t.needs[i]
		if len(n.AnyOf) == 1 && slices.ContainsFunc(n.mentions, func(m mention) bool { return m.recorded == recordedSuccess }) {
			t.row(n.AnyOf[0]).Observed = true
		}
	}
}

func (f *facts) about(scope string) string {
	if about := f.Evidence.About[scope]; about != "" || f.Manifest.Provider == nil {
		return about
	}
	return f.Manifest.Provider.Scopes.About(scope)
}

func (f *facts) granted(scope string) Granted {
	if f.Granted == nil {
		return GrantedUnknown
	}
	if _, ok := f.implies.CoveredBy(*f.Granted, scope); ok {
		return GrantedYes
	}
	return GrantedNo
}
