package manifestedit

import (
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// Fix edits the text of q.Manifest, once, so that no finding of the chosen kinds is left that
// an edit can settle; waived ones are left alone. It returns the text and what an audit of it
// finds. A second run changes nothing.
//
// open is as for [manifest.Decode]; the errors are those of [audit.Audit] and of [Edit].
func Fix(q audit.Question, text []byte, how audit.Fixing, open func(path string) ([]byte, error)) ([]byte, audit.Findings, error) {
	want, err := audit.Fixed(q, how)
	if err != nil {
		return nil, audit.Findings{}, err
	}
	edited, err := Edit(q.Manifest.File, text, want, open)
	if err != nil {
		return nil, audit.Findings{}, err
	}
	if q.Manifest, err = manifest.Decode(q.Manifest.File, edited, open); err != nil {
		return nil, audit.Findings{}, err
	}
	found, err := audit.Audit(q)
	return edited, found, err
}
