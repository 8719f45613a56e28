package view

import (
	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// Holding says whose the last column is, and how much more that credential holds.
func (v *Audit) Holding(h *ambit.Held) string {
	rows := make([]string, len(v.Found.Matrix))
	for i, row := range v.Found.Matrix {
		rows[i] = row.Scope
	}
	sentence := "what " + h.Kind.Label + " from " + h.Credential.Source + " holds"
	if more := h.Credential.Scopes.Minus(scopes.NewSet(rows...)).Len(); more > 0 {
		sentence += ", besides " + text.Count(more, "scope") + " that nothing here declares or needs"
	}
	return sentence
}
