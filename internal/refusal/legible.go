package refusal

import (
	"encoding/json"
	"html"
	"strings"
)

// legible is a value of a body, or of a header, as a person would read it: without the control
// sequences of a terminal (ECMA-48 §5.4), and with characters in place of the entities of HTML,
// which services put into JSON too. A text that is an envelope stays as it is until it is opened.
func legible(value any) any {
	switch v := value.(type) {
	case string:
		if _, found := envelope(v); !found {
			return legibleText(v)
		}
	case []any:
		for i := range v {
			v[i] = legible(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = legible(v[name])
		}
	}
	return value
}

// envelope is the part of a text that is JSON, whole or at its end.
func envelope(said string) (inner string, found bool) {
	at := strings.IndexAny(said, "{[")
	if at < 0 || !strings.ContainsAny(said[len(said)-1:], "}] \n\r\t") || !json.Valid([]byte(said[at:])) {
		return "", false
	}
	return said[at:], true
}

func legibleText(said string) string {
	if strings.ContainsRune(said, '&') {
		said = withoutEntities(said)
	}
	if strings.ContainsAny(said, "\x1b\u009b") {
		said = withoutSequences(said)
	}
	return said
}

// maxEntity is how long an entity of HTML is at most, without its mark.
const maxEntity = 10

// withoutEntities undoes the entities that end as they should.
func withoutEntities(said string) string {
	var plain strings.Builder
	for {
		before, rest, found := strings.Cut(said, "&")
		plain.WriteString(before)
		if !found {
			return plain.String()
		}
		end := strings.IndexByte(rest[:min(len(rest), maxEntity)], ';')
		if end <= 0 {
			plain.WriteByte('&')
			said = rest
			continue
		}
		plain.WriteString(html.UnescapeString("&" + rest[:end+1]))
		said = rest[end+1:]
	}
}

// withoutSequences drops control sequences, and strings for the terminal such as links.
func withoutSequences(said string) string {
	var plain strings.Builder
	for said = strings.ReplaceAll(said, "\u009b", "\x1b["); ; {
		before, rest, found := strings.Cut(said, "\x1b")
		plain.WriteString(before)
		switch {
		case !found:
			return plain.String()
		case strings.HasPrefix(rest, "["):
			rest = strings.TrimLeft(rest[1:], "0123456789:;<=>? !\"#$%&'()*+,-./")
			said = rest[min(1, len(rest)):]
		case strings.HasPrefix(rest, "]"):
			said = afterString(rest[1:])
		default:
			said = rest
		}
	}
}

// maxSequence bounds how long a string for the terminal is.
const maxSequence = 1000

// afterString is what stands after a string for the terminal. One that does not end hides nothing.
func afterString(rest string) string {
	head := rest[:min(len(rest), maxSequence)]
	if end := strings.IndexAny(head, "\a\x1b"); end >= 0 {
		return strings.TrimPrefix(rest[end:][1:], `\`)
	}
	return rest
}
