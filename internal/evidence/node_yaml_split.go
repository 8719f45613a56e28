package evidence

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// A large document is read in parts: parsed, YAML takes ten times its size.
const (
	partSize  = 64 << 10
	maxWhole  = 32 << 20 // what is parsed as a whole
	largeYAML = 16       // parts
	manyParts = 512      // in the text of one: more cost more than they save
	maxSplits = 4        // how deep: what cannot be split was looked at in vain
)

// splitYAML reads a large block mapping member by member, so that no more than one of them
// is held in parsed form. It is nil where it cannot be sure to read what the parser would
// read of the whole.
//
// A part begins on each line that is indented as the first is. Alone, it has to parse as
// one member of a block mapping. Then nothing is open at its end that the next line could
// belong to: an open quote or bracket is an error, and any other value ends before a line
// that is not indented more than its key. So the parser of the whole would be in the same
// state where a part begins. An alias means the last anchor of its name: one in the same
// part, as an alias without that is an error.
func (d *document) splitYAML(text []byte, before, depth int) *node {
	starts, indent := memberLines(text)
	if len(starts) == 0 || len(text)/len(starts) < d.set.partSize/manyParts {
		return nil
	}
	if yaml.Unmarshal(text[:starts[0]], new(yaml.Node)) != nil { // comments
		return nil
	}
	var members []member
	at := 0
	for i, start := range starts {
		before += bytes.Count(text[at:start], []byte("\n"))
		at = start
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		m := d.partOf(text[start:end], before, indent, depth)
		if m.node == nil {
			return nil
		}
		members = append(members, m)
	}
	return &node{document: d, kind: objectNode, line: members[0].line, read: func() []member { return members }}
}

// memberLines are the offsets of the lines that are indented as the first; none where a
// line is indented less.
func memberLines(text []byte) (starts []int, indent int) {
	at := 0
	for row := range bytes.Lines(text) {
		bare := bytes.TrimLeft(row, " ")
		in := len(row) - len(bare)
		bare = bytes.TrimRight(bare, " \t\r\n")
		switch {
		case len(bare) == 0, bare[0] == '#', at == 0 && in == 0 && string(bare) == "---":
		case len(starts) == 0:
			starts, indent = []int{at}, in
		case in < indent:
			return nil, 0
		case in == indent && string(bare) != "-" && !bytes.HasPrefix(bare, []byte("- ")):
			starts = append(starts, at)
		}
		at += len(row)
	}
	return starts, indent
}

// partOf reads one member; it has no node where it cannot be sure. What the member holds
// is parsed again when someone asks for it.
func (d *document) partOf(part []byte, before, indent, depth int) member {
	head, body, _ := bytes.Cut(part, []byte("\n"))
	if len(part) > d.set.partSize && depth < maxSplits && bytes.HasSuffix(bytes.TrimSpace(head), []byte(":")) {
		if key, value := blockMember(head, indent); key != nil && value.Value == "" && value.ShortTag() == "!!null" {
			if n := d.splitYAML(body, before+1, depth+1); n != nil {
				return member{key.Value, before + 1, n}
			}
		}
	}
	key, value := blockMember(part, indent)
	if key == nil {
		return member{}
	}
	n := d.yamlTree(before).node(value)
	if n.read != nil {
		n.read = func() []member {
			_, value := blockMember(part, indent)
			return d.yamlTree(before).node(value).children()
		}
	}
	return member{key.Value, before + 1, n}
}

// blockMember parses the only member of a block mapping with an indentation; nil where it
// is anything else.
func blockMember(text []byte, indent int) (key, value *yaml.Node) {
	var parsed yaml.Node
	if len(text) > maxWhole {
		return nil, nil
	}
	if err := yaml.Unmarshal(text, &parsed); err != nil || parsed.Kind == 0 {
		return nil, nil
	}
	top := parsed.Content[0]
	if top.Kind != yaml.MappingNode || len(top.Content) != 2 {
		return nil, nil
	}
	key, value = top.Content[0], top.Content[1]
	if key.Column != indent+1 || key.ShortTag() == "!!merge" {
		return nil, nil
	}
	return key, value
}

// hasOtherBreaks reports whether lines of the text end in what YAML 1.1 counts, and an
// editor may not: their numbers would differ.
func hasOtherBreaks(text []byte) bool {
	for _, mark := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(mark)) {
			return true
		}
	}
	return bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n"))
}
