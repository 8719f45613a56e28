package manifestedit

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"go.yaml.in/yaml/v3"
)

// change makes the edits of needs that the list has.
func (l *needList) change(edits []edit) ([]splice, error) {
	var splices []splice
	goes := make([]bool, len(l.items))
	for _, e := range edits {
		var more []splice
		var err error
		switch {
		case e.at < 0:
		case len(e.by) == 0:
			goes[e.at] = true
		case e.rewords():
			more, err = l.reword(l.items[e.at], &e)
		default:
			more, err = l.exchange(e.at, e.by)
		}
		if err != nil {
			return nil, err
		}
		splices = append(splices, more...)
	}
	more, err := l.remove(goes)
	return append(splices, more...), err
}

// exchange puts needs in the place of one, written as that is. Comments around one in
// flow style stay.
func (l *needList) exchange(at int, needs []scopes.Need) ([]splice, error) {
	item := l.items[at]
	style := l.styleOf(item)
	if !style.flow {
		first, last, err := l.block(at)
		return []splice{{l.lines[first], l.end(last), l.inPlaceOf(last, style.list(needs), style.end)}}, err
	}
	from := l.offset(item)
	_, brace := l.scan(from, func(int, int) {})
	if brace < 0 {
		return nil, errors.New("it is unclear where the entry ends")
	}
	if flowing(l.seq) {
		return []splice{{from, brace + 1, style.mappings(needs, ", ")}}, nil
	}
	_, last, err := l.block(at)
	return []splice{{from, brace + 1, style.mapping(needs[0])}, l.insertAfter(last, style.list(needs[1:]), style.end)}, err
}

// styleOf is how a need of the list is written.
func (l *needList) styleOf(item *yaml.Node) needStyle {
	gap := max(item.Column-l.seq.Column-1, 1)
	style := needStyle{indent: l.seq.Column - 1, gap: gap, flow: flowing(item), end: l.lineEnd()}
	style.quoteKeys = style.flow && item.Content[0].Style&yaml.DoubleQuotedStyle != 0
	return style
}

// reword gives a need another scope or another level.
func (l *needList) reword(item *yaml.Node, e *edit) ([]splice, error) {
	var splices []splice
	put := func(key, word string) error {
		one, err := l.replace(yamlfile.Child(item, key), word)
		splices = append(splices, one)
		return err
	}
	to := e.by[0]
	if e.of.Key() != to.Key() {
		if err := put("scope", to.Name()); err != nil {
			return nil, err
		}
	}
	if e.of.Level != to.Level {
		if err := put("level", to.Level.String()); err != nil {
			return nil, err
		}
	}
	return splices, nil
}

// replace puts another word in the place of a scalar, between the same quotes.
func (l *needList) replace(n *yaml.Node, by string) (splice, error) {
	at, quote := l.offset(n), ""
	end, quoted := l.quotes[at]
	switch {
	case quoted:
		quote = string(l.text[at])
		end++
	case bytes.HasPrefix(l.text[at:], []byte(n.Value)):
		end = at + len(n.Value)
	default:
		return splice{}, errors.New("the word is not written in one piece")
	}
	switch {
	case quote == "'":
		by = strings.ReplaceAll(by, "'", "''")
	case quote == "" && (!plain(by) || strings.ContainsAny(by, ",[]{}?") || strings.Contains(by, ":") && !strings.Contains(n.Value, ":")):
		quote = `"`
	}
	return splice{at, end, quote + by + quote}, nil // a scope holds no double quote and no backslash (RFC 6749 §3.3)
}

// remove takes needs out of the list. Comments between needs stay; those within one go with it.
func (l *needList) remove(goes []bool) ([]splice, error) {
	switch {
	case !slices.Contains(goes, true):
		return nil, nil
	case flowing(l.seq):
		return nil, errors.New("an entry cannot be removed from a list in brackets")
	}
	return l.removeBlock(goes)
}

// extend writes new needs behind the last one of the list, as that is written.
func (l *needList) extend(edits []edit) ([]splice, error) {
	var needs []scopes.Need
	for _, e := range edits {
		if e.at < 0 {
			needs = append(needs, e.by...)
		}
	}
	switch {
	case len(needs) == 0:
		return nil, nil
	case flowing(l.seq):
		return l.appendFlow(needs)
	}
	return l.appendBlock(needs)
}
