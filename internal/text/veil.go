package text

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// minVeiled is how long a secret is at least, in bytes, to be covered: a shorter one stands
// anywhere by chance, and would take ordinary words with it.
const minVeiled = 8

// A Veil covers secrets in what somebody else wrote, such as a server that repeats the credential
// which it was sent. The zero value covers nothing. It is safe for concurrent use.
type Veil struct{ covers []cover }

type cover struct {
	secret, core, mask string
	encoded            []string // parts of any base64 in which the secret stands
}

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
	return Veil{append(v.covers[:len(v.covers):len(v.covers)], cover{secret, core, mask, encodedParts(secret)})}
}

// Bytes is text in which each secret is covered, as it is, or as it stands in a URL, in JSON, in
// HTML, or in base64, beside a name or alone (RFC 7617 §2). A text without any is returned as it is, and is never written to.
func (v Veil) Bytes(text []byte) []byte {
	for _, c := range v.covers {
		if bytes.Contains(text, []byte(c.core)) {
			text = c.forms().ReplaceAllLiteral(text, []byte(c.mask))
		}
		for _, part := range c.encoded {
			if bytes.Contains(text, []byte(part)) {
				text = regexp.MustCompile(`[A-Za-z0-9+/_-]*`+regexp.QuoteMeta(part)+`[A-Za-z0-9+/_-]*={0,2}`).ReplaceAllLiteral(text, []byte(c.mask))
			}
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

// encodedParts are what is in every base64 (RFC 4648 §4, §5) of a text that holds the secret: three
// bytes are four letters, so where the secret begins among three makes it another word.
func encodedParts(secret string) []string {
	var parts []string
	for before := range 3 {
		text := []byte(strings.Repeat("x", before) + secret)
		first, end := (before*8+5)/6, len(text)*8/6 // letters that are of the secret alone
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if part := alphabet.EncodeToString(text)[first:end]; !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// isPlain reports whether nobody writes a character in another way.
func isPlain(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}
