package scopes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/internal/text"
)

// An Offer is every scope that is known to exist at a service, each once: those of one resource side by
// side, reading before writing.
type Offer []Offered

// An Offered scope is one that exists at a service, and who says so.
type Offered struct {
	Scope    string
	About    string   // what it allows, in the service's own words; "" where nobody says
	Resource string   // what it is for, as its name has it: [ResourceOf]
	Listed   bool     // the authorization server lists it (scopes_supported, RFC 8414 §2)
	Bases    []string // whose resources list it (RFC 9728 §2), in the order of the resources
	Withheld bool     // the server lists it, and does not grant it to ordinary people
}

// NewOffer is what a server and its resources say that there is. About is asked what each scope allows;
// it may be nil.
func NewOffer(server Advertisement, resources []Resource, about func(scope string) string) Offer {
	var offer Offer
	place := make(map[string]int)
	at := func(scope string) *Offered {
		i, known := place[scope]
		if !known {
			i = len(offer)
			place[scope] = i
			offer = append(offer, Offered{Scope: scope, Resource: ResourceOf(scope), Withheld: server.Except.Has(scope)})
			if about != nil {
				offer[i].About = about(scope)
			}
		}
		return &offer[i]
	}
	for _, scope := range server.Known.Slice() {
		at(scope)
	}
	for _, scope := range server.Scopes.Slice() {
		at(scope).Listed = true
	}
	for _, r := range resources {
		for _, scope := range r.Advertises.Scopes.Slice() {
			one := at(scope)
			one.Bases = append(one.Bases, r.Base)
		}
	}
	return offer.sorted()
}

func (o Offer) sorted() Offer {
	slices.SortStableFunc(o, func(a, b Offered) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(reach(a.Scope), reach(b.Scope)), cmp.Compare(a.Scope, b.Scope))
	})
	return o
}

// With is the offer with the scopes that a description names besides, and with what it says about each of
// which nobody else says anything.
func (o Offer) With(names Set, about map[string]string) Offer {
	more := slices.Clone(o)
	known := NewSet(o.Names()...)
	for scope := range names.All() {
		if !known.Has(scope) && CheckScope(scope) == nil {
			more = append(more, Offered{Scope: scope, Resource: ResourceOf(scope)})
		}
	}
	for i := range more {
		more[i].About = cmp.Or(more[i].About, about[more[i].Scope])
	}
	return more.sorted()
}

// Names are the scopes by name, in the order of the offer.
func (o Offer) Names() []string {
	names := make([]string, len(o))
	for i, one := range o {
		names[i] = one.Scope
	}
	return names
}

// NearAny is [Offer.Near] for each of several words.
func (o Offer) NearAny(words []string) []string {
	var near []string
	for _, word := range words {
		near = append(near, o.Near(word)...)
	}
	return NewSet(near...).list
}

// Near are the offered scopes that someone may have meant by a word: see [Near]. There are none for one that is
// offered.
func (o Offer) Near(word string) []string {
	var names []string
	for _, one := range o {
		switch {
		case one.Scope == word:
			return nil
		case !one.Withheld:
			names = append(names, one.Scope)
		}
	}
	return Near(word, names)
}

// NearWord are the words in names of scopes that someone may have meant who looks for a word.
func (o Offer) NearWord(word string) []string {
	var all []string
	for _, one := range o {
		words, _ := partsOf(one.Scope)
		all = append(all, words...)
	}
	return text.Near(word, NewSet(all...).list)
}

// A Standing is what a manifest and a credential have to do with an offered scope.
type Standing struct {
	Need    *Need  // the declared need that names it; nil for none
	Covered string // the declared scope that covers it; "" where it is declared itself, or nothing does
	Held    string // the granted scope that is it, or covers it; "" where none does
}

// Standings are those of the offered scopes, in their order.
func (o Offer) Standings(needs []Need, granted Set, imp Implications) []Standing {
	by, held, list := make(map[string]*Need), imp.byName(granted), make([]Standing, len(o))
	declared := make(map[string]string)
	for i := range needs {
		for _, scope := range needs[i].AnyOf {
			if name := imp.names.of(scope); by[name] == nil {
				by[name], declared[name] = &needs[i], scope
			}
		}
	}
	for i, one := range o {
		s := &list[i]
		if s.Need = by[imp.names.of(one.Scope)]; s.Need == nil {
			s.Covered, _ = imp.coveredIn(declared, one.Scope)
		}
		s.Held, _ = imp.coveredIn(held, one.Scope)
	}
	return list
}

