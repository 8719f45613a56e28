package scopes

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// removeBlock takes what does not stay out of a list in block style.
func (l *entryList) removeBlock(stays []bool) ([]splice, error) {
	var out []splice
	for at, stay := range stays {
		if stay {
			continue
		}
		first, last, err := l.block(at)
		if err != nil {
			return nil, err
		}
		out = append(out, splice{l.lines[first], l.end(last), ""})
	}
	if slices.Contains(stays, true) {
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

// appendBlock adds entries at the end of a list in block style.
func (l *entryList) appendBlock(entries []Entry) ([]splice, error) {
	if len(l.items) == 0 {
		return nil, errors.New("the list has no value")
	}
	at := len(l.items) - 1
	_, last, err := l.block(at)
	if err != nil {
		return nil, err
	}
	item := l.items[at].node
	gap := max(item.Column-l.seq.Column-1, 1)
	style := entryStyle{indent: l.seq.Column - 1, gap: gap, flow: flowing(item), end: l.lineEnd()}
	return []splice{l.insertAfter(last, style.list(entries), style.end)}, nil
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
		return 0, 0, errors.New("the entry does not begin on a line of its own")
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
