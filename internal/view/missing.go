package view

import (
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/scopes"
)

// A Missing is what there is to say in JSON of a login that was not made, for want of
// what the manifest requires: those members of ambit.grant/v1 that are known without one.
type Missing struct{ Gap scopes.Gap }

// Text implements [View].
func (v Missing) Text(*Printer) {} // the failure tells it

// JSON implements [View].
func (v Missing) JSON(e Envelope) any {
	return struct {
		Envelope
		Missing scopes.Missing `json:"missing"`
		Lost    []needJSON     `json:"lost"`
		Next    []advice.Step  `json:"next"`
	}{e, v.Gap.Missing, needsOf(v.Gap.Lost), []advice.Step{{Text: e.Error.Hint}}}
}
