package manifestedit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// An EditError says why a manifest cannot be edited in place. The text is unchanged.
type EditError struct {
	File   string
	Line   int // 0 where it is not about one line
	Reason string
}

// Error is file:line: reason.
func (e *EditError) Error() string {
	return fmt.Sprintf("%s: cannot edit in place: %s", audit.Where{File: e.File, Line: e.Line}, e.Reason)
}

// Edit makes the text of a manifest declare the needs that want declares, and changes nothing
// else of it: comments, order, blank lines, quotes, line endings and a missing final newline
// are kept byte for byte. A need of want that has a Line and a Column takes the place of the
// need that the text has there; several can take the place of one. What no need takes the
// place of goes. A need without a line is new, and is written behind the last one of its list,
// as that is, in block or flow style.
//
// open is as for [manifest.Decode]. The error is [yamlfile.Mistakes] for a text that is not a
// manifest, or an *[EditError]; the outcome was read again and found to say what it should.
func Edit(file string, text []byte, want *manifest.Manifest, open func(path string) ([]byte, error)) ([]byte, error) {
	before, err := manifest.Decode(file, text, open)
	if err != nil {
		return nil, err
	}
	ed := &editor{file: file, text: text, before: planOf(before), want: planOf(want), open: open}
	edits, err := ed.edits()
	if err != nil {
		return nil, err
	}
	if len(edits) == 0 {
		return text, nil
	}
	edited, err := ed.try(edits)
	if _, told := errors.AsType[*EditError](err); err != nil && !told {
		err = ed.blame(edits, err)
	}
	return edited, err
}

// An editor writes a plan into the text. However much is to be done, the text is parsed a
// handful of times.
type editor struct {
	file         string
	text         []byte
	before, want plan
	open         func(path string) ([]byte, error)
}

// edits are what makes the one plan of the other.
func (ed *editor) edits() ([]edit, error) {
	var edits, added []edit
	for _, program := range slices.Sorted(maps.Keys(ed.want)) {
		there, known := ed.before[program]
		if !known {
			return nil, &EditError{ed.file, 0, fmt.Sprintf("it has no program %q", program)}
		}
		by := make([][]scopes.Need, len(there))
		for _, n := range ed.want[program] {
			at := slices.IndexFunc(there, func(old scopes.Need) bool { return n.Line > 0 && old.Line == n.Line && old.Column == n.Column })
			if at < 0 {
				added = append(added, edit{program: program, at: -1, by: []scopes.Need{n}})
				continue
			}
			by[at] = append(by[at], n)
		}
		for at, old := range there {
			if len(by[at]) != 1 || !equal(old, by[at][0]) {
				edits = append(edits, edit{program: program, at: at, of: old, by: by[at]})
			}
		}
	}
	return append(edits, added...), nil
}

// try is the text after the edits. An error that is not an *[EditError] is a reason that some
// edit cannot be made in place, in words for people.
func (ed *editor) try(edits []edit) ([]byte, error) {
	edited, err := write(ed.text, edits)
	if err != nil {
		return nil, err
	}
	if len(edited) > yamlfile.MaxFileSize {
		return nil, &EditError{ed.file, 0, "it would grow beyond 1 MiB, the most that a manifest may have"}
	}
	if after, err := manifest.Decode(ed.file, edited, ed.open); err != nil || !ed.want.equal(planOf(after)) {
		return nil, errors.New("the text around it would be read differently")
	}
	return edited, nil
}

// blame is about the first edit that cannot be written: where, why, and what to do. Where each
// can be, it is about the last one.
func (ed *editor) blame(edits []edit, why error) error {
	first := sort.Search(len(edits)-1, func(n int) bool {
		_, err := write(ed.text, edits[:n+1])
		return err != nil
	})
	if _, err := write(ed.text, edits[:first+1]); err != nil {
		why = err
	}
	return &EditError{ed.file, ed.lineOf(edits[first]), fmt.Sprintf("%v; do this by hand: %s", why, edits[first].byHand())}
}

// lineOf is the line of the need that an edit is about, else that of the last need of its list,
// else that of the list.
func (ed *editor) lineOf(e edit) int {
	l := readSource(ed.text).list(e.program)
	switch {
	case l == nil:
		return 0
	case len(l.items) == 0:
		return l.key.Line
	case e.at < 0:
		return l.items[len(l.items)-1].Line
	default:
		return l.items[e.at].Line
	}
}

// byHand is what someone does who makes the edit by hand.
func (e *edit) byHand() string {
	names := make([]string, len(e.by))
	for i, n := range e.by {
		names[i] = strconv.Quote(n.Name())
	}
	old := strconv.Quote(e.of.Name())
	switch {
	case e.at < 0:
		return fmt.Sprintf("add an entry for %s to this list", names[0])
	case len(e.by) == 0:
		return fmt.Sprintf("remove the entry of %s", old)
	case !e.rewords():
		return fmt.Sprintf("put entries for %s in the place of the one for %s", strings.Join(names, ", "), old)
	case names[0] == old:
		return fmt.Sprintf("give %s the level %s", old, e.by[0].Level)
	case e.by[0].Level == e.of.Level:
		return fmt.Sprintf("put %s in the place of %s", names[0], old)
	default:
		return fmt.Sprintf("put %s in the place of %s, and give it the level %s", names[0], old, e.by[0].Level)
	}
}

// write puts the edits into the text: first what becomes of the needs that are there, then
// what is new behind those that stay.
func write(text []byte, edits []edit) ([]byte, error) {
	whole := endsLine(text)
	for _, put := range []func(*needList, []edit) ([]splice, error){(*needList).change, (*needList).extend} {
		s := readSource(text)
		var splices []splice
		for _, l := range s.lists {
			more, err := put(l, slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return e.program != l.program }))
			if err != nil {
				return nil, err
			}
			splices = append(splices, more...)
		}
		text = s.apply(splices)
	}
	if bare := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")); !whole && !endsLine(bare) { // otherwise blank lines end it, and may count
		text = bare
	}
	return text, nil
}

// endsLine reports whether a text ends with the end of a line.
func endsLine(text []byte) bool {
	return bytes.HasSuffix(text, []byte("\n")) || bytes.HasSuffix(text, []byte("\r"))
}
