package manifestedit

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A Change is what [Edit] does to a manifest. Entries in it are declarations, as they
// stand in [Manifest.Scopes] or in a [Program]: by their scopes, and by the program in
// Programs (none: the base), they are found again.
type Change struct {
	Add     []scopes.Need // appended to the list; one that is declared there already is left alone
	Lower   []LevelChange // to another level
	Narrow  []ScopeChange // to another scope
	Replace []Replacement // by several entries
	Remove  []scopes.Need
}

// A LevelChange gives a declaration another level.
type LevelChange struct {
	Entry scopes.Need
	To    scopes.Level
}

// A ScopeChange puts another scope in the place of a declaration's only one; where that
// is declared there already, the declaration goes.
type ScopeChange struct {
	Entry scopes.Need
	To    string
}

// A Replacement puts entries in the place of one, written in its style. Those that are
// declared in its list already are left alone.
type Replacement struct {
	Entry scopes.Need
	By    []scopes.Need
}

// Empty reports whether there is nothing to do.
func (c *Change) Empty() bool {
	return len(c.Add)+len(c.Lower)+len(c.Narrow)+len(c.Replace)+len(c.Remove) == 0
}

// An EditError tells why a manifest cannot be edited in place. The text is unchanged.
type EditError struct {
	File   string
	Line   int // 0 where it is not about one line
	Reason string
}

// Error is file:line: reason.
func (e *EditError) Error() string {
	return fmt.Sprintf("%s: cannot edit in place: %s", audit.Where{File: e.File, Line: e.Line}, e.Reason)
}

// Edit changes the text of a manifest, and nothing of it that the change is not about:
// comments, order, blank lines, quotes, line ends and the want of a final one stay byte
// for byte. A new entry is written as the last one of its list is, in block or flow
// style. What is done already is not done again, so a second run changes nothing.
//
// open is as for [Decode]. The error is [Mistakes] for a text that is no manifest, or an
// *[EditError]; the outcome was read again and found to say what it should.
func Edit(file string, text []byte, c Change, open func(path string) ([]byte, error)) ([]byte, error) {
	before, err := manifest.Decode(file, text, open)
	if err != nil {
		return nil, err
	}
	ed := &editor{file: file, text: text, before: before, open: open}
	wishes := c.wishes()
	edited, err := ed.try(wishes)
	if _, told := errors.AsType[*EditError](err); err != nil && !told {
		err = ed.blame(wishes)
	}
	return edited, err
}

// A wish is one thing of a change: how the draft takes it, and how someone does it who
// does it by hand.
type wish struct {
	entry scopes.Need
	draw  func(d draft) bool // false where there is no such list
	hand  string
}

// wishes is the change in the order in which its parts are done.
func (c *Change) wishes() []wish {
	var list []wish
	for _, one := range c.Lower {
		list = append(list, wish{one.Entry, func(d draft) bool { return d.lower(one) }, fmt.Sprintf("give %q the level %s", one.Entry.Name(), one.To)})
	}
	for _, one := range c.Narrow {
		list = append(list, wish{one.Entry, func(d draft) bool { return d.narrow(one) }, fmt.Sprintf("put %q in the place of %q", one.To, one.Entry.Name())})
	}
	for _, one := range c.Replace {
		list = append(list, wish{one.Entry, func(d draft) bool { return d.replace(one) }, fmt.Sprintf("put entries for %s in the place of the one for %q", quotedNames(one.By), one.Entry.Name())})
	}
	for _, e := range c.Remove {
		list = append(list, wish{e, func(d draft) bool { return d.remove(e) }, fmt.Sprintf("remove the entry of %q", e.Name())})
	}
	for _, e := range c.Add {
		list = append(list, wish{e, func(d draft) bool { return d.add(e) }, fmt.Sprintf("add an entry for %q to this list", e.Name())})
	}
	return list
}

// An editor makes a draft of what a manifest is to declare, and writes that into the
// text. However much is to be done, the text is parsed a handful of times.
type editor struct {
	file   string
	text   []byte
	before *manifest.Manifest
	open   func(path string) ([]byte, error)
}

// try is the text with the wishes in it. An error that is no *[EditError] is a reason
// that some wish cannot be met in place, in words for people.
func (ed *editor) try(wishes []wish) ([]byte, error) {
	want := newDraft(ed.before)
	for _, w := range wishes {
		if !w.draw(want) {
			return nil, &EditError{ed.file, 0, fmt.Sprintf("it has no program %q", programOf(w.entry))}
		}
	}
	edited, err := want.write(ed.text)
	if err != nil {
		return nil, err
	}
	if len(edited) > yamlfile.MaxFileSize {
		return nil, &EditError{ed.file, 0, "it would grow beyond 1 MiB, and no manifest may"}
	}
	if after, err := manifest.Decode(ed.file, edited, ed.open); err != nil || !want.equal(newDraft(after)) {
		return nil, errors.New("what stands around it would be read in another way")
	}
	return edited, nil
}

// blame is about the first wish that cannot be met: where, why, and what to do.
func (ed *editor) blame(wishes []wish) error {
	first := sort.Search(len(wishes)-1, func(n int) bool {
		_, err := ed.try(wishes[:n+1])
		return err != nil
	})
	_, err := ed.try(wishes[:first+1])
	w := wishes[first]
	return &EditError{ed.file, ed.lineOf(w.entry), fmt.Sprintf("%v; do this by hand: %s", err, w.hand)}
}

// lineOf is where the entry stands, else the last one of its list, else the list.
func (ed *editor) lineOf(e scopes.Need) int {
	line := 0
	if l := readSheet(ed.text).list(programOf(e)); l != nil {
		line = l.key.Line
		for _, item := range l.items {
			if line = item.node.Line; item.key == e.Key() {
				break
			}
		}
	}
	return line
}

func quotedNames(entries []scopes.Need) string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strconv.Quote(e.Name())
	}
	return strings.Join(names, ", ")
}

func programOf(e scopes.Need) string {
	if len(e.Programs) == 0 {
		return ""
	}
	return e.Programs[0]
}

// write puts the draft into the text of which it was made: first what becomes of the
// entries that are there, then what is new behind those that stay.
func (d draft) write(text []byte) ([]byte, error) {
	whole := endsLine(text)
	for _, put := range []func(*needList, *draftList) ([]splice, error){(*needList).settle, (*needList).extend} {
		s := readSheet(text)
		var splices []splice
		for _, l := range s.lists {
			more, err := put(l, d[l.program])
			if err != nil {
				return nil, err
			}
			splices = append(splices, more...)
		}
		text = s.apply(splices)
	}
	if bare := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")); !whole && !endsLine(bare) { // else blank lines end it, and may count
		text = bare
	}
	return text, nil
}

// endsLine reports whether a text ends with the end of a line.
func endsLine(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\n")) || bytes.HasSuffix(text, []byte("\r"))
}
