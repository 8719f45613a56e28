package metadata

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// scopes reads a list of scopes, with the commas that [scopes.ListOf] splits at. One with characters that no scope can have is of
// no use to anyone, and no reason to refuse the rest.
func (r *reader) scopes(field string) scopes.Advertisement {
	list := r.List(field)
	if list == nil {
		return scopes.Advertisement{State: scopes.Absent}
	}
	if r.IsText(field) && len(list) > 0 {
		r.warn("in the server's metadata %s is a string, not an array of strings, and is read as a list", field)
	}
	for i, scope := range list {
		list[i] = strings.TrimSpace(scope)
	}
	given := scopes.NewSet(list...)
	usable := given.Where(func(scope string) bool { return scopes.CheckScope(scope) == nil })
	if dropped := given.Minus(usable); dropped.Len() > 0 {
		r.warn("left out of %s: %s (RFC 6749 §3.3), the first: %s", field, text.Count(dropped.Len(), "malformed scope"), text.Quote(dropped.Slice()[0]))
	}
	usable = scopes.ListOf(usable.Slice(), scopes.Set{})
	if usable.Len() == 0 {
		r.warn("%s is there without a usable scope, against RFC 8414 §3.2; it is read as if it were absent", field)
		return scopes.Advertisement{State: scopes.Empty}
	}
	return scopes.Advertisement{State: scopes.Listed, Scopes: usable}
}
