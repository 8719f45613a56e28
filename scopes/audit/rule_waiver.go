package audit

import (
	"fmt"
	"time"

	"github.com/ambit-auth/ambit/internal/text"
)

var waiverRule = Rule{
	Kind:    ExpiredWaiver,
	Summary: "A waiver has expired.",
	Help:    "Settle what it silenced, or give it another date.",
	find:    findExpired,
}

// findExpired finds waivers that are over.
func findExpired(f *facts) []Finding {
	var found []Finding
	for _, w := range f.Manifest.Waivers {
		if w.Expired(f.Today) {
			found = append(found, Finding{
				Kind: ExpiredWaiver, Scope: w.Scope, File: f.Manifest.File, Line: w.Line,
				Evidence: []string{"the waiver of " + string(w.Kind) + " was given because: " + text.Line(w.Reason)},
				Message:  text.Line(fmt.Sprintf("the waiver of %s for %s ended on %s", w.Kind, w.Scope, w.Until.Format(time.DateOnly))),
			})
		}
	}
	return found
}
