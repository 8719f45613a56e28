package text

import "strings"

// IsToken reports whether a text is a token of HTTP, as the names of fields and of schemes are
// (RFC 9110 §5.6.2).
func IsToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r > '~' || !IsTokenByte(byte(r)) }) < 0
}

// IsTokenByte is tchar of RFC 9110 §5.6.2.
func IsTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
