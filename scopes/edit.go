package scopes

import (
	"fmt"
	"slices"
)

// A Change is what [Edit] does to a manifest. Entries in it are declarations, as they
// stand in [Manifest.Scopes] or in a [Program]: by their scopes, and by the program in
// Programs (none: the base), they are found again.
type Change struct {
	Add    []Entry       // appended to the list; one that is declared there already is left alone
	Lower  []LevelChange // to another level
	Narrow []ScopeChange // to another scope
	Remove []Entry
}

// A LevelChange gives a declaration another level.
type LevelChange struct {
	Entry Entry
	To    Level
}

// A ScopeChange puts another scope in the place of a declaration's only one.
type ScopeChange struct {
	Entry Entry
	To    string
}

// Empty tells whether there is nothing to do.
func (c *Change) Empty() bool {
	return len(c.Add)+len(c.Lower)+len(c.Narrow)+len(c.Remove) == 0
}

// An EditError tells why a manifest cannot be edited in place. The text is unchanged.
type EditError struct {
	File   string
	Line   int // 0 where it is not about one line
	Reason string
}

// Error is file:line: reason.
func (e *EditError) Error() string {
	return fmt.Sprintf("%s: cannot edit in place: %s", Where{e.File, e.Line}, e.Reason)
}

// Edit changes the text of a manifest, and nothing of it that the change is not about:
// comments, order, blank lines, quotes, line ends and the want of a final one stay byte
// for byte. A new entry is written as the last one of its list is, in block or flow
// style. What is done already is not done again, so a second run changes nothing.
//
// open is as for [Decode]. The error is [Mistakes] for a text that is no manifest, or an
// *[EditError]; the outcome was read again and found to say what it should.
func Edit(file string, text []byte, c Change, open func(path string) ([]byte, error)) ([]byte, error) {
	before, err := Decode(file, text, open)
	if err != nil {
		return nil, err
	}
	ed := &editor{file: file, text: slices.Clone(text)}
	want := newExpectation(before)
	for _, one := range c.Lower {
		ed.lower(one, want)
	}
	for _, one := range c.Narrow {
		ed.narrow(one, want)
	}
	for _, e := range c.Remove {
		ed.remove(e, want)
	}
	for _, e := range c.Add {
		ed.add(e, want)
	}
	if ed.err != nil {
		return nil, ed.err
	}
	after, err := Decode(file, ed.text, open)
	if err != nil {
		return nil, &EditError{file, 0, "the outcome would be no manifest: " + oneLine(err.Error())}
	}
	if !want.equal(newExpectation(after)) {
		return nil, &EditError{file, 0, "the outcome would not say what it should; change it by hand"}
	}
	return ed.text, nil
}

// An editor does one change after the other, each on the outcome of the one before:
// so no two of them can touch.
type editor struct {
	file string
	text []byte
	err  error // the first; nothing is done after it
}

// on calls do for the entry's place in the present text, where it is there.
func (ed *editor) on(e Entry, do func(l *entryList, at int) ([]splice, error)) bool {
	if ed.err != nil {
		return false
	}
	s, err := readSheet(ed.file, ed.text)
	if err != nil {
		ed.err = err
		return false
	}
	l := s.list(programOf(e))
	if l == nil {
		return false
	}
	at := slices.IndexFunc(l.items, func(i listItem) bool { return i.key == e.key() })
	if at < 0 {
		return false
	}
	splices, err := do(l, at)
	if err != nil {
		ed.err = err
		return false
	}
	ed.text = s.apply(splices)
	return true
}

func programOf(e Entry) string {
	if len(e.Programs) == 0 {
		return ""
	}
	return e.Programs[0]
}

func (ed *editor) lower(c LevelChange, want expectation) {
	done := ed.on(c.Entry, func(l *entryList, at int) ([]splice, error) {
		return l.replace(child(l.items[at].node, "level"), c.To.String())
	})
	if e := want.find(c.Entry); done && e != nil {
		e.level = c.To
	}
}

// narrow puts another scope in the place of one; where that is declared there already,
// the entry goes.
func (ed *editor) narrow(c ScopeChange, want expectation) {
	other := Entry{AnyOf: []string{c.To}, Programs: c.Entry.Programs}
	if want.find(other) != nil {
		ed.remove(c.Entry, want)
		return
	}
	done := ed.on(c.Entry, func(l *entryList, at int) ([]splice, error) {
		return l.replace(child(l.items[at].node, "scope"), c.To)
	})
	if e := want.find(c.Entry); done && e != nil {
		e.key = other.key()
	}
}

func (ed *editor) remove(e Entry, want expectation) {
	if ed.on(e, func(l *entryList, at int) ([]splice, error) { return l.remove(at) }) {
		want.drop(e)
	}
}

func (ed *editor) add(e Entry, want expectation) {
	if ed.err != nil || want.find(e) != nil {
		return
	}
	s, err := readSheet(ed.file, ed.text)
	if err != nil {
		ed.err = err
		return
	}
	l := s.list(programOf(e))
	if l == nil {
		ed.err = &EditError{ed.file, 0, fmt.Sprintf("it has no program %q", programOf(e))}
		return
	}
	splices, err := l.append(e)
	if err != nil {
		ed.err = err
		return
	}
	ed.text = s.apply(splices)
	want.add(e)
}

// An expectation is what a manifest declares, list by list, without places.
type expectation map[string]*[]expected

type expected struct {
	key, why string
	level    Level
	uses     []Use
	unlisted bool
}

func newExpectation(m *Manifest) expectation {
	x := make(expectation)
	take := func(program string, entries []Entry) {
		list := make([]expected, 0, len(entries))
		for _, e := range entries {
			list = append(list, expect(e))
		}
		x[program] = &list
	}
	take("", m.Scopes)
	for _, p := range m.Programs {
		take(p.Name, p.Scopes)
	}
	return x
}

func expect(e Entry) expected {
	one := expected{key: e.key(), why: e.Why, level: e.Level, unlisted: e.Unlisted}
	for _, u := range e.UsedBy {
		one.uses = append(one.uses, u.unplaced())
	}
	return one
}

func (x expectation) find(e Entry) *expected {
	list := x[programOf(e)]
	if list == nil {
		return nil
	}
	at := slices.IndexFunc(*list, func(one expected) bool { return one.key == e.key() })
	if at < 0 {
		return nil
	}
	return &(*list)[at]
}

func (x expectation) drop(e Entry) {
	list := x[programOf(e)]
	*list = slices.DeleteFunc(*list, func(one expected) bool { return one.key == e.key() })
}

func (x expectation) add(e Entry) {
	list := x[programOf(e)]
	*list = append(*list, expect(e))
}

func (x expectation) equal(y expectation) bool {
	if len(x) != len(y) {
		return false
	}
	for program, list := range x {
		other := y[program]
		same := func(a, b expected) bool {
			return a.key == b.key && a.why == b.why && a.level == b.level && a.unlisted == b.unlisted && slices.Equal(a.uses, b.uses)
		}
		if other == nil || !slices.EqualFunc(*list, *other, same) {
			return false
		}
	}
	return true
}
