package refusal

import (
	"slices"
	"strings"
)

// A place is what the name of a member or of a header, and those around it, say of a value.
type place struct {
	noun  bool // it lists scopes or permissions
	scope bool // it lists scopes, in that very word
	need  bool // what is missing or required
	held  bool // what the credential holds
	any   bool // one of them is enough
	firm  bool // all of them are missing or required, without a doubt
	aside bool // it is about something else: a page to read, what there is at all
	own   bool // it is the credential's
	short bool // no word for scopes is in it: it counts where the code says that one is missing
}

// under is the place of a member within this place.
func (p place) under(name string) place {
	words := wordsOf(name)
	if p.aside || anyOf(words, asideWords) {
		return place{aside: true}
	}
	own := place{noun: anyOf(words, scopeNouns), scope: anyOf(words, scopeWord), need: anyOf(words, needWords), held: anyOf(words, heldWords), any: anyOf(words, anyWords)}
	own.firm = anyOf(words, goneWords) || anyOf(words, allWords) || anyOf(words, requiredWords)
	if own.held && anyOf(words, denials) { // notGranted
		own.held, own.need, own.firm = false, true, true
	}
	if own.need && anyOf(words, alsoNouns) {
		own.noun = true // requiredAccess, required_alternatives
	}
	own.need = own.need || own.noun && anyOf(words, goneWords) // denied_scopes
	p.own = p.own || len(words) == 1 && ownWords.has(words[0])
	own.held = own.held || own.noun && (p.own || anyOf(words, ownWords))
	own.short = len(words) == 1 && (own.need || own.held) && !own.noun
	p.noun, p.scope = p.noun || own.noun, p.scope || own.scope
	p.any, p.firm = (p.any || own.any) && !anyOf(words, allWords), p.firm || own.firm
	switch {
	case own.held && !own.need:
		p.held, p.need = true, false
	case own.need:
		p.held, p.need = false, true
	}
	p.short = own.short && !p.noun
	return p
}

var requiredWords = wordSet(`required requires require`)

var alsoNouns = wordSet(`access alternatives alternative alternates capability capabilities privilege privileges`)

var asideWords = wordSet(`link links url urls uri href docs documentation help support supported available requested
	optional deprecated forbidden unused example examples sample`)

// lists reports whether a value at the place is a list of scopes; sure, whether each word of it
// is one though nobody knows it.
func (p place) lists(coded bool) (lists, sure bool) {
	switch {
	case p.aside:
		return false, false
	case p.scope && (p.need || p.held), p.short && coded, p.scope && coded:
		return true, true
	case p.noun, p.short:
		return true, false
	}
	return false, false
}

// list takes the scopes out of values that stand at a place; it reports whether that is all
// that they hold. A value that is a sentence is left to who reads sentences.
func (r *Reading) list(p place, values []string, where string) bool {
	lists, sure := p.lists(r.coded)
	if !lists {
		return false
	}
	if all := r.semicolons(values, sure); all != nil {
		r.take(p, eachOf(all), where)
		return true
	}
	var groups []Group
	all := true
	for _, value := range values {
		if isProse(value) {
			all = false
			continue
		}
		if value, either := separated(value); either {
			groups = append(groups, r.scopesOf(value, sure))
		} else {
			groups = append(groups, each(r.scopesOf(value, sure))...)
		}
	}
	if p.any || r.anySaid { // a list of values, of which one is enough
		groups = []Group{slices.Concat(groups...)}
	}
	r.note(groups, p.firm)
	r.take(p, groups, where)
	return all
}

// semicolons are the alternatives of a list that has semicolons between them: what stands in one holds
// together. It is nil for any other list.
func (r *Reading) semicolons(values []string, sure bool) [][]string {
	if !slices.ContainsFunc(values, func(value string) bool { return strings.Contains(value, ";") && !isProse(value) }) {
		return nil
	}
	all := [][]string{}
	for _, one := range strings.SplitN(strings.Join(values, ";"), ";", maxTexts) {
		all = append(all, r.scopesOf(one, sure))
	}
	return all
}