// Unoffered are the needs none of whose scopes is offered, under whatever name.
func (o Offer) Unoffered(needs []Need, imp Implications) []Need {
	known := make(map[string]bool, len(o))
	for _, one := range o {
		known[imp.names.of(one.Scope)] = true
	}
	return slices.DeleteFunc(slices.Clone(needs), func(need Need) bool {
		return slices.ContainsFunc(need.AnyOf, func(scope string) bool { return known[imp.names.of(scope)] })
	})
}

// Matching are the scopes with a word in their name or description, in any case.
func (o Offer) Matching(word string) Offer {
	word = strings.ToLower(word)
	return slices.DeleteFunc(slices.Clone(o), func(one Offered) bool {
		return !strings.Contains(strings.ToLower(one.Scope), word) && !strings.Contains(strings.ToLower(one.About), word)
	})
}

// actions are the words by which names of scopes say what may be done, by how much that is.
var actions = map[string]int{
	"read": 1, "readonly": 1, "only": 1, "view": 1, "list": 1, "metadata": 1,
	"create": 2, "write": 2, "edit": 2, "update": 2, "modify": 2, "send": 2, "delete": 2, "readwrite": 2,
	"manage": 3, "admin": 3, "all": 3, "full": 3, "control": 3,
}

// ResourceOf is what a scope is for, as far as its name tells: the last part of a URL, without the words
// for what may be done. A name that is such words alone is for everything: "".
func ResourceOf(scope string) string {
	words, joints := partsOf(scope)
	for len(words) > 0 && actions[words[len(words)-1]] > 0 {
		words = words[:len(words)-1]
	}
	skip := 0
	for skip < len(words) && actions[words[skip]] > 0 {
		skip++
	}
	var name strings.Builder
	for i := skip; i < len(words); i++ {
		if i > skip {
			name.WriteByte(joints[i])
		}
		name.WriteString(words[i])
	}
	return name.String()
}

// An Action is what a scope allows to be done with its resource.
type Action string

// The actions. Other is for what is neither, such as to administer, and where a name does not say.
const (
	ActionRead  Action = "read"
	ActionWrite Action = "write"
	ActionOther Action = "other"
)

// ActionOf is what a scope allows to be done with what it is for ([ResourceOf]), as far as its name
// tells, and the name's own words for it: "" where it has none.
func ActionOf(scope string) (action Action, words string) {
	all, _ := partsOf(scope)
	said := slices.DeleteFunc(all, func(word string) bool { return actions[word] == 0 })
	switch {
	case len(said) == 0 || reach(scope) > 2:
		action = ActionOther
	case reach(scope) == 2:
		action = ActionWrite
	default:
		action = ActionRead
	}
	return action, strings.Join(said, " ")
}

// reach is how much a scope allows, as far as its name tells; what says nothing of that stands in the
// middle. That it allows something everywhere ("read … all") says less than what it allows.
func reach(scope string) int {
	words, _ := partsOf(scope)
	most, wide := 0, 0
	for _, word := range words {
		if word == "all" || word == "full" {
			wide = actions[word]
		} else {
			most = max(most, actions[word])
		}
	}
	return cmp.Or(most, wide, 2)
}

// partsOf are the words of a scope's name in lower case, each with the character before it.
func partsOf(scope string) (words []string, joints []byte) {
	scope = lastPart(scope)
	start, joint := 0, byte(0)
	for i := 0; i <= len(scope); i++ {
		if i < len(scope) && !strings.ContainsRune(":/._-", rune(scope[i])) {
			continue
		}
		if i > start {
			words, joints = append(words, strings.ToLower(scope[start:i])), append(joints, joint)
		}
		if i < len(scope) {
			start, joint = i+1, scope[i]
		}
	}
	return words, joints
}

// lastPart is what a URL ends with; any other name stays as it is.
func lastPart(scope string) string {
	_, rest, is := strings.Cut(scope, "://")
	if !is {
		return scope
	}
	rest = strings.TrimSuffix(rest, "/")
	return rest[strings.LastIndexByte(rest, '/')+1:]
}
