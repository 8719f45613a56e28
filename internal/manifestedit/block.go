package manifestedit

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// removeBlock takes needs out of a list in block style.
func (l *needList) removeBlock(goes []bool) ([]splice, error) {
	var out []splice
	keeps := -1 // a line to whose text blank lines behind it would be added
	for at, going := range goes {
		first, last, err := l.block(at)
		switch {
		case err != nil:
			return nil, err
		case !going && l.keeps(l.items[at]):
			keeps = last
		case !going:
			keeps = -1
		case keeps == first-1:
			last = l.skipBlank(last)
			keeps = last
			fallthrough
		default:
			out = append(out, splice{l.lines[first], l.end(last), ""})
		}
	}
	if slices.Contains(goes, false) {
		return out, nil
	}
	// A list of nothing is written as such: bare, the key would have no value.
	colon := bytes.IndexByte(l.text[l.offset(l.key):], ':')
	if colon < 0 || l.end(l.key.Line-1) > out[0].from {
		return nil, errors.New("the list does not begin on a line of its own")
	}
	after := l.offset(l.key) + colon + 1
	return append(out, splice{after, after, " []"}), nil
}

// appendBlock adds needs at the end of a list in block style.
func (l *needList) appendBlock(needs []scopes.Need) ([]splice, error) {
	if len(l.items) == 0 {
		return l.beginBlock(needs)
	}
	at := len(l.items) - 1
	_, last, err := l.block(at)
	if err != nil {
		return nil, err
	}
	style := l.styleOf(l.items[at])
	return []splice{l.insertAfter(last, style.list(needs), style.end)}, nil
}

// beginBlock writes the first needs of a list that has none, and no brackets, below its key.
func (l *needList) beginBlock(needs []scopes.Need) ([]splice, error) {
	if l.inFlow || l.seq.Value != "" {
		return nil, errors.New("the list has no value")
	}
	style := needStyle{indent: l.key.Column + 1, gap: 1, end: l.lineEnd()}
	return []splice{l.insertAfter(l.key.Line-1, style.list(needs), style.end)}, nil
}

// insertAfter puts lines, each with its end, behind a line. Where that is the file's
// last and has no end, the new last line has none either.
func (s *source) insertAfter(line int, text, eol string) splice {
	at, by := s.end(line), s.inPlaceOf(line, text, eol)
	if by != text {
		by = eol + by
	}
	return splice{at, at, by}
}

// inPlaceOf is lines, each with its end, as they take the place of a line: without the
// last end where that line has none.
func (s *source) inPlaceOf(line int, text, eol string) string {
	if strings.ContainsAny(s.line(line), "\r\n") {
		return text
	}
	return strings.TrimSuffix(text, eol)
}

// block is the first and the last line of an entry of a list in block style, counted
// from 0: from its dash to the last line that is indented deeper than that. Comments
// that are not, and come behind its last word, belong to what follows.
func (l *needList) block(at int) (first, last int, err error) {
	item, dash := l.items[at], l.seq.Column-1
	first = item.Line - 1
	for first >= 0 && !(l.indent(first) == dash && l.line(first)[dash] == '-') {
		first--
	}
	if first < 0 || at > 0 && first < l.items[at-1].Line-1 {
		return 0, 0, errors.New("the entry does not begin on a line of its own")
	}
	last = max(first, lastLine(item)-1)
	for i := last + 1; i < len(l.lines); i++ {
		indent := l.indent(i)
		if l.within[i] || indent > dash {
			last = i
		} else if indent >= 0 {
			break
		}
	}
	if l.indent(last) >= item.Column && l.keeps(item) {
		last = l.skipBlank(last)
	}
	return first, last, nil
}

// lastLine is where the last word of a node begins.
func lastLine(n *yaml.Node) int {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	return n.Line
}

// keeps reports whether a node ends in text whose blank lines at the end count: |+ or >+
// (YAML 1.1 §9.2.2).
func (l *needList) keeps(n *yaml.Node) bool {
	for len(n.Content) > 0 && !flowing(n) {
		n = n.Content[len(n.Content)-1]
	}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return false
	}
	header := l.text[min(l.offset(n)+1, len(l.text)):]
	return bytes.IndexByte(header[:len(header)-len(bytes.TrimLeft(header, "+-0123456789"))], '+') >= 0
}

// skipBlank is the last of the blank lines behind a line, or that line.
func (s *source) skipBlank(line int) int {
	for line+1 < len(s.lines) && s.lines[line+1] < len(s.text) && s.indent(line+1) < 0 {
		line++
	}
	return line
}
