package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"go.yaml.in/yaml/v3"
)

// MaxFileSize bounds a manifest or provider file, in bytes. A manifest of a
// thousand scopes has 150 KiB; what is larger is no manifest.
const MaxFileSize = 1 << 20

// A Reader turns the nodes of one YAML file into values and gathers what is wrong
// on the way, so that someone fixes everything in one round.
type Reader struct {
	File   string
	found  Mistakes
	source []byte // of the document
	untold int    // mistakes beyond maxMistakes
	trace  *trace
}

// maxMistakes bounds how many mistakes of one file are told: more than anyone
// fixes in one round, and a megabyte of nonsense holds a hundred thousand.
const maxMistakes = 100

// Mistake notes what is wrong at a node.
func (r *Reader) Mistake(n *yaml.Node, kind MistakeKind, format string, args ...any) {
	if r.trace != nil {
		return
	}
	if len(r.found) >= maxMistakes {
		r.untold++
		return
	}
	r.found = append(r.found, Mistake{
		File: r.File, Line: max(n.Line, 1), Column: max(n.Column, 1), Kind: kind,
		Message: text.Line(fmt.Sprintf(format, args...)),
	})
}

// Told is every mistake of the file in its order, and at the end how many more
// there are.
func (r *Reader) Told() Mistakes {
	mistakes := r.found.Sorted()
	if len(mistakes) > 0 {
		lines := bytes.SplitAfter(r.source, []byte("\n"))
		for i, m := range mistakes {
			mistakes[i].source = quotable(lines, m.Line-1)
		}
	}
	if r.untold > 0 {
		last := mistakes[len(mistakes)-1]
		last.Kind, last.source, last.Message = TooMany, "", "and "+text.Count(r.untold, "more mistake")
		mistakes = append(mistakes, last)
	}
	return mistakes
}

// Document parses text into the root mapping of its only document; nil when that
// cannot be, with the mistake noted.
func (r *Reader) Document(text []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	r.source = text[:min(len(text), MaxFileSize)]
	if len(text) > MaxFileSize {
		r.Mistake(start, BadSize, "the file is larger than 1 MiB")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && doc.Content[0].Tag == "!!null":
		r.Mistake(start, BadSize, "the file is empty")
		return nil
	case err != nil:
		r.syntax(err, text)
		return nil
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.Mistake(&second, BadYAML, "a second document begins here; one file holds one")
	case !errors.Is(err, io.EOF):
		r.syntax(err, text)
	}
	r.refuseAliases(&doc)
	placeNothing(&doc)
	if len(r.found) > 0 {
		return nil
	}
	return doc.Content[0]
}

// syntax notes a file that is no YAML.
func (r *Reader) syntax(err error, text []byte) {
	m := NotYAML(r.File, text, err)
	r.Mistake(&yaml.Node{Line: m.Line, Column: m.Column}, m.Kind, "%s", m.Message)
}

// NotYAML is the mistake of a text for which the YAML parser gave err, with the place. A
// tab is named as such: the parser's own words ("cannot start any token") help nobody.
func NotYAML(file string, source []byte, err error) Mistake {
	m := Mistake{File: file, Line: 1, Column: 1, Kind: BadYAML}
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(message, "cannot start any token") || strings.Contains(message, "tab character") {
		if line, column, ok := tabIndent(source); ok {
			m.Line, m.Column, m.Message = line, column, "a tab indents this line; YAML allows only spaces there"
			return m
		}
	}
	if numbered, ok := strings.CutPrefix(message, "line "); ok {
		if number, rest, ok := strings.Cut(numbered, ": "); ok {
			m.Line, _ = strconv.Atoi(number)
			message = rest
			if strings.HasPrefix(message, "did not find expected") {
				m.Line++ // these, of its second stage, the parser counts from 0
			}
		}
	}
	last := 1 + bytes.Count(bytes.TrimSpace(source), []byte("\n"))
	m.Line = max(1, min(m.Line, last)) // a file that breaks off does so in its last line
	m.Message = text.Line("not YAML: " + message)
	return m
}

func tabIndent(text []byte) (line, column int, found bool) {
	line = 1
	for l := range bytes.Lines(text) {
		blank := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if at := bytes.IndexByte(blank, '\t'); at >= 0 && len(bytes.TrimSpace(l)) > 0 {
			return line, at + 1, true
		}
		line++
	}
	return 0, 0, false
}

// refuseAliases keeps out anchors and aliases: a few lines of them unfold into
// gigabytes, and a manifest is there to be read.
func (r *Reader) refuseAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.Mistake(n, BadYAML, "anchors and aliases are not allowed here: write it out")
		return
	}
	for _, child := range n.Content {
		r.refuseAliases(child)
	}
}

// placeNothing puts what is left out to its key: the parser places it where the next
// token stands, which may be behind the end of the file.
func placeNothing(n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Value == "" && child.Tag == "!!null" {
			key := n.Content[i-1]
			child.Line, child.Column = key.Line, key.Column
		}
		placeNothing(child)
	}
}

