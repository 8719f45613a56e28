package declared

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
)

// A File is a file as far as it declares scopes.
type File struct {
	Path   string
	Kind   *Kind
	Entry  string  // whose scopes are meant, where a file has several entries
	Scopes []Scope // in the file's order; each once for a token

	document *document
	mistakes yamlfile.Mistakes
}

// A Scope is one that a file declares.
type Scope struct {
	Name   string
	Level  scopes.Level
	Token  string // that gets it; "" where there is one
	Line   int
	Column int

	places []*Place
}

// takes reports whether it is declared so that a need of a level fits.
func (s *Scope) takes(level scopes.Level) bool { return s.places[len(s.places)-1].takes(level) }

// An EntryError is a file with several entries of which none was named, or without the one that was.
type EntryError struct {
	Path, Kind, Entry string
	Names             []string
}

// Error says which entry is not there, or that one has to be named.
func (e *EntryError) Error() string {
	if e.Entry == "" {
		return text.Printable(e.Path) + " has several entries"
	}
	return text.Printable(e.Path) + " has no entry " + text.Quote(e.Entry)
}

// Read reads the scopes that a file declares; kind "" is found by its name and by what it holds. Behind a
// colon the kind can have the name of the entry that is meant, where a file has several. The error is
// [yamlfile.Mistakes], a *[KindError], or an *[EntryError].
func Read(kind, path string, source []byte) (*File, error) {
	f, err := ReadToEdit(kind, path, source)
	if err == nil && f.Entry != "" && !slices.Contains(f.entries(), f.Entry) {
		return nil, &EntryError{path, f.Kind.Name, f.Entry, f.entries()}
	}
	return f, err
}

