package audit

import (
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit/internal/text"
)

var unprovedRule = Rule{
	Kind:    Unproved,
	Summary: "No source of evidence confirms what a scope is declared for.",
	Help:    "Correct its used_by, or give evidence of the operation.",
	find:    findUnproved,
}

// findUnproved finds the needs that name an operation which no source confirms: all of them,
// or some beside others that are confirmed.
func findUnproved(f *facts) []Finding {
	var found []Finding
	for i := range f.needs {
		n := &f.needs[i]
		switch lines := n.says(mentionUnknown); {
		case n.standing == standingUnconfirmed:
			found = append(found, n.about(Unproved, n.says(), fmt.Sprintf("no source confirms that %s is needed", n.Name())))
		case n.standing == standingRequired && len(lines) > 0 && f.couldConfirm(n):
			found = append(found, n.about(Unproved, lines, fmt.Sprintf("%s is declared for %s, which no source confirms", n.Name(), text.Count(len(lines), "operation"))))
		}
	}
	return found
}

// couldConfirm reports whether a source of the kind was given that could have confirmed one of
// the operations that nothing confirms.
func (f *facts) couldConfirm(n *need) bool {
	tools, paths := len(f.catalog.Tools()) > 0, f.catalog.HasPaths()
	return slices.ContainsFunc(n.mentions, func(m mention) bool {
		return m.state == mentionUnknown && (m.op.Tool != "" && tools || m.op.Tool == "" && paths)
	})
}
