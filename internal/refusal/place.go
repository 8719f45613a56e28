package refusal

import (
	"strings"

	"github.com/ambit-auth/ambit/scopes"
)

// A place is what the name of a member or of a header, and those around it, say of a value.
type place struct {
	noun  bool // it lists scopes or permissions
	scope bool // it lists scopes, in that very word
	need  bool // what is missing or required
	held  bool // what the credential holds
	any   bool // one of them is enough
	aside bool // it is about something else: a page to read, what there is at all
	own   bool // it is the credential's
	short bool // no word for scopes is in it: it counts where the code says that one is missing
}

// under is the place of a member within this place.
func (p place) under(name string) place {
	words := wordsOf(name)
	if anyOf(words, asideWords) {
		return place{aside: true}
	}
	own := place{noun: anyOf(words, scopeNouns), scope: anyOf(words, scopeWord), need: anyOf(words, needWords), held: anyOf(words, heldWords), any: anyOf(words, anyWords)}
	if own.need && anyOf(words, denials) { // notGranted
		own.held = false
	}
	if anyOf(words, wordSet(`access`)) && own.need {
		own.noun = true // requiredAccess
	}
	p.own = p.own || len(words) == 1 && ownWords.has(words[0])
	own.held = own.held || own.noun && (p.own || anyOf(words, ownWords))
	own.short = len(words) == 1 && (own.need || own.held) && !own.noun
	p.noun, p.scope, p.any = p.noun || own.noun, p.scope || own.scope, p.any || own.any
	switch {
	case own.held && !own.need:
		p.held, p.need = true, false
	case own.need:
		p.held, p.need = false, true
	}
	p.short = own.short && !p.noun
	return p
}

var asideWords = wordSet(`link links url urls uri href docs documentation help support supported available requested`)

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
	var groups []Group
	all := true
	for _, value := range values {
		if isProse(value) {
			all = false
			continue
		}
		alternatives := p.any || r.anySaid
		if strings.ContainsAny(value, "|;") || strings.Contains(value, " or ") {
			alternatives = true
			value = strings.NewReplacer("|", " ", ";", " ", " or ", " ").Replace(value)
		}
		value = strings.NewReplacer(" and ", " ", `"`, " ", "'", " ", "[", " ", "]", " ", "(", " ", ")", " ", "`", " ").Replace(value)
		var one Group
		for scope := range scopes.ParseList(value).All() {
			if canBeScope(scope) && (sure || r.known.Knows(scope)) {
				one = append(one, scope)
			}
		}
		if alternatives {
			groups = append(groups, one)
		} else {
			groups = append(groups, each(one)...)
		}
	}
	if p.any || r.anySaid { // a list of values, of which one is enough
		var one Group
		for _, group := range groups {
			one = append(one, group...)
		}
		groups = []Group{one}
	}
	r.take(p, groups, where)
	return all
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

func each(list []string) []Group {
	var groups []Group
	for _, scope := range list {
		groups = append(groups, Group{scope})
	}
	return groups
}

// isProse reports whether a value is a sentence rather than a list.
func isProse(value string) bool {
	words := split(value)
	for _, w := range words {
		if len(words) > 1 && !joinWords.has(w.lower) && w.lower != "or" && (proseWords.has(w.lower) || scopeNouns.has(w.lower)) {
			return true
		}
	}
	return false
}

var proseWords = wordSet(`the a an to for of is are this that your you must have has not with in on by it be from access`)