// separated is a list without what separates its scopes, and whether that says that any one of
// them is enough.
func separated(value string) (list string, either bool) {
	if strings.Contains(value, "|") || strings.Contains(value, " or ") {
		return strings.NewReplacer("|", " ", " or ", " ").Replace(value), true
	}
	return value, false
}

// scopesOf are the scopes in a list; sure, whether each word of it is one though nobody knows it.
func (r *Reading) scopesOf(value string, sure bool) []string {
	value = strings.NewReplacer(" and ", " ", `"`, " ", "'", " ", "[", " ", "]", " ", "(", " ", ")", " ", "`", " ").Replace(value)
	return slices.DeleteFunc(r.known.list(value), func(scope string) bool { return !sure && !r.known.Knows(scope) })
}

// alternatives takes the scopes out of a list of lists: of the lists any one is enough, and
// everything in it is needed. It reports whether the value is one.
func (r *Reading) alternatives(p place, key string, list []any) bool {
	lists, sure := p.lists(r.coded)
	if !lists || !slices.ContainsFunc(list, func(item any) bool { _, nested := item.([]any); return nested }) {
		return false
	}
	var all [][]string
	for _, item := range list[:min(len(list), maxTexts)] {
		inner, ok := item.([]any)
		if !ok {
			inner = []any{item}
		}
		var texts []string
		for _, one := range inner {
			said, ok := one.(string)
			if !ok {
				return false
			}
			if !isProse(said) {
				texts = append(texts, said)
			}
		}
		all = append(all, r.scopesOf(strings.Join(texts, " "), sure))
	}
	r.take(p, eachOf(all), at(key, strings.Join(slices.Concat(all...), " ")))
	return true
}

// switches takes the scopes out of an object that says of each whether it is there. Of several
// that are not, at least one is what a refusal for a scope is about. It reports whether the value
// is one.
func (r *Reading) switches(p place, key string, members map[string]any) bool {
	lists, sure := p.lists(r.coded)
	if !lists || len(members) == 0 {
		return false
	}
	var on, off []string
	for name, value := range sortedPairs(members) {
		is, ok := value.(bool)
		switch {
		case !ok:
			return false
		case !canBeScope(name) || !r.known.Knows(name) && !(sure && strings.ContainsAny(name, ":./")): // "valid": false
		case is:
			on = append(on, name)
		default:
			off = append(off, name)
		}
	}
	if p.need {
		r.take(p, r.groups(on, p.firm), at(key, strings.Join(on, " ")))
		return true
	}
	if !p.scope && !p.held { // what one may do with something
		return true
	}
	r.take(place{held: true}, each(on), "")
	if r.SaysLacking() {
		r.take(place{need: true}, []Group{off}, at(key, "not "+strings.Join(off, ", ")))
	}
	return true
}

// groups are those of a list: of each scope one, or one of all where any one is enough. firm says
// that otherwise all are needed.
func (r *Reading) groups(list []string, firm bool) []Group {
	if r.anySaid && len(list) > 0 {
		return []Group{list}
	}
	r.note(each(list), firm)
	return each(list)
}

func (r *Reading) take(p place, groups []Group, where string) {
	for _, group := range groups {
		if len(group) == 0 || len(r.Needs)+len(r.Mentioned)+len(r.Held) >= maxTexts {
			continue
		}
		group = group[:min(len(group), maxTexts)]
		switch {
		case p.held:
			r.Held = append(r.Held, group...)
			continue
		case p.need, p.noun && r.SaysLacking():
			r.Needs = append(r.Needs, group)
		default:
			r.Mentioned = append(r.Mentioned, group)
		}
		r.prove(where)
	}
}

// isProse reports whether a value is a sentence rather than a list.
func isProse(value string) bool {
	words := split(value, nil)
	for _, w := range words {
		if len(words) > 1 && !joinWords.has(w.lower) && w.lower != "or" && (proseWords.has(w.lower) || scopeNouns.has(w.lower)) {
			return true
		}
	}
	return false
}

var proseWords = wordSet(`the a an to for of is are this that your you must have has not with in on by it be from access`)
