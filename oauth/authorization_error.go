package oauth

import (
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// An AuthorizationError is an authorization server's refusal in the browser (RFC 6749
// §4.1.2.1), in the server's own words, made fit to be shown.
type AuthorizationError struct {
	Code        string // error: access_denied, invalid_scope, …
	Description string // error_description; "" where there is none
	URI         string // error_uri, a page for people; "" where there is none
	Device      bool   // it is the refusal of a login on another device (RFC 8628)
	Listed      string // what the server's metadata had said of that which it refuses; "" for nothing
}

// Error holds the server's words.
func (e *AuthorizationError) Error() string {
	return "the authorization server refused: " + serversWords(e.Code, e.Description) + aside(e.Listed)
}

// Denied reports whether the person, or the server for them, said no.
func (e *AuthorizationError) Denied() bool { return e.Code == "access_denied" }

// InvalidScope reports whether the server refused the scopes that were asked for.
func (e *AuthorizationError) InvalidScope() bool { return e.Code == "invalid_scope" }

// NamedScopes are those of asked that the description names, in the order of asked.
// The RFC gives the description no grammar, so a scope counts as named where it
// stands as a word of its own: "x" is not named by "x:read".
func (e *AuthorizationError) NamedScopes(asked scopes.Set) scopes.Set {
	return asked.Where(func(scope string) bool { return namesWord(e.Description, scope) })
}

// namesWord reports whether word stands in text with no more of a scope on either side.
func namesWord(text, word string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		before, after := text[:from+at], text[from+at+len(word):]
		if !endsInScope(before) && !goesOnAsScope(after) {
			return true
		}
		from += at + 1
	}
}

// scopeJoints are the characters that join the parts of a scope and also end a
// sentence or a clause.
const scopeJoints = ".:/,;"

func endsInScope(before string) bool {
	return before != "" && partOfScope(before[len(before)-1])
}

// goesOnAsScope: a joint belongs to the scope only if more of a scope comes after it.
func goesOnAsScope(after string) bool {
	rest := strings.TrimLeft(after, scopeJoints)
	switch {
	case after == "" || rest == "" && len(after) == 1:
		return false
	case rest == after:
		return partOfScope(after[0])
	case strings.HasPrefix(after, ",") || strings.HasPrefix(after, ";"):
		return false // a list without spaces
	}
	return rest != "" && partOfScope(rest[0])
}

func partOfScope(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-*.:/+#@", c) >= 0
}
