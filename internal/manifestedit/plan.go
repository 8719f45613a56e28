package manifestedit

import (
	"maps"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A plan is what a manifest is to declare: its lists of needs, by program; "" is the base.
type plan map[string][]scopes.Need

func planOf(m *manifest.Manifest) plan {
	p := plan{"": m.Scopes}
	for _, program := range m.Programs {
		p[program.Name] = program.Scopes
	}
	return p
}

// An edit is one thing that becomes of a plan.
type edit struct {
	program string
	at      int           // the need of the list that it is about; -1 for a new one, behind the last
	of      scopes.Need   // that need
	by      []scopes.Need // what is to be in its place
}

// rewords reports whether another scope or another level is all that changes.
func (e *edit) rewords() bool {
	if len(e.by) != 1 || len(e.of.AnyOf) != len(e.by[0].AnyOf) {
		return false
	}
	same := e.by[0]
	same.Level = e.of.Level
	if len(same.AnyOf) == 1 {
		same.AnyOf = e.of.AnyOf
	}
	return equal(e.of, same)
}

// equal reports whether two plans declare the same, wherever it is written.
func (p plan) equal(other plan) bool {
	return maps.EqualFunc(p, other, func(a, b []scopes.Need) bool { return slices.EqualFunc(a, b, equal) })
}

func equal(a, b scopes.Need) bool {
	same := func(a, b scopes.Operation) bool { return a.Unplaced() == b.Unplaced() }
	// A file's last line may lack its end, and gets one where another line follows.
	why := strings.TrimSuffix(a.Why, "\n") == strings.TrimSuffix(b.Why, "\n")
	return a.Key() == b.Key() && why && a.Level == b.Level && a.Unadvertised == b.Unadvertised && slices.EqualFunc(a.UsedBy, b.UsedBy, same)
}
