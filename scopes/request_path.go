package scopes

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// RequestPath makes of the escaped path of a request (RFC 3986 §3.3), without its query, the
// one that [Operations] match and people see: unescaped segment by segment, so that an
// escaped slash stays part of its segment, and without empty segments in the middle.
// It is not ok where a segment, however it is escaped, would lead out of the base.
func RequestPath(escaped string) (path string, ok bool) {
	if isClean(escaped) {
		return escaped, true
	}
	var segments []string
	for segment := range strings.SplitSeq(escaped, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || climbs(plain) {
			return "", false
		}
		if strings.ContainsAny(plain, `/\`) || text.Line(plain) != plain {
			plain = url.PathEscape(plain)
		}
		segments = append(segments, plain)
	}
	last := len(segments) - 1
	kept := segments[:0]
	for i, segment := range segments {
		if segment != "" || i == 0 || i == last {
			kept = append(kept, segment)
		}
	}
	return strings.Join(kept, "/"), true
}

// isClean tells of most paths, without taking them apart, that they are clean.
func isClean(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%' || c == '\\' || c <= ' ' || c >= 0x7f:
			return false
		case c == '/' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.'):
			return false
		case c == '.' && i == 0:
			return false
		}
	}
	return true
}

// climbs reports whether some server could take a segment for a way up: also where it
// unescapes twice, or takes a backslash for a slash.
func climbs(segment string) bool {
	for range 3 {
		parts := strings.FieldsFunc(segment, func(r rune) bool { return r == '/' || r == '\\' })
		if slices.Contains(parts, "..") || slices.Contains(parts, ".") {
			return true
		}
		again, err := url.PathUnescape(segment)
		if err != nil || again == segment {
			return false
		}
		segment = again
	}
	return false
}
