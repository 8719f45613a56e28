package scopes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// Near are the known scopes that someone may have meant by a word, best first, at most [text.MaxNear]:
// those with the same parts, however these are joined, ordered and written (read:org for org.read); else
// that say what may be done with it (org:read for org), or with a part written out (write_repository for
// write_repo); else what [text.Near] finds. The last part of a URL stands for the whole.
func Near(word string, known []string) []string { return spellingsOf(known).near(word) }

// spellings are those of known scopes.
type spellings struct {
	scopes  []string
	list    []spelling
	names   []string          // one for all scopes with the same parts in the same order
	scopeOf map[string]string // the first scope of each
}

func spellingsOf(known []string) *spellings {
	s := &spellings{scopes: known, list: make([]spelling, len(known)), scopeOf: make(map[string]string, len(known))}
	for i, scope := range known {
		s.list[i] = spellingOf(scope)
		name := s.list[i].name()
		if _, has := s.scopeOf[name]; !has {
			s.names, s.scopeOf[name] = append(s.names, name), scope
		}
	}
	return s
}

func (s *spellings) near(word string) []string {
	typed := spellingOf(word)
	name := typed.name()
	if len(name) > text.MaxName {
		return nil
	}
	var found []near
	for i, scope := range s.scopes {
		if scope == word {
			continue
		}
		if how := typed.likeness(s.list[i]); how > unlike {
			found = append(found, near{scope, how})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.how, a.how), cmp.Compare(reach(a.scope), reach(b.scope)), cmp.Compare(a.scope, b.scope))
	})
	list := make([]string, 0, text.MaxNear)
	for _, one := range found {
		if one.how == found[0].how {
			list = append(list, one.scope)
		}
	}
	if len(list) == 0 {
		for _, other := range text.Near(name, s.names) {
			if scope := s.scopeOf[other]; scope != word {
				list = append(list, scope)
			}
		}
	}
	return list[:min(len(list), text.MaxNear)]
}

// near is a known scope that is like a word.
type near struct {
	scope string
	how   likeness
}

// A likeness is how alike two names are, from the least on.
type likeness int

const (
	unlike     likeness = iota
	writtenOut          // a part of the one is the beginning of that of the other
	family              // the one says what may be done with what the other is
	reordered           // the same parts in another order
	same                // the same parts
)

// A spelling is a name in its parts.
type spelling struct {
	words  []string // in lower case, in the order of the name
	sorted []string // the same, as they sort
}

func spellingOf(name string) spelling {
	words, _ := partsOf(name)
	return spelling{words, slices.Sorted(slices.Values(words))}
}

// resource are the parts that do not say what may be done.
func (s spelling) resource() []string {
	return slices.DeleteFunc(slices.Clone(s.words), func(word string) bool { return actions[word] > 0 })
}

// name is the same for all names with the same parts in the same order.
func (s spelling) name() string { return strings.Join(s.words, ":") }

// shortest is how long the beginning of a part has to be to stand for the whole.
const shortest = 3

func (s spelling) likeness(other spelling) likeness {
	switch {
	case len(s.words) == 0:
		return unlike
	case len(s.words) < len(other.words) && slices.Equal(s.words, other.resource()):
		return family
	case len(s.words) != len(other.words):
		return unlike
	case slices.Equal(s.words, other.words):
		return same
	case slices.Equal(s.sorted, other.sorted):
		return reordered
	}
	if begins(s.words, other.words) || begins(s.sorted, other.sorted) {
		return writtenOut
	}
	return unlike
}

// begins reports whether the parts are the same but for one, of which one name has the beginning. What
// may be done is never such a part: nobody wrote read and meant readwrite.
func begins(one, other []string) bool {
	differ := 0
	for i, a := range one {
		b := other[i]
		if a == b {
			continue
		}
		if len(b) < len(a) {
			a, b = b, a
		}
		if differ++; differ > 1 || len(a) < shortest || !strings.HasPrefix(b, a) || actions[a] > 0 || actions[b] > 0 {
			return false
		}
	}
	return differ == 1
}

// maxSuggested bounds for how many needs of a plan is looked for what was meant: each takes a walk over all
// that is known.
const maxSuggested = 20

// Near are, by the names of needs, the scopes that were likely meant where the manifest names one of which
// neither the server, nor a resource, nor the provider file knows.
func (q Negotiation) Near(p Plan) map[string][]string {
	var v vocabulary
	found := make(map[string][]string)
	for i := range p.Scopes {
		item := &p.Scopes[i]
		if v.looked == maxSuggested || !q.doubts(item) {
			continue
		}
		if v.names == nil {
			v = q.vocabulary()
		}
		if words := v.meant(item); len(words) > 0 {
			found[item.Need.Name()] = words
		}
	}
	return found
}

// doubts reports whether a need may name a scope that does not exist.
func (q Negotiation) doubts(item *Item) bool {
	switch {
	case item.Need.Unadvertised: // whoever says so knows better
		return false
	case item.Decision == DecisionWithhold:
		return true
	}
	return item.Asked != "" && (item.Advertised == AdvertisedNo || item.Advertised == AdvertisedUnknown && q.Server.Known.Len() > 0)
}

// A vocabulary is the scopes that are known to exist.
type vocabulary struct {
	offered *spellings      // of those that can be had
	names   map[string]bool // of all, by the one name of each
	nameOf  func(string) string
	looked  int // how many words were looked for
}

func (q Negotiation) vocabulary() vocabulary {
	v := vocabulary{names: make(map[string]bool), nameOf: q.Implies.names.of}
	var offered []string
	for _, one := range NewOffer(q.Server, q.Resources, nil) {
		v.names[v.nameOf(one.Scope)] = true
		if !one.Withheld {
			offered = append(offered, one.Scope)
		}
	}
	v.offered = spellingsOf(offered)
	return v
}

// meant are the scopes that a need was likely to name; none where it names one that exists.
func (v *vocabulary) meant(item *Item) []string {
	named := item.Need.AnyOf
	if item.Asked != "" {
		named = []string{item.Asked}
	}
	if slices.ContainsFunc(named, func(scope string) bool { return v.names[v.nameOf(scope)] }) {
		return nil
	}
	v.looked++
	var words []string
	for _, scope := range named {
		words = append(words, v.offered.near(scope)...)
	}
	words = NewSet(words...).list
	return words[:min(len(words), text.MaxNear)]
}
