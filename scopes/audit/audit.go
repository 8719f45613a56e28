package audit

import (
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Question is all that [Audit] weighs.
type Question struct {
	Manifest *manifest.Manifest
	Programs []string // whose needs count as declared, besides the base
	Evidence *Evidence
	Server   scopes.Advertisement // the zero value: the server does not say
	Granted  *scopes.Set          // what a credential holds, for the table's last column; nil where nobody asked
	Today    time.Time            // for waivers; the zero time lets none expire
}

// Audit compares a manifest with the evidence. It looks at nothing but q. An unknown program
// is an *[manifest.UnknownProgramError].
//
// What counts as in use: the operations of Evidence.Calls where such a list was given,
// else those that the declared needs name in used_by and those that were recorded;
// the tools of Evidence.Tools and Evidence.Calls, else those that the declared needs
// name; and each recorded refusal that names a scope, for it proves a requirement.
func Audit(q Question) (Findings, error) {
	f, err := newFacts(q)
	if err != nil {
		return Findings{}, err
	}
	out := Findings{Findings: []Finding{}, Waived: []Finding{}, Matrix: f.matrix(), Least: f.least()}
	out.Notes = append(append([]Note{}, f.Evidence.Notes...), f.notes...)
	for _, rule := range Rules() {
		for _, one := range rule.find(f) {
			if f.isWaived(one.Kind, one.Scope) {
				out.Waived = append(out.Waived, one)
			} else {
				out.Findings = append(out.Findings, one)
			}
		}
	}
	sortFindings(out.Findings)
	sortFindings(out.Waived)
	return out, nil
}
