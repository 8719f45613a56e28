package audit

import "github.com/ambit-auth/ambit/scopes/manifest"

// A FindingKind is what an audit can find. The type is declared with the manifest,
// whose waivers name it.
type FindingKind = manifest.FindingKind

// The kinds of finding.
const (
	Undeclared    = manifest.Undeclared
	UnknownScope  = manifest.UnknownScope
	OverLevel     = manifest.OverLevel
	Unused        = manifest.Unused
	Unproved      = manifest.Unproved
	ExpiredWaiver = manifest.ExpiredWaiver
)

// A Rule is one thing that an audit looks for.
type Rule struct {
	Kind    FindingKind
	Summary string // what it finds, a sentence
	Help    string // what to do about it, a sentence
	Fails   bool   // it fails an audit by default: the program lacks something, or asks for what does not exist

	find func(*facts) []Finding // looks at nothing but the facts, so the order of the rules does not matter
}

// Rules lists every rule, in the order of [manifest.FindingKinds].
func Rules() []Rule {
	return []Rule{undeclaredRule, unknownRule, overLevelRule, unusedRule, unprovedRule, waiverRule}
}

// FailingKinds are the kinds that fail an audit by default.
func FailingKinds() []FindingKind {
	var kinds []FindingKind
	for _, r := range Rules() {
		if r.Fails {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}
