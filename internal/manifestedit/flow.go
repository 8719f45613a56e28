package manifestedit

import (
	"bytes"
	"errors"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// A flowEnd is where the parts of a list in flow style are that new needs are written behind.
type flowEnd struct {
	open, close int // the brackets
	last        int // where the last need ends
	comma       int // behind it; -1 for none
}

// flowEnd finds the end of the list, and checks that its needs are where their nodes are.
func (l *needList) flowEnd() (flowEnd, error) {
	f, commas := flowEnd{open: l.offset(l.seq), comma: -1}, 0
	last, end := l.scan(f.open, func(at, end int) { commas, f.comma, f.last = commas+1, at, end })
	f.close = end
	if commas < len(l.items) {
		f.comma, f.last = -1, last
		commas++
	}
	if f.close < 0 || commas != len(l.items) || commas > 0 && l.offset(l.items[commas-1]) >= f.last {
		return f, errors.New("it is unclear where the entries of this list begin and end")
	}
	return f, nil
}

// scan walks from an opening bracket to the one that closes it, and calls comma for each
// comma between its items, with the end of what stands before. It returns the end of the
// last item, and the closing bracket; that is -1 where there is none. Quoted text is told
// by its nodes: an apostrophe within plain text is none.
func (s *source) scan(open int, comma func(at, end int)) (end, close int) {
	depth := 0
	for i := open; i < len(s.text); i++ {
		c := s.text[i]
		closing, quoted := s.quotes[i]
		switch {
		case quoted:
			i = closing
		case c == '#' && strings.IndexByte(" \t\r\n,[]{}", s.text[i-1]) >= 0:
			i = s.end(s.lineAt(i)) - 1
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return end, i
			}
		case c == ',' && depth == 1:
			comma(i, end)
			continue
		}
		if depth == 0 {
			break // no bracket opens here
		}
		end = i + 1
	}
	return 0, -1
}

func (l *needList) appendFlow(needs []scopes.Need) ([]splice, error) {
	f, err := l.flowEnd()
	if err != nil {
		return nil, err
	}
	if len(l.items) == 0 {
		return l.appendFirst(f, needs), nil
	}
	item := l.items[len(l.items)-1]
	style, start, end, comma := l.styleOf(item), l.offset(item), f.last, ","
	if f.comma >= 0 {
		end, comma = f.comma+1, ""
	}
	line := l.lineAt(end - 1)
	lead := string(l.text[l.lines[l.lineAt(start)]:start])
	alone := strings.TrimSpace(lead) == ""
	tail := l.text[end:l.end(line)]
	if l.lineAt(f.close) > line && (alone || bytes.IndexByte(tail, '#') >= 0) {
		indent := lead[:len(lead)-len(strings.TrimLeft(lead, " \t"))]
		return []splice{{end, end, comma}, {l.end(line), l.end(line), indent + style.mappings(needs, ","+style.end+indent) + style.end}}, nil
	}
	return []splice{{end, end, comma + " " + style.mappings(needs, ", ")}}, nil
}

// appendFirst adds to an empty list: in block style where the list is in a block.
func (l *needList) appendFirst(f flowEnd, needs []scopes.Need) []splice {
	line := l.lineAt(f.close)
	blank := len(bytes.TrimSpace(l.text[f.open+1:f.close])) == 0
	if l.inFlow || !blank || l.lineAt(f.open) != line {
		style := needStyle{flow: true, quoteKeys: l.key.Style&yaml.DoubleQuotedStyle != 0} // quoted as in JSON
		return []splice{{f.open + 1, f.open + 1, style.mappings(needs, ", ")}}
	}
	style := needStyle{indent: l.key.Column + 1, gap: 1, end: l.lineEnd()}
	list := style.list(needs)
	if strings.TrimSpace(l.line(line)) == string(l.text[f.open:f.close+1]) { // the brackets have a line of their own
		return []splice{{l.lines[line], l.end(line), l.inPlaceOf(line, list, style.end)}}
	}
	from, by := f.open, ""
	for from > 0 && l.text[from-1] == ' ' {
		from--
	}
	if bytes.HasPrefix(l.text[f.close+1:], []byte("#")) {
		by = " "
	}
	return []splice{{from, f.close + 1, by}, l.insertAfter(line, list, style.end)}
}
