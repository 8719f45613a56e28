package metadata

import "time"

// Where a document came from, in Source.From.
const (
	// FromNetwork says that the server was asked in this call: it sent the
	// document, or said that the cached one still holds.
	FromNetwork = "network"
	// FromCache says that the document is the cached one.
	FromCache = "cache"
)

// Source tells where a document came from and what is to be said about it.
type Source struct {
	// URL is the well-known place that held the document.
	URL string
	// From is FromNetwork or FromCache; empty for a document that was only parsed.
	From string
	// Stale says that the server could not be had and an old document stands in.
	// Warnings then says why.
	Stale bool
	// Age is the time since the server last vouched for the document.
	Age time.Duration
	// Warnings are sentences for the user, in a fixed order, safe to print.
	Warnings []string
}

// ScopesState is one of the three readings of scopes_supported. Its values are
// those of the JSON output.
type ScopesState string

// The three readings.
const (
	// ScopesList is a list with at least one usable scope.
	ScopesList ScopesState = "list"
	// ScopesEmpty is a list with none, which RFC 8414 §3.2 forbids. It
	// tells as little as ScopesAbsent, and comes with a warning.
	ScopesEmpty ScopesState = "empty"
	// ScopesAbsent is no list at all: one cannot tell.
	ScopesAbsent ScopesState = "absent"
)

// ScopesSupported is what a document says in scopes_supported. It is a hint: a
// server may know scopes that it does not advertise (RFC 8414 §2).
type ScopesSupported struct {
	// State is never empty in a parsed document.
	State ScopesState
	// List holds each scope once, in the document's order; nil unless State is
	// ScopesList. Each is a scope-token of RFC 6749 §3.3.
	List []string
}
