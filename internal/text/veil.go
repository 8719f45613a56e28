package text

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// minVeiled is how long a secret is at least, in bytes, to be covered: a shorter one stands
// anywhere by chance, and would take ordinary words with it.
const minVeiled = 8

// A Veil covers secrets in what somebody else wrote, such as a server that repeats the credential
// which it was sent. The zero value covers nothing. It is safe for concurrent use.
type Veil struct{ covers []cover }

type cover struct{ secret, core, mask string }

// Over returns the veil with one more secret, for which people see mask.
func (v Veil) Over(secret, mask string) Veil {
	if len(secret) < minVeiled {
		return v
	}
	core := "" // what every way of writing it has
	for _, run := range strings.FieldsFunc(secret, func(c rune) bool { return !isPlain(c) }) {
		if len(run) > len(core) {
			core = run
		}
	}
	return Veil{append(v.covers[:len(v.covers):len(v.covers)], cover{secret, core, mask})}
}

// Bytes is text in which each secret is covered, as it is, or as it stands in a URL, in JSON or in
// HTML. A text without any is returned as it is, and is never written to.
func (v Veil) Bytes(text []byte) []byte {
	for _, c := range v.covers {
		if bytes.Contains(text, []byte(c.core)) {
			text = c.forms().ReplaceAllLiteral(text, []byte(c.mask))
		}
	}
	return text
}

// Header is a header in whose values each secret is covered; one without any is returned as it is.
func (v Veil) Header(h http.Header) http.Header {
	if len(v.covers) == 0 {
		return h
	}
	var covered http.Header
	for name, values := range h {
		for i, value := range values {
			plain := string(v.Bytes([]byte(value)))
			if plain == value {
				continue
			}
			if covered == nil {
				covered = h.Clone()
			}
			covered[name][i] = plain
		}
	}
	if covered == nil {
		return h
	}
	return covered
}

// forms matches the secret however its characters are written.
func (c cover) forms() *regexp.Regexp {
	var pattern strings.Builder
	for _, one := range c.secret {
		switch {
		case isPlain(one):
			pattern.WriteRune(one)
		case one == utf8.RuneError:
			pattern.WriteString(`(?s:.)`)
		default:
			as := string(one)
			fmt.Fprintf(&pattern, `(?:\\?%s|%s|%s|(?i:%s|\\u%04x|&#x%x;)|&#%d;)`, regexp.QuoteMeta(as), regexp.QuoteMeta(html.EscapeString(as)),
				regexp.QuoteMeta(url.QueryEscape(as)), strings.ReplaceAll(fmt.Sprintf("% x", "\x00"+as), " ", "%")[2:], one, one, one)
		}
	}
	return regexp.MustCompile(pattern.String())
}

// isPlain reports whether nobody writes a character in another way.
func isPlain(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}
