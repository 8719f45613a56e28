package declared

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/ambit-auth/ambit/internal/yamlfile"
)

// The formats of files.
const (
	formatJSON = "json"
	formatYAML = "yaml"
	formatTOML = "toml"
)

// MaxFileSize bounds a file, in bytes: what is larger is no such manifest.
const MaxFileSize = yamlfile.MaxFileSize

// maxTOML bounds one in TOML: the time that its parser takes grows with the square of the number of tables.
const maxTOML = 128 << 10

// A document is a file as values with their places in its text.
type document struct {
	kind   *Kind
	format string
	file   string
	bom    string
	text   string // without the mark
	plain  string // the text with blanks in place of comments, where the format has none
	lines  []int  // where each line begins
	root   *value // nil where the text holds nothing

	told, sought spot // the last ones: a line of a megabyte is walked once
}

// A spot is a place in the text, by its line and its column, from 1, and by bytes.
type spot struct{ line, column, at int }

// A value is one of a document.
type value struct {
	is      form
	text    string // of a text
	from    int    // where it begins
	block   bool   // it is written over lines without brackets: YAML's block style, TOML's tables
	members []member
	items   []*value
	last    int // where the last thing within it begins; of a TOML table, where its last line ends

	index   map[string]int // of members, as far as indexed
	indexed int
}

type form int

const (
	isNothing form = iota // null, or left out
	isText
	isList
	isTable
	isOther // a number, a date, true or false
)

// words say what a value is, for messages.
func (f form) String() string {
	return []string{"nothing", "text", "a list", "a set of keys", "a number, a date, true or false"}[f]
}

type member struct {
	key  string
	from int // where the key begins
	*value
}

// smallTable is up to how many members looking at each is fast enough.
const smallTable = 16

// get is a member of a table, or nil; of several with one name the last.
func (v *value) get(key string) *member {
	if len(v.members) <= smallTable {
		for i := len(v.members) - 1; i >= 0; i-- {
			if v.members[i].key == key {
				return &v.members[i]
			}
		}
		return nil
	}
	if v.index == nil {
		v.index = make(map[string]int, len(v.members))
	}
	for ; v.indexed < len(v.members); v.indexed++ {
		v.index[v.members[v.indexed].key] = v.indexed
	}
	if i, there := v.index[key]; there {
		return &v.members[i]
	}
	return nil
}

// find is the first value at a path, or nil.
func (v *value) find(path []string) *value {
	if len(path) == 0 || v == nil {
		return v
	}
	if path[0] != anyName {
		m := v.get(path[0])
		if m == nil {
			return nil
		}
		return m.find(path[1:])
	}
	for _, m := range v.members {
		if found := m.find(path[1:]); found != nil {
			return found
		}
	}
	return nil
}

func (d *document) holds(path []string) bool { return d.root != nil && d.root.find(path) != nil }

// parse reads a text of a format; the mistakes are those for which it is none.
func parse(k *Kind, format, file string, source []byte) (*document, yamlfile.Mistakes) {
	d := &document{kind: k, format: format, file: file}
	limit := MaxFileSize
	if format == formatTOML {
		limit = maxTOML
	}
	if len(source) > limit {
		return nil, yamlfile.Mistakes{{File: file, Line: 1, Column: 1, Kind: yamlfile.BadSize, Message: fmt.Sprintf("the file is larger than %d KiB", limit>>10)}}
	}
	if bytes.HasPrefix(source, []byte("\ufeff")) {
		d.bom, source = "\ufeff", source[3:]
	}
	d.text = string(source)
	d.plain = d.text
	d.lines = []int{0}
	for i := range d.text {
		if d.text[i] == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if strings.TrimSpace(d.text) == "" {
		return d, nil
	}
	var mistakes yamlfile.Mistakes
	switch format {
	case formatJSON:
		mistakes = d.parseJSON()
	case formatYAML:
		mistakes = d.parseYAML()
	default:
		mistakes = d.parseTOML()
	}
	if len(mistakes) == 0 && d.root != nil && d.root.is != isTable {
		mistakes = yamlfile.Mistakes{d.mistake(d.root.from, yamlfile.BadType, "the file has to be a set of keys, not "+d.root.is.String())}
	}
	return d, mistakes
}

// place is the line and the column of an offset, both from 1.
func (d *document) place(at int) (line, column int) {
	at = min(at, len(d.text))
	line = max(sort.SearchInts(d.lines, at+1), 1)
	if d.told.line != line || d.told.at > at {
		d.told = spot{line, 1, d.lines[line-1]}
	}
	d.told.column += utf8.RuneCountInString(d.text[d.told.at:at])
	d.told.at = at
	return line, d.told.column
}

// offset is where a column of a line begins.
func (d *document) offset(line, column int) int {
	if line > len(d.lines) {
		return len(d.text) - 1
	}
	if d.sought.line != line || d.sought.column > column {
		d.sought = spot{line, 1, d.lines[max(line, 1)-1]}
	}
	for ; d.sought.column < column && d.sought.at < len(d.text); d.sought.column++ {
		_, size := utf8.DecodeRuneInString(d.text[d.sought.at:])
		d.sought.at += size
	}
	return min(d.sought.at, len(d.text)-1)
}

func (d *document) mistake(at int, kind yamlfile.MistakeKind, message string) yamlfile.Mistake {
	line, column := d.place(at)
	return yamlfile.Mistake{File: d.file, Line: line, Column: column, Kind: kind, Message: message}
}

// lineStart is where the line begins in which an offset stands, and lineEnd where that ends, with its end.
func (d *document) lineStart(at int) int {
	return d.lines[max(sort.SearchInts(d.lines, at+1), 1)-1]
}

func (d *document) lineEnd(at int) int {
	if i := strings.IndexByte(d.text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(d.text)
}

// indent is the space before an offset's line.
func (d *document) indent(at int) string {
	line := d.text[d.lineStart(at):]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// eol is how lines end in the file.
func (d *document) eol() string {
	if i := strings.IndexByte(d.text, '\n'); i > 0 && d.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// same reports whether two values say the same, but for what stands at the paths of skip.
func same(a, b *value, skip [][]string) bool {
	switch {
	case slices.ContainsFunc(skip, func(p []string) bool { return len(p) == 0 }), hollow(a, skip) && hollow(b, skip):
		return true
	case a == nil || b == nil || a.is != b.is || a.text != b.text || len(a.items) != len(b.items):
		return false
	}
	for i := range a.items {
		if !same(a.items[i], b.items[i], nil) {
			return false
		}
	}
	return covers(a, b, skip) && covers(b, a, skip)
}

// covers reports whether each member of a is the same in b.
func covers(a, b *value, skip [][]string) bool {
	for _, m := range a.members {
		var other *value
		if found := b.get(m.key); found != nil {
			other = found.value
		}
		if !same(a.get(m.key).value, other, below(skip, m.key)) {
			return false
		}
	}
	return true
}

// hollow reports whether a value holds nothing but what stands at the paths of skip.
func hollow(v *value, skip [][]string) bool {
	switch {
	case v == nil || len(skip) > 0 && v.is == isNothing:
		return true
	case len(skip) == 0 || v.is != isTable:
		return false
	}
	return !slices.ContainsFunc(v.members, func(m member) bool {
		rest := below(skip, m.key)
		return !slices.ContainsFunc(rest, func(p []string) bool { return len(p) == 0 }) && !hollow(m.value, rest)
	})
}

// below are the paths behind a name.
func below(paths [][]string, name string) (rest [][]string) {
	for _, p := range paths {
		if p[0] == name {
			rest = append(rest, p[1:])
		}
	}
	return rest
}