// List calls read for each item of a sequence.
func (r *Reader) List(n *yaml.Node, what string, read func(item *yaml.Node)) {
	if r.trace != nil {
		if n.Kind == yaml.SequenceNode {
			s := r.trace.at(n)
			s.Type, s.Items = "array", r.trace.shape(read)
		}
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.Mistake(n, BadType, "%s is a list, not %s", what, Form(n))
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// Text reads one word or sentence; "" with the mistake noted for anything else.
func (r *Reader) Text(n *yaml.Node, what string) string {
	if r.traced(n, yaml.ScalarNode, Shape{Type: "string", Low: 1}) {
		return ""
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		r.Mistake(n, BadType, "%s is text, not %s", what, Form(n))
	case n.ShortTag() == "!!null" || n.Value == "":
		r.Mistake(n, BadValue, "%s is empty", what)
	case n.ShortTag() != "!!str":
		r.Mistake(n, BadType, "%s is text, not %s: put it between quotes", what, Form(n))
	default:
		return n.Value
	}
	return ""
}

// Plain reads text, or a number, true or false, which stand for the text that JSON has for them.
func (r *Reader) Plain(n *yaml.Node, what string) string {
	if r.traced(n, yaml.ScalarNode, Shape{Type: "string", Plain: true, Low: 1}) {
		return ""
	}
	if tag := n.ShortTag(); n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!bool") {
		return strings.ToLower(n.Value)
	}
	return r.Text(n, what)
}

// Nothing reports whether nothing stands where something could, which is allowed there.
func (r *Reader) Nothing(n *yaml.Node) bool {
	if r.trace != nil {
		r.trace.at(n).Null = true
	}
	return n.ShortTag() == "!!null"
}

// Name reads a name of the user's own: it is shown to people and stands in JSON.
func (r *Reader) Name(n *yaml.Node, what string) string {
	if r.traced(n, yaml.ScalarNode, Shape{}) {
		*r.trace.at(n) = nameShape()
		return ""
	}
	found := r.Text(n, what)
	if found != "" && !text.IsName(found) {
		r.badName(n, what)
		return ""
	}
	return found
}

func (r *Reader) badName(n *yaml.Node, what string) {
	r.Mistake(n, BadValue, "%s: %s is not a name of 1 to %d printable characters", what, text.Quote(n.Value), text.MaxName)
}

// Word reads text that must be one of the allowed words.
func (r *Reader) Word(n *yaml.Node, what string, words []string) string {
	if r.traced(n, yaml.ScalarNode, Shape{Type: "string", Words: words}) {
		return ""
	}
	found := r.Text(n, what)
	if found != "" && !slices.Contains(words, found) {
		r.Mistake(n, BadValue, "unknown %s %q%s", what, found, text.Allowed(found, words))
		return ""
	}
	return found
}

// Defined reads one of the words that this file defines, or another; where none is known, nothing can be
// said of it.
func (r *Reader) Defined(n *yaml.Node, what string, words []string) string {
	switch {
	case r.Describing():
		return r.Text(n, what)
	case len(words) == 0:
		return ""
	}
	return r.Word(n, what, words)
}

// Boolean reads true or false.
func (r *Reader) Boolean(n *yaml.Node, what string) bool {
	if r.traced(n, yaml.ScalarNode, Shape{Type: "boolean"}) {
		return false
	}
	var value bool
	if n.ShortTag() != "!!bool" || n.Decode(&value) != nil {
		r.Mistake(n, BadType, "%s is true or false, not %s", what, Form(n))
	}
	return value
}

// Number reads a whole number from low to high.
func (r *Reader) Number(n *yaml.Node, what string, low, high int) int {
	if r.traced(n, yaml.ScalarNode, Shape{Type: "integer", Low: low, High: high}) {
		return 0
	}
	var value int
	if n.ShortTag() != "!!int" || n.Decode(&value) != nil || value < low || value > high {
		r.Mistake(n, BadValue, "%s is a number from %d to %d, not %s", what, low, high, Form(n))
		return 0
	}
	return value
}

// Parsed reads text that parse can read; what it says of another is the mistake.
func (r *Reader) Parsed(n *yaml.Node, what string, kind MistakeKind, parse func(string) error) string {
	found := r.Text(n, what)
	if found == "" {
		return ""
	}
	if err := parse(found); err != nil {
		r.Mistake(n, kind, "%v", err)
		return ""
	}
	return found
}

// Count is how many mistakes were noted so far.
func (r *Reader) Count() int { return len(r.found) + r.untold }

// Version reads the version of the file's form, of which one is known.
func (r *Reader) Version(n *yaml.Node, known string) {
	if number, _ := strconv.Atoi(known); r.traced(n, yaml.ScalarNode, Shape{Type: "integer", Low: number, High: number}) {
		return
	}
	switch {
	case n.ShortTag() != "!!int":
		r.Mistake(n, BadVersion, "version is the number %s, not %s", known, Form(n))
	case n.Value != known:
		r.Mistake(n, BadVersion, "version %s cannot be read here: this ambit reads version %s", n.Value, known)
	}
}

// plainForm is the word for what a plain value of that tag is; "" for the others.
func plainForm(tag string) string {
	switch tag {
	case "!!bool":
		return "word"
	case "!!int", "!!float":
		return "number"
	case "!!timestamp":
		return "date"
	}
	return ""
}

// Form says what a node is, for messages.
func Form(n *yaml.Node) string {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.MappingNode:
		return "a set of keys"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case tag == "!!null":
		return "nothing"
	case plainForm(tag) != "":
		return "the " + plainForm(tag) + " " + n.Value
	case tag == "!!str":
		return "the text " + strconv.Quote(excerpt(n.Value))
	default:
		return "a value tagged " + tag
	}
}

// shownText is how much of a text in the wrong place is shown, in bytes: a file that
// was named by mistake, or by someone's malice, may hold what no log should.
const shownText = 20

func excerpt(text string) string {
	if len(text) <= shownText {
		return text
	}
	return strings.ToValidUTF8(text[:shownText], "") + "…"
}

// Child is the value of a key of a mapping, or nil.
func Child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
