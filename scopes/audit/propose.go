package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// propose is a need that declares a scope for the requirements that it serves. What the server
// does not list would never be asked for without that being said.
func (f *facts) propose(scope string, requirements []*requirement) scopes.Need {
	n := scopes.Need{AnyOf: []string{scope}, Level: scopes.Recommended, Unadvertised: f.Server.Says(scope) == scopes.AdvertisedNo}
	var titles []string
	named, titled := make(map[scopes.Operation]bool), make(map[string]bool)
	for _, r := range requirements {
		// A name that the manifest could not hold again is left out of it.
		op := r.Operation.Unplaced()
		if _, err := scopes.ParseOperation(op.String()); err == nil && !named[op] && f.knowsBase(op) {
			named[op], n.UsedBy = true, append(n.UsedBy, op)
		}
		if title := strings.TrimSpace(r.Title); title != "" && !titled[title] {
			titled[title], titles = true, append(titles, title)
		}
	}
	n.Why = whyOf(titles, n.UsedBy)
	return n
}

func (f *facts) knowsBase(op scopes.Operation) bool {
	return op.Tool != "" || f.Manifest.Provider == nil || slices.Contains(f.Manifest.Provider.BaseNames(), op.Base)
}

// whyTitles bounds how many operations a reason names: people read it on one line.
const whyTitles = 2

// whyOf is a reason in the sources' own words, else in those of the operations.
func whyOf(titles []string, operations []scopes.Operation) string {
	if len(titles) == 0 {
		for _, op := range operations {
			titles = append(titles, op.String())
		}
	}
	if len(titles) == 0 {
		return "a recorded call was refused without it"
	}
	why := strings.Join(titles[:min(len(titles), whyTitles)], "; ")
	if more := len(titles) - whyTitles; more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	return text.Line(why)
}
