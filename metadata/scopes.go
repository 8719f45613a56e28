package metadata

import (
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// scopes reads a list of scopes. One with characters that no scope can have is of
// no use to anyone, and no reason to refuse the rest.
func (d *document) scopes(field string) ScopesSupported {
	list := d.list(field)
	if list == nil {
		return ScopesSupported{State: ScopesAbsent}
	}
	usable, dropped := usableScopes(list)
	if len(dropped) > 0 {
		d.warn("%d of %s are no scopes (RFC 6749 §3.3) and were left out, the first: %s", len(dropped), field, text.Quote(dropped[0]))
	}
	if len(usable) == 0 {
		d.warn("%s is there without a usable scope, against RFC 8414 §3.2; it is read as if it were absent", field)
		return ScopesSupported{State: ScopesEmpty}
	}
	return ScopesSupported{State: ScopesList, List: usable}
}

func usableScopes(list []string) (usable, dropped []string) {
	seen := make(map[string]bool, len(list))
	for _, scope := range list {
		switch {
		case !isScopeToken(scope):
			dropped = append(dropped, scope)
		case !seen[scope]:
			seen[scope] = true
			usable = append(usable, scope)
		}
	}
	return usable, dropped
}

// isScopeToken is RFC 6749 §3.3: 1*( %x21 / %x23-5B / %x5D-7E ).
func isScopeToken(scope string) bool {
	return scope != "" && strings.IndexFunc(scope, func(r rune) bool {
		return r < '!' || r > '~' || r == '"' || r == '\\'
	}) < 0
}
