package refusal

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A Group are scopes of which any one is enough.
type Group []string

func each(list []string) []Group {
	var groups []Group
	for _, scope := range list {
		groups = append(groups, Group{scope})
	}
	return groups
}

// maxGroups bounds how many alternatives are told apart, and how many groups they are made into.
const maxGroups = 64

// eachOf are the groups that say the same as alternatives, in each of which everything is needed:
// a, or b and c, is one of a, b and one of a, c. Of very many it says less: one of all.
func eachOf(alternatives [][]string) []Group {
	groups := []Group{nil}
	if len(alternatives) > maxGroups {
		return []Group{scopes.NewSet(slices.Concat(alternatives...)...).Slice()}
	}
	for _, all := range alternatives {
		if len(all) == 0 {
			continue
		}
		if len(groups)*len(all) > maxGroups {
			return []Group{scopes.NewSet(slices.Concat(alternatives...)...).Slice()}
		}
		var longer []Group
		for _, group := range groups {
			for _, scope := range all {
				longer = append(longer, scopes.NewSet(append(slices.Clone(group), scope)...).Slice())
			}
		}
		groups = longer
	}
	return slices.DeleteFunc(slices.Clone(groups), func(group Group) bool {
		return slices.ContainsFunc(groups, func(other Group) bool { return len(other) < len(group) && isWithin(other, group) })
	})
}

// isWithin reports whether a group has all of another.
func isWithin(part, whole Group) bool {
	return !slices.ContainsFunc(part, func(scope string) bool { return !slices.Contains(whole, scope) })
}

// mergeLists makes one of what is said twice: what stands in a challenge, and in a list beside it
// of which any one is enough.
func (r *Reading) mergeLists() {
	for _, list := range r.lists {
		if !slices.ContainsFunc(r.Needs, func(group Group) bool { return len(group) > 1 && isWithin(list, group) }) {
			continue
		}
		r.Needs = slices.DeleteFunc(r.Needs, func(group Group) bool { return len(group) == 1 && slices.Contains(list, group[0]) })
	}
}

// note keeps whether a list leaves a doubt: nothing says whether all of it is needed, or any one
// is enough.
func (r *Reading) note(groups []Group, firm bool) {
	switch all := names(groups); {
	case len(all) < len(groups) || slices.ContainsFunc(groups, func(group Group) bool { return len(group) > 1 }):
	case firm || len(groups) == 1:
		r.firm = append(r.firm, all[:min(len(all), max(0, maxTexts-len(r.firm)))]...)
	case len(r.open) < maxOpen:
		r.open = append(r.open, all[:min(len(all), maxGroups)])
	}
}

// maxOpen bounds how many lists are kept that leave a doubt.
const maxOpen = 8

// InDoubt reports whether a scope that the response names may not be needed: it stands in a list
// that does not say whether all of it is needed, or any one is enough, and has another that is held.
func (r Reading) InDoubt(group Group, held func(Group) bool) bool {
	if len(group) != 1 || slices.Contains(r.firm, group[0]) {
		return false
	}
	return slices.ContainsFunc(r.open, func(list Group) bool {
		return slices.Contains(list, group[0]) && slices.ContainsFunc(each(list), held)
	})
}

// unique are the groups, each once. Of a scope and its twin for administrators either is enough.
func unique(groups []Group) []Group {
	var list []Group
	for i, group := range groups {
		twin := slices.IndexFunc(groups, func(other Group) bool { return len(group) == 1 && len(other) == 1 && other[0] == group[0]+":admin" })
		if twin >= 0 {
			groups[i], groups[twin] = append(group, groups[twin]...), append(group, groups[twin]...)
		}
	}
	for _, group := range groups {
		group = scopes.NewSet(group...).Slice()
		if !slices.ContainsFunc(list, func(other Group) bool { return slices.Equal(other, group) }) {
			list = append(list, group)
		}
	}
	return list
}

// A join is what joins a scope to the one before it.
type join int

const (
	joinNone    join = iota // a comma, or nothing
	joinOr                  // any one of both is enough
	joinAnd                 // both are needed
	joinBesides             // and, behind a comma
)

// joined are the groups of scopes with words between them.
func joined(run Group, joins []join) []Group {
	switch or := slices.Contains(joins[1:], joinOr); {
	case !or:
		return each(run)
	case !slices.Contains(joins[1:], joinAnd):
		return []Group{run}
	}
	alternatives := [][]string{nil}
	for i, scope := range run {
		if last := len(alternatives) - 1; i == 0 || joins[i] != joinOr {
			alternatives[last] = append(alternatives[last], scope)
		} else {
			alternatives = append(alternatives, []string{scope})
		}
	}
	return eachOf(alternatives)
}
