package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// Tools reads definitions of MCP tools.
type Tools struct {
	Provider *provider.Provider // its own forms of evidence; nil for none
}

// Read reads them as JSON: an object from a tool's name to its
// definition, a list of definitions with a name, or such a list under tools, as the
// answer to tools/list has it. Where a definition names scopes is data, see
// [provider.EvidenceForm]; where several places do, all count. An empty list means that a tool
// needs none. A tool without any is known, and a note says that it names no scopes.
// For a tool that stands there twice both definitions count, and one whose name no
// manifest can hold is left out; notes say so. A file of another form is an error.
func (r Tools) Read(file string, in io.Reader) (audit.Evidence, error) {
	text, err := read(file, in, MaxTools)
	if err != nil {
		return audit.Evidence{}, err
	}
	return r.readText(file, text)
}

func (r Tools) readText(file string, text []byte) (audit.Evidence, error) {
	t := &toolReader{file: file, lines: newlines(text), first: make(map[string]int), forms: formsFor(provider.DescribedTool, r.Provider)}
	t.document.set, t.document.name = &documentSet{file: file}, file
	if found := formOf(text); found != unknownForm && found != someTools {
		return audit.Evidence{}, found.mistaken(file, "a file of MCP tools")
	}
	if err := t.read(text); err != nil {
		return audit.Evidence{}, err
	}
	if len(t.evidence.Requirements) == 0 {
		t.note(audit.Where{File: file}, "names no tool that can be used")
	}
	return t.evidence, nil
}

type toolReader struct {
	file     string
	lines    []int // where each line ends
	first    map[string]int
	forms    forms
	document document
	evidence audit.Evidence
}

// newlines is where each line of a text ends.
func newlines(text []byte) []int {
	var ends []int
	for i, c := range text {
		if c == '\n' {
			ends = append(ends, i)
		}
	}
	return ends
}

// at is the place of an offset.
func (t *toolReader) at(offset int) audit.Where {
	return audit.Where{File: t.file, Line: 1 + sort.SearchInts(t.lines, offset)}
}

func (t *toolReader) read(text []byte) error {
	if !json.Valid(text) {
		var any json.RawMessage
		return t.broken(json.Unmarshal(text, &any), 0)
	}
	offset := len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
	switch text[offset] {
	case '[':
		return t.list(text[offset:], offset)
	case '{':
		return t.object(text[offset:], offset, 0)
	}
	return &Error{Where: t.at(offset), Kind: Syntax, Reason: "tools are an object or a list"}
}

// broken is an error of the JSON parser, whose words quote no value here.
func (t *toolReader) broken(err error, offset int) error {
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset += max(int(bad.Offset)-1, 0)
	}
	return &Error{Where: t.at(offset), Kind: Syntax, Reason: fmt.Sprintf("not JSON: %v", err), Err: err}
}

// each calls do for every member of an object, or item of a list, with its offset.
func each(text []byte, offset int, do func(key string, value json.RawMessage, at int) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	open, err := d.Token()
	if err != nil {
		return err
	}
	for d.More() {
		key := ""
		if open == json.Delim('{') {
			word, err := d.Token()
			if err != nil {
				return err
			}
			key, _ = word.(string)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := do(key, value, offset+int(d.InputOffset())-len(value)); err != nil {
			return err
		}
	}
	return nil
}

func (t *toolReader) list(text []byte, offset int) error {
	return each(text, offset, func(_ string, value json.RawMessage, at int) error { return t.tool("", value, at) })
}

// object reads the form by names, or finds the list in an answer to tools/list.
func (t *toolReader) object(text []byte, offset, depth int) error {
	answer := false
	return each(text, offset, func(key string, value json.RawMessage, at int) error {
		switch {
		case key == "tools" && value[0] == '[':
			answer = true
			return t.list(value, at)
		case key == "result" && depth == 0 && value[0] == '{' && holdsTools(value):
			answer = true
			return t.object(value, at, 1)
		case answer || depth > 0 || key == "jsonrpc" || key == "id" && value[0] != '{':
			return nil // what else an answer holds
		case value[0] != '{' && key != "":
			return &Error{Where: t.at(at), Kind: Syntax, Reason: fmt.Sprintf("tool %q is not an object", short(key))}
		}
		return t.tool(key, value, at)
	})
}

func holdsTools(value []byte) bool {
	var answer struct{ Tools json.RawMessage }
	return json.Unmarshal(value, &answer) == nil && isList(answer.Tools)
}

// tool reads one definition; key is its name in the form by names.
func (t *toolReader) tool(key string, text []byte, at int) error {
	where := t.at(at)
	def := t.document.jsonNode(text, where.Line)
	name := cmp.Or(key, def.get("name").word())
	if err := t.wrong(def, name); err != nil {
		return err
	}
	u, err := scopes.ParseOperation("tool:" + name)
	if err != nil {
		t.note(where, fmt.Sprintf("%q cannot name a tool, and is left out", short(name)))
		return nil
	}
	n := audit.Requirement{Operation: u, Title: title(def.get("title").word(), def.get("description").word()), Where: where, Source: audit.SourceMCP}
	for _, more := range t.forms.in(def) {
		if more.bad != nil {
			return &Error{Where: where, Kind: Syntax, Reason: fmt.Sprintf("tool %q: %s: %s", short(name), more.bad.at, more.bad.reason)}
		}
		all, ok := stated(n.AnyOf, more)
		if !ok {
			return &Error{Where: where, Kind: TooLarge, Reason: fmt.Sprintf("tool %q names more than %d alternatives", short(name), maxAlternatives)}
		}
		n.AnyOf = all
	}
	if failed := t.document.set.failed; failed != nil {
		return failed
	}
	if n.Silent() {
		t.note(where, fmt.Sprintf("tool %s names no scopes", name))
	}
	if before, twice := t.first[name]; twice {
		t.note(where, fmt.Sprintf("tool %s also stands on line %d: both count", name, before))
	} else {
		t.first[name] = where.Line
	}
	t.evidence.Requirements = append(t.evidence.Requirements, n)
	return nil
}

// wrong is the error of a definition whose name or title is no text.
func (t *toolReader) wrong(def *node, name string) error {
	for _, key := range []string{"name", "title", "description"} {
		if m := def.get(key); def.kind != objectNode || m.kind > scalarNode {
			return &Error{Where: audit.Where{File: t.file, Line: def.line}, Kind: Syntax, Reason: fmt.Sprintf("tool %q: name and title are text", short(name))}
		}
	}
	return nil
}

func (t *toolReader) note(where audit.Where, message string) {
	t.evidence.Notes = append(t.evidence.Notes, audit.Note{Where: where, Message: text.Line(message)})
}

// maxTitle bounds what an operation is called, in bytes: it becomes a reason that people
// read on one line.
const maxTitle = 100

// title is the first text that says something, as one short line.
func title(texts ...string) string {
	for _, given := range texts {
		first, _, _ := strings.Cut(strings.TrimSpace(given), "\n")
		if first = strings.TrimSpace(first); first != "" {
			return text.Printable(text.Cut(first, maxTitle))
		}
	}
	return ""
}
