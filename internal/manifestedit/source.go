package manifestedit

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"go.yaml.in/yaml/v3"
)

// A source is the text of a manifest with the nodes that stand on it.
type source struct {
	bom     []byte // a byte order mark, which no position counts
	text    []byte
	lines   []int // where each line begins
	lists   []*needList
	offsets map[*yaml.Node]int
	quotes  map[int]int  // where quoted text begins, and its closing quote
	within  map[int]bool // lines that begin within quoted text or flow style: their indent means nothing
}

// A needList is a list of needs in a source: the base's, or a program's.
type needList struct {
	*source
	program string
	key     *yaml.Node // the word scopes
	seq     *yaml.Node
	inFlow  bool         // some mapping around it is in flow style
	items   []*yaml.Node // a need each
}

// A splice replaces a stretch of the text.
type splice struct {
	from, to int
	by       string
}

// readSource parses the text of a manifest; one that is none has no lists.
func readSource(text []byte) *source {
	s := &source{offsets: make(map[*yaml.Node]int), quotes: make(map[int]int), within: make(map[int]bool)}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		s.bom, text = text[:3:3], text[3:]
	}
	s.text = text
	s.findLines()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return s
	}
	root := doc.Content[0]
	s.place(root, &cursor{line: 1, column: 1})
	s.span(root)
	s.take("", root, flowing(root))
	programs := yamlfile.Child(root, "programs")
	if programs == nil {
		return s
	}
	for i := 0; i+1 < len(programs.Content); i += 2 {
		body := programs.Content[i+1]
		s.take(programs.Content[i].Value, body, flowing(root) || flowing(programs) || flowing(body))
	}
	return s
}

func flowing(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// findLines notes where lines begin, by the breaks that YAML 1.1 and the parser know.
func (s *source) findLines() {
	s.lines = []int{0}
	for i := 0; i < len(s.text); {
		r, size := utf8.DecodeRune(s.text[i:])
		i += size
		switch r {
		case '\r':
			if i < len(s.text) && s.text[i] == '\n' {
				i++
			}
			s.lines = append(s.lines, i)
		case '\n', '\u0085', '\u2028', '\u2029':
			s.lines = append(s.lines, i)
		}
	}
}

// take notes the list of needs under a mapping.
func (s *source) take(program string, n *yaml.Node, inFlow bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "scopes" {
			continue
		}
		seq := n.Content[i+1]
		l := &needList{source: s, program: program, key: n.Content[i], seq: seq, inFlow: inFlow, items: seq.Content}
		s.lists = append(s.lists, l)
	}
}

func (s *source) list(program string) *needList {
	for _, l := range s.lists {
		if l.program == program {
			return l
		}
	}
	return nil
}

// apply makes the changed text. Splices may not overlap.
func (s *source) apply(splices []splice) []byte {
	slices.SortStableFunc(splices, func(a, b splice) int { return a.from - b.from })
	out, at := slices.Clone(s.bom), 0
	for _, one := range splices {
		out = append(append(out, s.text[at:one.from]...), one.by...)
		at = one.to
	}
	return append(out, s.text[at:]...)
}

// A cursor is a place in the text, by line and column and by bytes.
type cursor struct{ line, column, at int }

// place notes where a node and those within it begin. They come in the text's order, so
// that the cursor only goes forward: a line of a megabyte is walked once.
func (s *source) place(n *yaml.Node, p *cursor) {
	if n.Line != p.line || n.Column < p.column {
		*p = cursor{n.Line, 1, s.lines[min(n.Line, len(s.lines))-1]}
	}
	for ; p.column < n.Column && p.at < len(s.text); p.column++ { // columns count characters
		_, size := utf8.DecodeRune(s.text[p.at:])
		p.at += size
	}
	s.offsets[n] = p.at
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		if end := s.closing(p.at); end > 0 {
			s.quotes[p.at] = end
		}
	}
	for _, c := range n.Content {
		s.place(c, p)
	}
}

// span notes the lines that begin within quoted text or flow style.
func (s *source) span(n *yaml.Node) {
	from := s.offset(n)
	to, quoted := s.quotes[from]
	if !quoted && flowing(n) {
		_, to = s.scan(from, func(int, int) {})
	}
	for line := s.lineAt(from) + 1; line <= s.lineAt(to); line++ {
		s.within[line] = true
	}
	if !flowing(n) { // else those within it are, too
		for _, c := range n.Content {
			s.span(c)
		}
	}
}

// offset is where a node begins.
func (s *source) offset(n *yaml.Node) int { return s.offsets[n] }

// closing is where the quoted text that begins at i ends, or -1.
func (s *source) closing(i int) int {
	if i >= len(s.text) || s.text[i] != '"' && s.text[i] != '\'' {
		return -1
	}
	quote := s.text[i]
	for i++; i < len(s.text); i++ {
		switch {
		case quote == '"' && s.text[i] == '\\':
			i++
		case s.text[i] == quote && quote == '\'' && i+1 < len(s.text) && s.text[i+1] == quote:
			i++
		case s.text[i] == quote:
			return i
		}
	}
	return -1
}

// lineAt is the line, counted from 0, that holds an offset.
func (s *source) lineAt(offset int) int {
	return max(sort.SearchInts(s.lines, offset+1)-1, 0)
}

// line is the text of a line, counted from 0, with its end.
func (s *source) line(i int) string {
	if i+1 < len(s.lines) {
		return string(s.text[s.lines[i]:s.lines[i+1]])
	}
	return string(s.text[s.lines[i]:])
}

// end is where a line ends, its break included.
func (s *source) end(i int) int { return s.lines[i] + len(s.line(i)) }

// indent is how many blanks begin a line; -1 for one that holds nothing else.
func (s *source) indent(i int) int {
	line := s.line(i)
	rest := strings.TrimLeft(line, " ")
	if strings.Trim(rest, " \t\r\n\u0085\u2028\u2029") == "" {
		return -1
	}
	return len(line) - len(rest)
}

// lineEnd is the break that the file uses, as its first line has it.
func (s *source) lineEnd() string {
	rest := s.text[max(bytes.IndexAny(s.text, "\r\n"), 0):]
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return "\r\n"
	case bytes.HasPrefix(rest, []byte("\r")):
		return "\r"
	default:
		return "\n"
	}
}
