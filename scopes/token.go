package scopes

import (
	"fmt"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/text"
)

// A SyntaxError tells why a word cannot be a scope: RFC 6749 §3.3 allows one or
// more printable ASCII characters other than space, double quote and backslash.
type SyntaxError struct {
	Scope string // the word as it came; hostile until quoted
	At    int    // byte offset of the first character that may not stand there
}

// Error names the word, quoted, and the offending character.
func (e *SyntaxError) Error() string {
	if e.Scope == "" {
		return "a scope may not be empty (RFC 6749 §3.3)"
	}
	_, size := utf8.DecodeRuneInString(e.Scope[e.At:])
	bad, word := e.Scope[e.At:e.At+size], e.Scope
	if len(word) > text.MaxName {
		word = word[:text.MaxName] + "…" // or what is wrong with it would be far to the right
	}
	return fmt.Sprintf("%q is not a scope: a scope may not contain %q (RFC 6749 §3.3)", word, bad)
}

// ScopePattern is what CheckScope takes, for readers of JSON Schema.
const ScopePattern = `^[\x21\x23-\x5b\x5d-\x7e]+$`

// CheckScope returns a *SyntaxError unless scope is a scope-token of RFC 6749 §3.3.
func CheckScope(scope string) error {
	if scope == "" {
		return &SyntaxError{}
	}
	for i := range len(scope) {
		if !scopeByte(scope[i]) {
			return &SyntaxError{Scope: scope, At: i}
		}
	}
	return nil
}

// scopeByte is NQCHAR of RFC 6749 appendix A: %x21 / %x23-5B / %x5D-7E.
func scopeByte(c byte) bool {
	return c > ' ' && c < 0x7f && c != '"' && c != '\\'
}
