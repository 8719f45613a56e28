// Package jsonedit sets a member of a JSON document, and leaves every other byte of it as it was.
package jsonedit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An object is where one stands in a document.
type object struct {
	begin, end int // of the whole, with its braces
	last       int // where its last member ends; begin+1 where it has none
	members    bool
	found      bool // the member that was looked for; of several the last, which counts
	at, to     int  // of the value of that
}

// Set gives the member at a path of names a value, and adds the objects on the way to it. Its lines end as
// the document's do; into one of a single line nothing of several is put beside others. An empty document is
// one of an object without members. The error says what is not JSON, or no object.
func Set(document []byte, path []string, value any) ([]byte, error) {
	if len(bytes.TrimSpace(document)) == 0 {
		document = []byte("{}\n")
	}
	if err := check(document); err != nil {
		return nil, err
	}
	indent, base := indentOf(document), 0
	inside := document
	for depth, name := range path {
		o, err := find(inside, name)
		if err != nil {
			return nil, fmt.Errorf("%s is not an object", strings.Join(path[:depth], "."))
		}
		switch {
		case !o.found:
			return insert(document, base, o, depth+1, indent, path[depth:], value)
		case depth == len(path)-1:
			text, err := json.MarshalIndent(value, strings.Repeat(indent, depth+1), indent)
			if err != nil || same(inside[o.at:o.to], text) {
				return document, err
			}
			text = ended(document, text)
			return slices.Replace(slices.Clone(document), base+o.at, base+o.to, text...), nil
		}
		base += o.at
		inside = inside[o.at:o.to]
	}
	return document, nil
}

// check says what is wrong with a document, with the line where that is known.
func check(document []byte) error {
	var all any
	err := json.Unmarshal(document, &all)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON: see line %d", 1+bytes.Count(document[:min(int(syntax.Offset), len(document))], []byte("\n")))
	}
	if _, ok := all.(map[string]any); !ok {
		return errors.New("it is JSON, but not an object")
	}
	return err
}

// find looks for a member of the object that the text is.
func find(text []byte, name string) (o object, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return o, errors.New("not an object")
	}
	o.begin = int(d.InputOffset()) - 1
	o.last = o.begin + 1
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return o, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return o, err
		}
		o.last, o.members = int(d.InputOffset()), true
		if key == name {
			o.found, o.to = true, o.last
			o.at = o.to - len(raw)
		}
	}
	_, err = d.Token()
	o.end = int(d.InputOffset())
	return o, err
}

// same reports whether two texts are one value, but for the space in them.
func same(a, b []byte) bool {
	var one, other bytes.Buffer
	return json.Compact(&one, a) == nil && json.Compact(&other, b) == nil && bytes.Equal(one.Bytes(), other.Bytes())
}

// insert adds a member behind the last one of an object at a depth.
func insert(document []byte, base int, o object, depth int, indent string, path []string, value any) ([]byte, error) {
	for _, name := range slices.Backward(path[1:]) {
		value = map[string]any{name: value}
	}
	margin := strings.Repeat(indent, depth)
	name, err := json.Marshal(path[0])
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(value, margin, indent)
	if err != nil {
		return nil, err
	}
	if one, err := json.Marshal(value); o.members && !bytes.Contains(bytes.TrimSpace(document), []byte("\n")) {
		gap := ""
		if bytes.Contains(document, []byte(`": `)) {
			gap = " "
		}
		return slices.Insert(slices.Clone(document), base+o.last, []byte(","+gap+string(name)+":"+gap+string(one))...), err
	}
	member := string(ended(document, []byte("\n"+margin+string(name)+": "+string(text))))
	if o.members {
		return slices.Insert(slices.Clone(document), base+o.last, []byte(","+member)...), nil
	}
	whole := "{" + member + string(ended(document, []byte("\n"))) + strings.Repeat(indent, depth-1) + "}"
	return slices.Replace(slices.Clone(document), base+o.begin, base+o.end, []byte(whole)...), nil
}

// ended is a text whose lines end as the first of the document does.
func ended(document, text []byte) []byte {
	if at := bytes.IndexByte(document, '\n'); at > 0 && document[at-1] == '\r' {
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return text
}

// indentOf is the indent that a document has: that of its first line that has one.
func indentOf(document []byte) string {
	for line := range bytes.Lines(document) {
		if rest := bytes.TrimLeft(line, " \t"); len(rest) < len(line) && len(bytes.TrimSpace(rest)) > 0 {
			return string(line[:len(line)-len(rest)])
		}
	}
	return "  "
}
