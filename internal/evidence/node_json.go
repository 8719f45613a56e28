package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ambit-auth/ambit/scopes/audit"
)

// jsonNode is a JSON value that is known to be valid. What nobody asks for is passed over
// by its brackets and quotes.
func (d *document) jsonNode(value []byte, line int) *node {
	n := &node{document: d, kind: scalarNode, line: line}
	switch value[0] {
	case '{', '[':
		n.kind = listNode
		if value[0] == '{' {
			n.kind = objectNode
		}
		n.read = func() []member { return d.jsonMembers(value, line) }
	case '"':
		n.text = jsonText(value)
	case 'n':
		n.kind = nullNode
	default:
		n.text = string(value)
	}
	return n
}

// maxMembers bounds what one object or list holds where someone looks: read, a member takes many
// times its size. The largest documents have ten thousand paths.
const maxMembers = 200_000

// jsonMembers are those of an object or a list.
func (d *document) jsonMembers(value []byte, line int) []member {
	members := []member{}
	c := jsonCursor{value[1:], line}
	for c.space(); len(c.rest) > 1; c.space() {
		m := member{line: c.line}
		if value[0] == '{' {
			m.key = jsonText(c.value())
			c.space()
		}
		at := c.line
		m.node = d.jsonNode(c.value(), at)
		if members = append(members, m); len(members) > maxMembers {
			d.set.fail(&Error{Where: audit.Where{File: d.name, Line: line}, Kind: TooLarge, Reason: fmt.Sprintf("more than %d members or items", maxMembers)})
			break
		}
	}
	return members
}

// A jsonCursor goes over what follows an opening bracket.
type jsonCursor struct {
	rest []byte
	line int
}

// space passes what stands between values.
func (c *jsonCursor) space() {
	for i, b := range c.rest {
		switch b {
		case '\n':
			c.line++
		case ' ', '\t', '\r', ',', ':':
		default:
			c.rest = c.rest[i:]
			return
		}
	}
}

// value passes one, and returns it.
func (c *jsonCursor) value() []byte {
	end := jsonEnd(c.rest)
	value := c.rest[:end]
	c.rest = c.rest[end:]
	c.line += bytes.Count(value, []byte("\n"))
	return value
}

// jsonEnd is the length of the value with which a text begins.
func jsonEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i // after a number, or a word
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

func stringEnd(text []byte) int {
	for end := 1; ; {
		end += bytes.IndexByte(text[end:], '"') + 1
		escapes := 0
		for text[end-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return end
		}
	}
}

// jsonText is what a JSON string stands for.
func jsonText(quoted []byte) (text string) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	_ = json.Unmarshal(quoted, &text)
	return text
}
