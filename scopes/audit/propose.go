package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// propose is a need that declares a scope for the requirements that it serves. What the server
// does not list would never be asked for without that being said; what it lists under a name like it, is
// not asked for in that one.
func (f *facts) propose(scope string, requirements []*requirement) scopes.Need {
	n := scopes.Need{AnyOf: []string{scope}, Level: scopes.Recommended}
	n.Unadvertised = f.Server.Says(scope) == scopes.AdvertisedNo && len(scopes.Near(scope, f.Server.Scopes.Slice())) == 0
	var titles []string
	named := make(map[scopes.Operation]bool)
	for _, r := range requirements {
		// A name that the manifest could not hold again is left out of it.
		op := r.Operation.Unplaced()
		if _, err := scopes.ParseOperation(op.String()); err == nil && !named[op] && f.knowsBase(op) {
			named[op], n.UsedBy = true, append(n.UsedBy, op)
		}
		titles = append(titles, r.Title)
	}
	n.Why = whyOf(titles, n.UsedBy)
	return n
}

func (f *facts) knowsBase(op scopes.Operation) bool {
	return op.Tool != "" || f.Manifest.Provider == nil || slices.Contains(f.Manifest.Provider.BaseNames(), op.Base)
}

// whyOf is a reason in the sources' own words, else in those of the operations.
func whyOf(titles []string, operations []scopes.Operation) string {
	names := make([]string, len(operations))
	for i, op := range operations {
		names[i] = op.String()
	}
	return text.Line(cmp.Or(joinReasons(titles), joinReasons(names), "a recorded call was refused without it"))
}

// maxReasons bounds how many reasons one need gives: people read them on one line.
const maxReasons = 2

// joinReasons is one reason made of several: each once, in their order, and how many more
// there are. One alone stays as it is written.
func joinReasons(reasons []string) string {
	var list []string
	last, given := "", make(map[string]bool)
	for _, reason := range reasons {
		if trimmed := strings.TrimSpace(reason); trimmed != "" && !given[trimmed] {
			last, given[trimmed] = reason, true
			list = append(list, trimmed)
		}
	}
	if len(list) < 2 {
		return last
	}
	why := strings.Join(list[:min(len(list), maxReasons)], "; ")
	if more := len(list) - maxReasons; more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	return text.Line(why)
}
