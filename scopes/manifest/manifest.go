package manifest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// A Manifest is a scopes.yaml that was read without a mistake: the only place
// where anyone wrote down a scope. It is read-only once decoded, and then safe
// for concurrent use.
type Manifest struct {
	File      string // as it was named to [Decode]
	Name      string // the program that needs the scopes
	Provider  *provider.Provider
	Server    string        // the server that the manifest asks for, "" where it leaves that open
	Resources []string      // bases whose RFC 9728 document limits what is asked
	Scopes    []scopes.Need // the base: what every run needs
	Programs  []Program
	Waivers   []Waiver
}

// A Program is a set of features: what it adds to the base, never narrowing it.
type Program struct {
	Name   string
	Scopes []scopes.Need
	Line   int
}

// ProgramNames lists the programs in the manifest's order.
func (m *Manifest) ProgramNames() []string {
	names := make([]string, len(m.Programs))
	for i, p := range m.Programs {
		names[i] = p.Name
	}
	return names
}

// An UnknownProgramError names a program that the manifest does not have.
type UnknownProgramError struct {
	Program string
	Known   []string
}

// Error names the program and those there are.
func (e *UnknownProgramError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("unknown program %q: this manifest has none", e.Program)
	}
	return fmt.Sprintf("unknown program %q%s", e.Program, text.Allowed(e.Program, e.Known))
}

// Select returns the needs of a run: the base, then what the named programs add,
// in the manifest's order. An entry that several declare stands once, at its
// highest level, with all its uses. An unknown name is an *[UnknownProgramError].
func (m *Manifest) Select(programs ...string) ([]scopes.Need, error) {
	known := m.ProgramNames()
	for _, name := range programs {
		if !slices.Contains(known, name) {
			return nil, &UnknownProgramError{Program: name, Known: known}
		}
	}
	selected := slices.Clone(m.Scopes)
	index := make(map[string]int, len(selected))
	for i, e := range selected {
		index[e.Key()] = i
	}
	for _, p := range m.Programs {
		if !slices.Contains(programs, p.Name) {
			continue
		}
		for _, e := range p.Scopes {
			if at, there := index[e.Key()]; there {
				selected[at] = merge(selected[at], e)
				continue
			}
			index[e.Key()] = len(selected)
			selected = append(selected, e)
		}
	}
	return selected, nil
}

// merge adds a program's declaration of the same need to one that is there. It
// shares no slice that it writes to with either.
func merge(e, more scopes.Need) scopes.Need {
	if more.Level > e.Level || e.Why == "" {
		e.Why = cmp.Or(more.Why, e.Why)
	}
	e.Level = max(e.Level, more.Level)
	e.Unadvertised = e.Unadvertised || more.Unadvertised
	e.Programs = slices.Concat(e.Programs, more.Programs)
	e.UsedBy = slices.Clip(e.UsedBy)
	have := make(map[scopes.Operation]bool, len(e.UsedBy))
	for _, u := range e.UsedBy {
		have[u.Unplaced()] = true
	}
	for _, u := range more.UsedBy {
		if !have[u.Unplaced()] {
			e.UsedBy = append(e.UsedBy, u)
		}
	}
	return e
}
