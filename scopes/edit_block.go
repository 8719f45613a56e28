package scopes

import (
	"bytes"
	"strings"
)

// remove takes an entry out of its list. Comments between entries stay; those within
// the entry go with it.
func (l *entryList) remove(at int) ([]splice, error) {
	if flowing(l.seq) {
		return l.removeFlow(at)
	}
	first, last, err := l.block(at)
	if err != nil {
		return nil, err
	}
	out := []splice{{l.lines[first], l.end(last), ""}}
	if len(l.items) > 1 {
		return out, nil
	}
	// A list of nothing is written as such: bare, the key would have no value.
	colon := bytes.IndexByte(l.text[l.offset(l.key):], ':')
	if colon < 0 || l.key.Line-1 >= first {
		return nil, &EditError{l.file, l.key.Line, "the list cannot be emptied in place"}
	}
	after := l.offset(l.key) + colon + 1
	return append(out, splice{after, after, " []"}), nil
}

// append adds an entry at the end of the list.
func (l *entryList) append(e Entry) ([]splice, error) {
	if flowing(l.seq) {
		return l.appendFlow(e)
	}
	if len(l.items) == 0 {
		return nil, &EditError{l.file, l.key.Line, "the list has no value"}
	}
	at := len(l.items) - 1
	_, last, err := l.block(at)
	if err != nil {
		return nil, err
	}
	item := l.items[at].node
	gap := max(item.Column-l.seq.Column-1, 1)
	style := entryStyle{indent: l.seq.Column - 1, gap: gap, flow: flowing(item), end: l.lineEnd()}
	return []splice{l.insertAfter(last, style.item(e), style.end)}, nil
}

// insertAfter puts lines, each with its end, behind a line. Where that is the file's
// last and has no end, the new last line has none either.
func (s *sheet) insertAfter(line int, text, eol string) splice {
	at := s.end(line)
	if at > 0 && !strings.ContainsAny(string(s.text[at-1]), "\r\n") && at == len(s.text) {
		text = eol + strings.TrimSuffix(text, eol)
	}
	return splice{at, at, text}
}

// block is the first and the last line of an entry of a list in block style, counted
// from 0: from its dash to the last line that is indented deeper than that. Comments
// that are not belong to what follows.
func (l *entryList) block(at int) (first, last int, err error) {
	dash := l.seq.Column - 1
	first = l.items[at].node.Line - 1
	for first >= 0 && !(l.indent(first) == dash && l.line(first)[dash] == '-') {
		first--
	}
	if first < 0 || at > 0 && first < l.items[at-1].node.Line-1 {
		return 0, 0, &EditError{l.file, l.items[at].node.Line, "an entry does not begin on a line of its own"}
	}
	last = first
	for i := first + 1; i < len(l.lines); i++ {
		switch indent := l.indent(i); {
		case indent > dash:
			last = i
		case indent >= 0:
			return first, last, nil
		}
	}
	return first, last, nil
}
