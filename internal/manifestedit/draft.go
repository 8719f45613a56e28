package manifestedit

import (
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

// A draft is what a manifest is to declare: its lists, by program.
type draft map[string]*draftList

// A draftList is one list of entries, in order.
type draftList struct {
	entries []*drafted
	byKey   map[string]*drafted
}

// A drafted is an entry of a draft. What else the entry says stays in the text.
type drafted struct {
	scopes.Need
	was     int  // which entry of the text's list it is; -1 for one at the end
	instead bool // it stands in the place of that entry
}

func newDraft(m *manifest.Manifest) draft {
	d := make(draft)
	take := func(program string, entries []scopes.Need) {
		l := &draftList{byKey: make(map[string]*drafted)}
		for i, e := range entries {
			l.append(&drafted{Need: e, was: i})
		}
		d[program] = l
	}
	take("", m.Scopes)
	for _, p := range m.Programs {
		take(p.Name, p.Scopes)
	}
	return d
}

func (l *draftList) append(e *drafted) {
	l.entries = append(l.entries, e)
	l.byKey[e.Key()] = e
}

func (l *draftList) drop(e *drafted) {
	at := slices.Index(l.entries, e)
	l.entries = slices.Delete(l.entries, at, at+1)
	delete(l.byKey, e.Key())
}

// find returns what is declared as e is; nil where nothing is.
func (d draft) find(e scopes.Need) *drafted {
	l := d[programOf(e)]
	if l == nil {
		return nil
	}
	return l.byKey[e.Key()]
}

func (d draft) lower(c LevelChange) bool {
	if e := d.find(c.Entry); e != nil {
		e.Level = c.To
	}
	return true
}

func (d draft) narrow(c ScopeChange) bool {
	e := d.find(c.Entry)
	if e == nil {
		return true
	}
	l, to := d[programOf(c.Entry)], []string{c.To}
	switch other := l.byKey[scopes.Need{AnyOf: to}.Key()]; other {
	case e:
	case nil:
		delete(l.byKey, e.Key())
		e.AnyOf = to
		l.byKey[e.Key()] = e
	default:
		l.drop(e)
	}
	return true
}

func (d draft) replace(c Replacement) bool {
	old := d.find(c.Entry)
	if old == nil {
		return true
	}
	l := d[programOf(c.Entry)]
	at := slices.Index(l.entries, old)
	l.drop(old)
	for _, e := range c.By {
		if l.byKey[e.Key()] == nil {
			one := &drafted{Need: e, was: old.was, instead: true}
			l.entries = slices.Insert(l.entries, at, one)
			l.byKey[e.Key()] = one
			at++
		}
	}
	return true
}

func (d draft) remove(e scopes.Need) bool {
	if there := d.find(e); there != nil {
		d[programOf(e)].drop(there)
	}
	return true
}

// add reports whether there is a list for the entry.
func (d draft) add(e scopes.Need) bool {
	l := d[programOf(e)]
	if l != nil && l.byKey[e.Key()] == nil {
		l.append(&drafted{Need: e, was: -1})
	}
	return l != nil
}

// equal reports whether two drafts declare the same, wherever it stands.
func (d draft) equal(other draft) bool {
	if len(d) != len(other) {
		return false
	}
	for program, l := range d {
		if o := other[program]; o == nil || !slices.EqualFunc(l.entries, o.entries, (*drafted).equal) {
			return false
		}
	}
	return true
}

func (e *drafted) equal(o *drafted) bool {
	same := func(a, b scopes.Operation) bool { return a.Unplaced() == b.Unplaced() }
	// A file's last line may lack its end, and gets one where another line follows.
	why := strings.TrimSuffix(e.Why, "\n") == strings.TrimSuffix(o.Why, "\n")
	return e.Key() == o.Key() && why && e.Level == o.Level && e.Unadvertised == o.Unadvertised && slices.EqualFunc(e.UsedBy, o.UsedBy, same)
}
