package manifest

import (
	"slices"
	"time"
)

// A FindingKind is what an audit of a manifest can find. It is declared beside the waivers
// that name it; the rules that find are those of the package audit below.
type FindingKind string

// The kinds of finding, as ambit.audit/v1 has them.
const (
	Undeclared    FindingKind = "undeclared"     // required; neither declared nor implied
	UnknownScope  FindingKind = "unknown_scope"  // neither the server's list nor the evidence has such a word
	OverLevel     FindingKind = "over_level"     // more is asked, or more urgently, than the evidence requires
	Unused        FindingKind = "unused"         // declared; no evidence requires it
	Unproved      FindingKind = "unproved"       // declared with a used_by that no source confirms
	ExpiredWaiver FindingKind = "expired_waiver" // a waiver whose last day is over
)

// FindingKinds lists every kind, the gravest first: the order in which people read them.
func FindingKinds() []FindingKind {
	return []FindingKind{Undeclared, UnknownScope, OverLevel, Unused, Unproved, ExpiredWaiver}
}

// waiverKinds are the kinds that a manifest may waive: all but that of a waiver itself.
func waiverKinds() []FindingKind {
	return slices.DeleteFunc(FindingKinds(), func(kind FindingKind) bool { return kind == ExpiredWaiver })
}

// A Waiver silences one finding of an audit, for a reason and for a time.
type Waiver struct {
	Kind   FindingKind // one of waiverKinds
	Scope  string
	Reason string
	Until  time.Time // last day on which it holds, UTC; zero for no end
	Line   int
}

// Expired reports whether the waiver's last day is before the given one. It holds on its
// last day; on the zero day every waiver holds.
func (w Waiver) Expired(today time.Time) bool {
	return !w.Until.IsZero() && !today.IsZero() && today.UTC().Format(time.DateOnly) > w.Until.Format(time.DateOnly)
}
