package scopes

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A flowList is where the parts of a list in flow style stand: [a, b].
type flowList struct {
	starts, ends []int // of each item
	commas       []int // behind each item; the last may lack one
	open, close  int   // the brackets
}

// flow finds the parts of the list. Quoted text is told by its nodes: an apostrophe
// within plain text is none.
func (l *entryList) flow() (flowList, error) {
	f := flowList{open: l.offset(l.seq)}
	bad := &EditError{l.file, l.seq.Line, "the list is written in a way that cannot be changed in place"}
	if f.open >= len(l.text) || l.text[f.open] != '[' {
		return f, bad
	}
	quoted := make(map[int]bool)
	l.quoted(l.seq, quoted)
	depth, significant := 0, -1
	for i := f.open; i < len(l.text); i++ {
		c := l.text[i]
		switch {
		case quoted[i]:
			if i = l.closing(i); i < 0 {
				return f, bad
			}
		case c == '#' && strings.ContainsRune(" \t\r\n", rune(l.text[i-1])):
			for i+1 < len(l.text) && l.text[i+1] != '\n' && l.text[i+1] != '\r' {
				i++
			}
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				f.close = i
				return f, f.finish(l, significant, bad)
			}
		case c == ',' && depth == 1:
			f.commas, f.ends = append(f.commas, i), append(f.ends, significant+1)
			continue
		}
		significant = i
	}
	return f, bad
}

// finish takes in the last item, and checks that each is where its node is.
func (f *flowList) finish(l *entryList, significant int, bad error) error {
	if len(f.commas) < len(l.items) {
		f.ends = append(f.ends, significant+1)
	}
	for _, item := range l.items {
		f.starts = append(f.starts, l.offset(item.node))
	}
	if len(l.items) == 0 {
		f.ends = nil
	}
	if len(f.ends) != len(f.starts) {
		return bad
	}
	for i := range f.starts {
		if f.starts[i] >= f.ends[i] {
			return bad
		}
	}
	return nil
}

// quoted notes where quoted scalars begin.
func (l *entryList) quoted(n *yaml.Node, starts map[int]bool) {
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		starts[l.offset(n)] = true
	}
	for _, c := range n.Content {
		l.quoted(c, starts)
	}
}

// closing is where the quoted text that begins at i ends, or -1.
func (l *entryList) closing(i int) int {
	quote := l.text[i]
	for i++; i < len(l.text); i++ {
		switch {
		case quote == '"' && l.text[i] == '\\':
			i++
		case l.text[i] == quote && quote == '\'' && i+1 < len(l.text) && l.text[i+1] == quote:
			i++
		case l.text[i] == quote:
			return i
		}
	}
	return -1
}

func (l *entryList) appendFlow(e Entry) ([]splice, error) {
	f, err := l.flow()
	if err != nil {
		return nil, err
	}
	style := entryStyle{flow: true, quoteKeys: l.quotesKeys(), end: l.lineEnd()}
	if len(l.items) == 0 {
		return l.appendFirst(f, e, style), nil
	}
	last := len(l.items) - 1
	comma := ","
	if len(f.commas) == len(l.items) {
		comma = ""
	}
	line := l.lineAt(f.ends[last] - 1)
	alone := strings.TrimSpace(string(l.text[l.lines[l.lineAt(f.starts[last])]:f.starts[last]])) == ""
	tail := string(l.text[f.ends[last]:min(l.end(line), f.close)]) // a # behind the list is no matter
	if alone && l.lineAt(f.close) > line || strings.Contains(tail, "#") {
		indent := l.line(l.lineAt(f.starts[last]))
		indent = indent[:len(indent)-len(strings.TrimLeft(indent, " \t"))]
		return []splice{{f.ends[last], f.ends[last], comma}, {l.end(line), l.end(line), indent + style.mapping(e) + style.end}}, nil
	}
	if comma == "" {
		at := f.commas[last] + 1
		return []splice{{at, at, " " + style.mapping(e)}}, nil
	}
	return []splice{{f.ends[last], f.ends[last], ", " + style.mapping(e)}}, nil
}

// appendFirst adds to a list of nothing: as a block where the list stands in one.
func (l *entryList) appendFirst(f flowList, e Entry, style entryStyle) []splice {
	line := l.lineAt(f.close)
	blank := strings.TrimSpace(string(l.text[f.open+1:f.close])) == ""
	if l.inFlow || !blank || l.lineAt(f.open) != line {
		return []splice{{f.open + 1, f.open + 1, style.mapping(e)}}
	}
	from := f.open
	for from > 0 && l.text[from-1] == ' ' {
		from--
	}
	style = entryStyle{indent: l.key.Column + 1, gap: 1, end: style.end}
	insert := l.insertAfter(line, style.item(e), style.end)
	return []splice{{from, f.close + 1, ""}, insert}
}

// quotesKeys tells whether the list's keys are quoted, as in JSON.
func (l *entryList) quotesKeys() bool {
	return l.key.Style&yaml.DoubleQuotedStyle != 0
}

// lineAt is the line, counted from 0, that holds an offset.
func (s *sheet) lineAt(offset int) int {
	line := 0
	for line+1 < len(s.lines) && s.lines[line+1] <= offset {
		line++
	}
	return line
}

func (l *entryList) removeFlow(at int) ([]splice, error) {
	f, err := l.flow()
	if err != nil {
		return nil, err
	}
	if at == len(f.commas) && at > 0 { // the last, without a comma: the one before goes
		between := string(l.text[f.commas[at-1]+1 : f.starts[at]])
		if strings.TrimLeft(between, " \t") == "" {
			return []splice{{f.commas[at-1], f.ends[at], ""}}, nil
		}
		return []splice{{f.commas[at-1], f.commas[at-1] + 1, ""}, l.wholeLine(f.starts[at], f.ends[at])}, nil
	}
	to := f.ends[at]
	if at < len(f.commas) {
		to = f.commas[at] + 1
	}
	return []splice{l.wholeLine(f.starts[at], to)}, nil
}

// wholeLine removes a stretch with the blanks behind it, and its line where nothing
// else stands there.
func (l *entryList) wholeLine(from, to int) splice {
	for to < len(l.text) && (l.text[to] == ' ' || l.text[to] == '\t') {
		to++
	}
	start, end := l.lines[l.lineAt(from)], l.end(l.lineAt(max(to-1, from)))
	if strings.TrimSpace(string(l.text[start:from])) == "" && strings.TrimSpace(string(l.text[to:end])) == "" {
		return splice{start, end, ""}
	}
	return splice{from, to, ""}
}
