package cli

import (
	"context"
	"errors"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
)

// auditGrant is what the credential at hand holds, for the table's last column; nil where
// there is none, or where its hosts are not trusted: an audit asks nobody a question. That
// a credential is there and nobody can tell what it holds is a note, and no failure.
func auditGrant(ctx context.Context, r *invocation, keys *keyFlags) *ambit.Held {
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
		r.console.Note("what the key holds is not known, so nothing is said of what is granted: %s", view.FirstLine(asFailure(failureOf(s, err)).Message))
		return nil
	}
	return h
}
