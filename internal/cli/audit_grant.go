package cli

import (
	"context"
	"net/http"

	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/scopes"
)

// auditGrant is what the credential at hand holds, for the table's last column; nil where
// there is none, or where its hosts are not trusted: an audit asks nobody a question. That
// a credential is there and nobody can tell what it holds is a note, and no failure.
func (r *run) auditGrant(ctx context.Context, p *project, keys *keyFlags) *held {
	client, err := r.trusted(p)
	if err != nil {
		return nil
	}
	h, err := r.holdKey(ctx, p, r.keySources(keys, p, false), client)
	if isNoKey(err) {
		s, err := r.findBound(ctx, p)
		if err != nil {
			return nil
		}
		return p.holdStored(s, client)
	}
	if err != nil {
		r.voice.note("what the key holds is not known, so nothing is said of what is granted: %s", firstLine(asFailure(credentialFailure(p, err)).Message))
		return nil
	}
	return h
}

// holding says whose the last column is, and how much more that credential holds.
func (v *auditView) holding(h *held) string {
	rows := make([]string, len(v.found.Matrix))
	for i, row := range v.found.Matrix {
		rows[i] = row.Scope
	}
	text := "what " + h.kind.Label + " from " + h.credential.Source + " holds"
	if more := h.credential.Scopes.Minus(scopes.NewSet(rows...)).Len(); more > 0 {
		text += ", besides " + count(more, "scope") + " that nothing here declares or needs"
	}
	return text
}

// trusted is guarded without a question: the error is that of a host which the user does
// not trust.
func (r *run) trusted(p *project) (*http.Client, error) {
	confirmed, err := r.confirmedHosts()
	if err != nil {
		return nil, err
	}
	trust := oauth.Trust{Known: append(confirmed, builtinHosts()...)}
	if err := trust.Check(p.hosts(), p.manifest.File); err != nil {
		return nil, err
	}
	return r.guardedBy(trust)
}
