package audit

import (
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A coverQuestion is all that [cover] weighs.
type coverQuestion struct {
	wanted  [][][]string // each as in [Requirement.AnyOf]
	implies scopes.Implications
	held    scopes.Set // there already, at no cost; not part of the answer
	prefer  scopes.Set // taken where it makes no other difference: what is declared today
	// accepted says for how many operations, in use or not, a scope would do: the more, the
	// more it permits. nil: not known.
	accepted map[string]int
	special  func(scope string) bool // taken only where nothing else would do; nil: none is
}

// cover returns a small set of scopes that, with what is held, meets all that is wanted. No
// scope of the set can be left out. It consists of scopes that what is wanted names: one that
// covers more is not brought in to save words, and * is in no answer where something else would
// do. Of several sets it takes, in this order, the one
//
//   - with the fewest scopes;
//   - with the least privilege: the more scopes cover a scope by implication, the less
//     it permits (x:read before x:write);
//   - whose scopes are accepted by the fewest operations;
//   - with the most scopes of prefer;
//   - that comes first in byte order.
//
// The sets are found greedily, see [coverSearch.solve], so a smaller one may exist. A search
// that excludes this was tried: it changed no answer for a real API.
func cover(q coverQuestion) scopes.Set {
	s := newCoverSearch(q)
	parts := s.parts()
	var answer []string
	for _, goals := range parts {
		s.steps = maxCoverSteps / len(parts)
		for _, id := range s.solve(goals) {
			answer = append(answer, s.scopes[id])
		}
	}
	return scopes.NewSet(answer...).Sorted()
}

// A coverSearch is the question in numbers: a scope is its place in byte order.
type coverSearch struct {
	coverQuestion
	scopes   []string
	rank     []int     // how little the scope permits: how many scopes cover it, at most 64
	coverers [][]int   // which scopes meet it: itself, and those that imply it
	goals    [][][]int // what is wanted and not held: ways; all scopes of one way are enough
	touched  [][]int   // by scope: the goals that it helps to meet
	taken    []bool    // by scope: is it in the set that is being made?
	steps    int       // how many more may be taken; 0 or less: the rest is met in its order
}

func newCoverSearch(q coverQuestion) *coverSearch {
	s := &coverSearch{coverQuestion: q}
	unmet := q.unmet()
	for _, ways := range unmet {
		s.scopes = append(s.scopes, slices.Concat(ways...)...)
	}
	slices.Sort(s.scopes)
	s.scopes = slices.Compact(s.scopes)
	s.rank, s.coverers = make([]int, len(s.scopes)), make([][]int, len(s.scopes))
	s.touched, s.taken = make([][]int, len(s.scopes)), make([]bool, len(s.scopes))
	for id, scope := range s.scopes {
		s.coverers[id] = []int{id}
		for by := range q.implies.Covering(scope) {
			s.rank[id]++
			if at, wanted := slices.BinarySearch(s.scopes, by); wanted {
				s.coverers[id] = append(s.coverers[id], at)
			}
		}
	}
	for _, ways := range unmet {
		s.add(ways)
	}
	return s
}

// add files a goal. A word that another one of the same way covers asks for nothing.
func (s *coverSearch) add(ways [][]string) {
	goal := make([][]int, len(ways))
	for i, words := range ways {
		var all []int
		for _, word := range words {
			id, _ := slices.BinarySearch(s.scopes, word)
			all = append(all, id)
		}
		for _, id := range all {
			if !slices.ContainsFunc(s.coverers[id][1:], func(by int) bool { return slices.Contains(all, by) }) {
				goal[i] = append(goal[i], id)
			}
		}
		for _, id := range goal[i] {
			for _, by := range s.coverers[id] {
				s.touched[by] = append(s.touched[by], len(s.goals))
			}
		}
	}
	s.goals = append(s.goals, goal)
}

// unmet is what of the wanted is not met by what is held: as ways that name what is missing,
// each once, in a fixed order.
func (q *coverQuestion) unmet() [][][]string {
	var unmet [][][]string
	for _, anyOf := range q.wanted {
		if len(anyOf) == 0 || metBy(anyOf, q.held, q.implies) {
			continue
		}
		var ways [][]string
		for _, all := range anyOf {
			ways = append(ways, slices.Compact(slices.Sorted(slices.Values(missing(all, q.held, q.implies)))))
		}
		ways = waysWithout(ways, func(scope string) bool { return scope == everything })
		if q.special != nil {
			ways = waysWithout(ways, q.special)
		}
		slices.SortFunc(ways, slices.Compare)
		unmet = append(unmet, q.lesser(slices.CompactFunc(ways, slices.Equal)))
	}
	slices.SortFunc(unmet, compareWays)
	return slices.CompactFunc(unmet, func(a, b [][]string) bool { return compareWays(a, b) == 0 })
}

// waysWithout are the ways that lack no scope of a kind; all of them where there is none.
func waysWithout(ways [][]string, kind func(scope string) bool) [][]string {
	lesser := slices.DeleteFunc(slices.Clone(ways), func(all []string) bool { return slices.ContainsFunc(all, kind) })
	if len(lesser) == 0 {
		return ways
	}
	return lesser
}

// maxCompared bounds the ways that are compared with each other; the most that a real operation has
// is some ten.
const maxCompared = 50

// lesser leaves out ways that permit all that another one does, and more. Taken for another goal,
// their scopes meet this one as well, for they cover what it names.
func (q *coverQuestion) lesser(ways [][]string) [][]string {
	if len(ways) < 2 || len(ways) > maxCompared {
		return ways
	}
	covers := func(a, b []string) bool { return len(missing(b, scopes.NewSet(a...), q.implies)) == 0 }
	return slices.DeleteFunc(slices.Clone(ways), func(way []string) bool {
		return slices.ContainsFunc(ways, func(other []string) bool { return covers(way, other) && !covers(other, way) })
	})
}

func compareWays(a, b [][]string) int { return slices.CompareFunc(a, b, slices.Compare) }

// parts splits the goals into groups that share no scope: each is solved alone, and most
// have one goal.
func (s *coverSearch) parts() [][]int {
	group := make([]int, len(s.scopes)) // a scope of the same group, or itself where it is the first
	for id := range group {
		group[id] = id
	}
	first := func(id int) int {
		for group[id] != id {
			group[id] = group[group[id]]
			id = group[id]
		}
		return id
	}
	for _, goal := range s.goals {
		for _, id := range slices.Concat(goal...) {
			for _, by := range s.coverers[id] {
				group[first(by)] = first(goal[0][0])
			}
		}
	}
	byGroup := make([][]int, len(s.scopes))
	for i, goal := range s.goals {
		at := first(goal[0][0])
		byGroup[at] = append(byGroup[at], i)
	}
	return slices.DeleteFunc(byGroup, func(goals []int) bool { return len(goals) == 0 })
}
