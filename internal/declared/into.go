package declared

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/scopes"
)

// An EditError is a file whose text cannot be changed without changing more of it.
type EditError struct {
	Path, Where string
	Err         error
}

// Error says where, and why.
func (e *EditError) Error() string {
	return fmt.Sprintf("%s: %s cannot be changed here: %v", text.Printable(e.Path), e.Where, e.Err)
}

// Unwrap is the reason.
func (e *EditError) Unwrap() error { return e.Err }

// errStyle is the reason where a part is written as none that is known.
var errStyle = errors.New("it is written in a way that is not known: write the scopes there by hand")

// New is a file of a kind without a text, whose name says in which format it will be written; "" for the
// usual one. It declares nothing. The error is that of [Read].
func New(k *Kind, path, entry string) (*File, error) {
	format := k.formatFor(path)
	if format == "" {
		format = k.Formats[0]
	}
	if err := k.refuse(path, nil); err != nil {
		return nil, err
	}
	return read(k, format, path, entry, nil)
}

// Into is the text of the file in which the needs of a manifest are declared, and nothing else: every byte
// outside of that part is as it was, and all are where the two ask for the same. What stands somewhere stays
// there as long as its level fits; a new scope is for token, "" for the kind's first.
func (f *File) Into(needs []scopes.Need, implies scopes.Implications, token string) ([]byte, error) {
	text, err := f.once(needs, implies, token)
	for round := 0; err == nil && round < maxRounds; round++ {
		after, unread := read(f.Kind, f.document.format, f.Path, f.Entry, text)
		if unread != nil {
			return nil, &EditError{f.Path, "the file", unread}
		}
		if len(after.Compare(needs, implies)) == 0 {
			break
		}
		text, err = after.once(needs, implies, token)
	}
	return text, err
}

// maxRounds bounds how often a file is edited: which of several alternatives fits best can be another once a scope
// stands there for another need.
const maxRounds = 4

func (f *File) once(needs []scopes.Need, implies scopes.Implications, token string) ([]byte, error) {
	var skip [][]string
	now, target := f, f.target(needs, implies, token)
	for i, words := range target {
		p := &f.Kind.Places[i]
		if p.Most > 0 && len(words) > p.Most {
			return nil, &EditError{f.Path, p.where(f.Entry), fmt.Errorf("the platform takes %d scopes there, and these are %d", p.Most, len(words))}
		}
		skip = append(skip, p.at(f.Entry))
		if slices.Equal(words, now.at(p)) {
			continue
		}
		after, err := now.setAt(p, words)
		if err != nil {
			return nil, &EditError{f.Path, p.where(f.Entry), err}
		}
		d, mistakes := parse(f.Kind, f.document.format, f.Path, []byte(f.document.bom+after))
		if len(mistakes) > 0 || !same(now.document.root, d.root, skip[i:]) {
			return nil, &EditError{f.Path, p.where(f.Entry), errStyle}
		}
		now = &File{Path: f.Path, Kind: f.Kind, Entry: f.Entry, document: d}
	}
	for i, words := range target {
		if p := &f.Kind.Places[i]; !slices.Equal(words, now.at(p)) {
			return nil, &EditError{f.Path, p.where(f.Entry), errStyle}
		}
	}
	return []byte(now.document.bom + now.document.text), nil
}

// Is reports whether a text is the file's own.
func (f *File) Is(text []byte) bool { return string(text) == f.document.bom+f.document.text }

// at are the scopes at a place, as they stand there.
func (f *File) at(p *Place) []string {
	var words []string
	v, _ := f.value(p)
	switch {
	case v == nil:
	case v.is == isText:
		words = splitWords(p.Form, v.text)
	case v.is == isTable:
		for _, m := range v.members {
			words = append(words, m.key)
		}
	default:
		for _, item := range v.items {
			words = append(words, item.text)
		}
	}
	return words
}

// target is what will stand at each place of the kind.
func (f *File) target(needs []scopes.Need, implies scopes.Implications, token string) [][]string {
	if tokens := f.Kind.Tokens(); token == "" && len(tokens) > 0 {
		token = tokens[0]
	}
	places := make([][]string, len(f.Kind.Places))
	for i := range places {
		places[i] = f.at(&f.Kind.Places[i])
	}
	drop := func(name, token string) {
		for i, p := range f.Kind.Places {
			if p.Token == token {
				places[i] = slices.DeleteFunc(places[i], func(word string) bool { return word == name })
			}
		}
	}
	for _, s := range f.unwanted(needs, implies) {
		drop(s.Name, s.Token)
	}
	for _, w := range f.wanted(needs, implies) {
		if w.fits() {
			continue
		}
		name, of := w.scope, token
		if len(w.standing) > 0 {
			name, of = w.standing[0].Name, w.standing[0].Token
		}
		goes := f.placesFor(w.need.Level, of)
		for i, p := range f.Kind.Places {
			switch has := slices.Contains(places[i], name); {
			case p.Token != of:
			case slices.Contains(goes, i) && !has:
				places[i] = append(places[i], name)
			case !slices.Contains(goes, i) && has:
				places[i] = slices.DeleteFunc(places[i], func(word string) bool { return word == name })
			}
		}
	}
	return places
}

// placesFor is where a new scope of a level is declared for a token: in the first list for that level that
// the file has, else the first of the kind; where only a mark has that level, in the token's first too.
func (f *File) placesFor(level scopes.Level, token string) []int {
	best, mark, first := -1, -1, -1
	for i := range f.Kind.Places {
		p := &f.Kind.Places[i]
		if p.Token != token {
			continue
		}
		if first < 0 {
			first = i
		}
		v, _ := f.value(p)
		switch {
		case !p.takes(level):
		case p.Marks && mark < 0:
			mark = i
		case !p.Marks && (best < 0 || v != nil && !f.has(best)):
			best = i
		}
	}
	if best < 0 {
		return []int{first, mark}
	}
	return []int{best}
}

func (f *File) has(place int) bool {
	v, _ := f.value(&f.Kind.Places[place])
	return v != nil
}

// setAt is the text in which other scopes stand at a place.
func (f *File) setAt(p *Place, words []string) (string, error) {
	d := f.document
	v, key := f.value(p)
	switch {
	case v == nil || v.is == isNothing:
		return d.add(p, p.at(f.Entry), words)
	case v.is == isText:
		return d.reword(v, joinWords(p.Form, v.text, words))
	case v.is == isTable && v.block && d.format == formatYAML:
		return d.setKeys(v, words)
	case v.is == isList && v.block && d.format == formatYAML:
		return d.setBlock(v, key, words)
	case v.is == isList:
		return d.setFlow(v, key, words)
	}
	return "", errStyle
}

// joinWords are scopes as one text, with what stood between them before.
func joinWords(form, before string, words []string) string {
	between := " "
	if form == formCommas {
		between = ","
		if strings.Contains(before, ", ") {
			between = ", "
		}
	}
	return strings.Join(words, between)
}

// splice puts a text in the place of a stretch of the document's.
func (d *document) splice(from, to int, by string) string { return d.text[:from] + by + d.text[to:] }
