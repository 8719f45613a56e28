package metadata

import "time"

// Where a document came from, in Source.From.
const (
	// FromNetwork says that the server was asked in this call: it sent the
	// document, or said that the cached one still holds.
	FromNetwork = "network"
	// FromCache says that the document is the cached one.
	FromCache = "cache"
	// FromFile says that there is no document: all that is known was given.
	FromFile = "file"
)

// Source tells where a document came from and what is to be said about it.
type Source struct {
	// URL is the well-known URL that held the document.
	URL string
	// From is FromNetwork, FromCache or FromFile; empty for a document that was only parsed.
	From string
	// Given are the members that are not the document's own, sorted.
	Given []string
	// Stale says that the server could not be had and an old document stands in.
	// Warnings then says why.
	Stale bool
	// Age is the time since the server last vouched for the document.
	Age time.Duration
	// Warnings are sentences for the user, in a fixed order, safe to print.
	Warnings []string
	// Remarks are the same of what an RFC requires and nobody here needs.
	Remarks []string
}
