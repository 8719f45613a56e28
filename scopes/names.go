package scopes

import (
	"maps"
	"strings"
)

// Names say which words of a service are the same scope under another name: a server may return a
// scope under a name that nobody requested. The zero value is a service at which each word is a scope
// of its own. Names never change after they were made, and are safe for concurrent use.
type Names struct {
	Same    map[string]string // another name by a name
	Prefix  string            // a name with it and the rest of it are the same
	AnyCase bool              // names that differ only in case are the same
}

// Known reports whether any two words are the same scope.
func (n Names) Known() bool { return len(n.Same) > 0 || n.Prefix != "" || n.AnyCase }

// plain is the name of a scope without the prefix, and the one of several that stands for all.
func (n Names) plain(scope string) string {
	bare := func(word string) string {
		if at := len(n.Prefix); len(word) > at && n.equal(word[:at], n.Prefix) {
			return word[at:]
		}
		return word
	}
	name := bare(scope)
	for one, other := range n.Same {
		if n.equal(name, bare(other)) {
			return bare(one)
		}
	}
	return name
}

func (n Names) equal(one, other string) bool {
	return one == other || n.AnyCase && strings.EqualFold(one, other)
}

// of is the one name by which all names of a scope are compared.
func (n Names) of(scope string) string {
	if n.AnyCase {
		return strings.ToLower(n.plain(scope))
	}
	return n.plain(scope)
}

// WithNames are the same implications for a service that has several names for a scope.
func (imp Implications) WithNames(n Names) Implications {
	n.Same = maps.Clone(n.Same)
	imp.names = n
	return imp
}

// coveredByName is [Implications.CoveredBy] by whatever names: ok is false also where each word is a
// scope of its own.
func (imp Implications) coveredByName(held Set, need string) (by string, ok bool) {
	if !imp.names.Known() {
		return "", false
	}
	return imp.coveredIn(imp.byName(held), need)
}

// byName are the scopes of a set by the one name of each.
func (imp Implications) byName(held Set) map[string]string {
	byName := make(map[string]string, held.Len())
	for _, scope := range held.list {
		byName[imp.names.of(scope)] = scope
	}
	return byName
}

func (imp Implications) coveredIn(byName map[string]string, need string) (by string, ok bool) {
	if by, ok = byName[imp.names.of(need)]; ok {
		return by, true
	}
	for scope := range imp.Covering(imp.names.plain(need)) {
		if by, ok = byName[imp.names.of(scope)]; ok {
			return by, true
		}
	}
	return "", false
}

// Among is the name under which a set has a scope, which may be another name of the same scope; what
// implies it does not count.
func (imp Implications) Among(set Set, scope string) (as string, ok bool) {
	if set.Has(scope) {
		return scope, true
	}
	return Implications{names: imp.names}.coveredByName(set, scope)
}
