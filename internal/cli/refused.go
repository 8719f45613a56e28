package cli

import (
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes"
)

// A lackView is what there is to say in JSON of a login that was not made, for want of
// what the manifest requires: those members of ambit.grant/v1 that are known without one.
type lackView struct{ gap scopes.Gap }

func (v lackView) text(*printer) {} // the failure tells it

func (v lackView) json(e envelope) any {
	return struct {
		envelope
		Missing scopes.Missing `json:"missing"`
		Lost    []needJSON     `json:"lost"`
		Next    []advice.Step  `json:"next"`
	}{e, v.gap.Missing, needsOf(v.gap.Lost), []advice.Step{{Text: e.Error.Hint}}}
}
