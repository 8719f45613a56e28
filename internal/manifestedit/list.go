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

// settle makes the list's entries say what the draft has of them, puts others in the
// place of those that it replaces, and takes out those that it does not have.
func (l *needList) settle(d *draftList) ([]splice, error) {
	var splices []splice
	stays := make([]bool, len(l.items))
	instead := make([][]scopes.Need, len(l.items))
	for _, e := range d.entries {
		if e.was < 0 {
			continue
		}
		stays[e.was] = true
		if e.instead {
			instead[e.was] = append(instead[e.was], e.Need)
			continue
		}
		more, err := l.reword(l.items[e.was], e)
		if err != nil {
			return nil, err
		}
		splices = append(splices, more...)
	}
	for at, entries := range instead {
		if len(entries) > 0 {
			more, err := l.exchange(at, entries)
			if err != nil {
				return nil, err
			}
			splices = append(splices, more...)
		}
	}
	more, err := l.remove(stays)
	return append(splices, more...), err
}

// exchange puts entries in the place of one, written as that is. Comments around one in
// flow style stay.
func (l *needList) exchange(at int, entries []scopes.Need) ([]splice, error) {
	item := l.items[at].node
	style := l.styleOf(item)
	if !style.flow {
		first, last, err := l.block(at)
		return []splice{{l.lines[first], l.end(last), l.inPlaceOf(last, style.list(entries), style.end)}}, err
	}
	from := l.offset(item)
	_, brace := l.scan(from, func(int, int) {})
	if brace < 0 {
		return nil, errors.New("where the entry ends cannot be told")
	}
	if flowing(l.seq) {
		return []splice{{from, brace + 1, style.mappings(entries, ", ")}}, nil
	}
	_, last, err := l.block(at)
	return []splice{{from, brace + 1, style.mapping(entries[0])}, l.insertAfter(last, style.list(entries[1:]), style.end)}, err
}

// styleOf is how an entry of the list is written.
func (l *needList) styleOf(item *yaml.Node) needStyle {
	gap := max(item.Column-l.seq.Column-1, 1)
	style := needStyle{indent: l.seq.Column - 1, gap: gap, flow: flowing(item), end: l.lineEnd()}
	style.quoteKeys = style.flow && item.Content[0].Style&yaml.DoubleQuotedStyle != 0
	return style
}

// reword gives an entry the draft's scope and level.
func (l *needList) reword(item listItem, e *drafted) ([]splice, error) {
	var splices []splice
	put := func(key, word string) error {
		one, err := l.replace(yamlfile.Child(item.node, key), word)
		splices = append(splices, one)
		return err
	}
	if item.key != e.Key() {
		if err := put("scope", e.Name()); err != nil {
			return nil, err
		}
	}
	if level := yamlfile.Child(item.node, "level"); level.Value != e.Level.String() {
		if err := put("level", e.Level.String()); err != nil {
			return nil, err
		}
	}
	return splices, nil
}

// replace puts another word in the place of a scalar, between the same quotes.
func (l *needList) replace(n *yaml.Node, by string) (splice, error) {
	if n == nil {
		return splice{}, errors.New("the entry names several scopes")
	}
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

// remove takes out of the list what does not stay. Comments between entries stay; those
// within an entry go with it.
func (l *needList) remove(stays []bool) ([]splice, error) {
	switch {
	case !slices.Contains(stays, false):
		return nil, nil
	case flowing(l.seq):
		return l.removeFlow(stays)
	}
	return l.removeBlock(stays)
}

// extend writes what is new in the draft behind the list's last entry, as that is written.
func (l *needList) extend(d *draftList) ([]splice, error) {
	var entries []scopes.Need
	for _, e := range d.entries {
		if e.was < 0 {
			entries = append(entries, e.Need)
		}
	}
	switch {
	case len(entries) == 0:
		return nil, nil
	case flowing(l.seq):
		return l.appendFlow(entries)
	}
	return l.appendBlock(entries)
}
