package cli

import (
	"context"
	"errors"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

// auditGrant is what the credential at hand holds, for the table's last column; nil where
// there is none, or where its hosts are not trusted: an audit asks nobody a question. That
// a credential is there and nobody can tell what it holds is a note, and no failure.
func (r *run) auditGrant(ctx context.Context, keys *keyFlags) *ambit.Held {
	ui := r.ui()
	ui.Ask = nil
	s, err := r.openWith(r.keySources(keys), ui)
	if err != nil {
		return nil
	}
	h, err := s.Find(ctx)
	_, noKey := errors.AsType[*oauth.BadKeyError](err)
	if err != nil && !noKey {
		return nil
	}
	if err == nil && !h.IsLogin() {
		err = h.Inspect(ctx)
	}
	if err != nil {
		r.voice.note("what the key holds is not known, so nothing is said of what is granted: %s", firstLine(asFailure(failureOf(s, err)).Message))
		return nil
	}
	return h
}

// holding says whose the last column is, and how much more that credential holds.
func (v *auditView) holding(h *ambit.Held) string {
	rows := make([]string, len(v.found.Matrix))
	for i, row := range v.found.Matrix {
		rows[i] = row.Scope
	}
	sentence := "what " + h.Kind.Label + " from " + h.Credential.Source + " holds"
	if more := h.Credential.Scopes.Minus(scopes.NewSet(rows...)).Len(); more > 0 {
		sentence += ", besides " + text.Count(more, "scope") + " that nothing here declares or needs"
	}
	return sentence
}
