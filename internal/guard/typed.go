package guard

import "strings"

// Typed is what may be shown of a URL that someone typed: a password may stand before its @,
// and a secret in its query.
func Typed(typed string) string {
	at, query := strings.LastIndex(typed, "@"), strings.IndexAny(typed, "?#")
	switch {
	case query >= 0 && query < at:
		return "(a URL with an @ in it)" // where a password ends cannot be told
	case query >= 0:
		typed = typed[:query]
	}
	if at >= 0 {
		return "…" + typed[at:]
	}
	return typed
}