// ReadToEdit is [Read] where an entry need not be there yet.
func ReadToEdit(kind, path string, source []byte) (*File, error) {
	kind, entry, _ := strings.Cut(kind, ":")
	var k *Kind
	var err error
	if kind == "" {
		k, err = find(path, source)
	} else {
		k, err = Named(kind)
	}
	if err != nil {
		return nil, err
	}
	format := k.formatFor(path)
	if format == "" {
		return nil, &KindError{Problem: fmt.Sprintf("%s is not %s, which is written in %s", text.Printable(path), k.Label, strings.Join(k.Formats, " or "))}
	}
	f, err := read(k, format, path, entry, source)
	if kind != "" && err == nil {
		err = k.refuse(path, f.document)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func read(k *Kind, format, path, entry string, source []byte) (*File, error) {
	d, mistakes := parse(k, format, path, source)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	f := &File{Path: path, Kind: k, Entry: entry, document: d}
	if err := f.choose(); err != nil {
		return nil, err
	}
	for i := range k.Places {
		f.readPlace(&k.Places[i])
	}
	slices.SortStableFunc(f.Scopes, func(a, b Scope) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	if len(f.mistakes) > 0 {
		return nil, f.mistakes.Sorted()
	}
	return f, nil
}

// entries are the names of a file's entries, where it has several.
func (f *File) entries() []string {
	path := f.Kind.Places[0].Path
	at := slices.Index(path, anyName)
	if at < 0 || f.document.root == nil {
		return nil
	}
	var names []string
	if table := f.document.root.find(path[:at]); table != nil {
		for _, m := range table.members {
			names = append(names, m.key)
		}
	}
	return names
}

// choose chooses the entry, where there are several: the one that was named, or the only one.
func (f *File) choose() error {
	switch names := f.entries(); {
	case f.Entry != "" || len(names) == 0:
	case len(names) == 1:
		f.Entry = names[0]
	default:
		return &EntryError{f.Path, f.Kind.Name, f.Entry, names}
	}
	return nil
}

// value is what stands at a place; nil for nothing. What is wrong on the way there is a mistake.
func (f *File) value(p *Place) (v *value, key int) {
	v = f.document.root
	at := p.at(f.Entry)
	for i, name := range at {
		if v == nil || v.is == isNothing {
			return nil, 0
		}
		if v.is != isTable {
			f.wrong(v.from, yamlfile.BadType, "%s has to be a set of keys, not %s", strings.Join(at[:i], "."), v.is)
			return nil, 0
		}
		var found *member
		for j := range v.members {
			m := &v.members[j]
			if m.key == name && found != nil {
				f.wrong(m.from, yamlfile.DuplicateKey, "%q appears twice", name)
				return nil, 0
			}
			if m.key == name {
				found = m
			}
		}
		if found == nil {
			return nil, 0
		}
		v, key = found.value, found.from
	}
	return v, key
}

const (
	// maxMistakes bounds how many mistakes of a file are told: more than anyone fixes in one round.
	maxMistakes = 20

	// maxScopes bounds the scopes of a file. The largest services have a thousand.
	maxScopes = 5000
)

func (f *File) wrong(at int, kind yamlfile.MistakeKind, format string, args ...any) {
	if len(f.mistakes) > maxMistakes {
		return
	}
	m := f.document.mistake(at, kind, text.Line(fmt.Sprintf(format, args...)))
	if !slices.Contains(f.mistakes, m) { // several places can have it on their way
		f.mistakes = append(f.mistakes, m)
	}
}

func (f *File) readPlace(p *Place) {
	v, _ := f.value(p)
	if v == nil {
		return
	}
	where := p.where(f.Entry)
	switch {
	case v.is == isNothing:
	case p.Form != formList && v.is == isText:
		for _, word := range splitWords(p.Form, v.text) {
			f.declare(p, word, v.from)
		}
	case p.Form != formList:
		f.wrong(v.from, yamlfile.BadType, "%s has to be text, not %s", where, v.is)
	case v.is == isTable && p.Keys:
		for _, m := range v.members {
			f.declare(p, m.key, m.from)
		}
	case v.is != isList:
		f.wrong(v.from, yamlfile.BadType, "%s has to be a list, not %s", where, v.is)
	default:
		for _, item := range v.items {
			if item.is != isText {
				f.wrong(item.from, yamlfile.BadType, "a scope of %s has to be text, not %s", where, item.is)
				continue
			}
			f.declare(p, item.text, item.from)
		}
	}
}

// splitWords are the scopes in a text.
func splitWords(form, line string) []string {
	return strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r\n", c) || form == formCommas && c == ',' })
}

// declare notes a scope at a place. One that stands in two lists of a token is a mistake, unless one of them
// marks what stands in the other.
func (f *File) declare(p *Place, name string, at int) {
	if err := scopes.CheckScope(name); err != nil {
		f.wrong(at, yamlfile.BadScope, "%v", err)
		return
	}
	if len(f.Scopes) >= maxScopes {
		f.wrong(f.document.root.from, yamlfile.BadSize, "the file declares more than %d scopes", maxScopes)
		return
	}
	line, column := f.document.place(at)
	i := slices.IndexFunc(f.Scopes, func(s Scope) bool { return s.Name == name && s.Token == p.Token })
	if i < 0 {
		f.Scopes = append(f.Scopes, Scope{name, p.Levels[0], p.Token, line, column, []*Place{p}})
		return
	}
	s := &f.Scopes[i]
	if !p.Marks || slices.Contains(s.places, p) {
		f.wrong(at, yamlfile.DuplicateKey, "the scope %q stands there twice, first in line %d", name, s.Line)
		return
	}
	s.Level, s.places = p.Levels[0], append(s.places, p)
}

// Needs are the scopes as needs of a manifest, in the file's order: one for a scope, at its highest level,
// with the place as the reason.
func (f *File) Needs() []scopes.Need {
	var needs []scopes.Need
	for i := range f.Scopes {
		s := &f.Scopes[i]
		at := slices.IndexFunc(needs, func(n scopes.Need) bool { return n.AnyOf[0] == s.Name })
		if at >= 0 {
			needs[at].Level = max(needs[at].Level, s.Level)
			continue
		}
		needs = append(needs, scopes.Need{
			AnyOf: []string{s.Name}, Level: s.Level, Why: fmt.Sprintf("taken from %s:%d", filepath.Base(f.Path), s.Line),
			File: f.Path, Line: s.Line, Column: s.Column, StartLine: s.Line,
		})
	}
	return needs
}
