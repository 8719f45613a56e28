package audit

import (
	"cmp"
	"slices"
)

// maxCoverSteps bounds the search, for hostile documents can pose problems that take hours.
// A step looks at one goal. A real API takes some thousands.
const maxCoverSteps = 1_000_000

// solve returns the best set that it finds for the goals of a part, sorted. Ways are taken one
// after the other, the one that meets the most goals for each scope first, and then what turned
// out to be superfluous is left out. That begins anew with each of the ways, for the first step
// is the one that is most often wrong.
func (s *coverSearch) solve(goals []int) []int {
	best := s.greedy(goals, nil)
	if len(goals) == 1 {
		return best
	}
	for _, goal := range goals {
		for _, way := range s.goals[goal] {
			if s.steps <= 0 {
				return best
			}
			if other := s.greedy(goals, way); s.compare(other, best) < 0 {
				best = other
			}
		}
	}
	return best
}

// greedy makes a set that meets the goals, beginning with the given scopes.
func (s *coverSearch) greedy(goals, first []int) []int {
	chosen := slices.Clone(first)
	s.mark(first, true)
	take := func(ids []int) {
		chosen = append(chosen, ids...)
		s.mark(ids, true)
	}
	for unmet := s.unmetOf(goals); len(unmet) > 0 && s.steps > 0; unmet = s.unmetOf(unmet) {
		take(s.bestWay(unmet))
	}
	for _, goal := range goals {
		if !s.met(goal) {
			take(s.bestWay([]int{goal}))
		}
	}
	slices.SortFunc(chosen, func(a, b int) int { return cmp.Or(s.rank[a]-s.rank[b], a-b) })
	chosen = slices.DeleteFunc(chosen, func(id int) bool { // what permits the most is left out first
		s.taken[id] = false
		s.taken[id] = slices.ContainsFunc(s.touched[id], func(goal int) bool { return !s.met(goal) })
		return !s.taken[id]
	})
	s.mark(chosen, false)
	slices.Sort(chosen)
	return chosen
}

func (s *coverSearch) mark(ids []int, taken bool) {
	for _, id := range ids {
		s.taken[id] = taken
	}
}

// bestWay is the one that meets the most goals for each scope that it takes; of several, the
// one that costs the least.
func (s *coverSearch) bestWay(unmet []int) []int {
	var best []int
	most := 0
	for _, goal := range unmet {
		if best != nil && s.steps <= 0 {
			break
		}
		for _, way := range s.goals[goal] {
			ids := s.missing(way)
			gain := s.gain(ids)
			if order := cmp.Or(cmp.Compare(most*len(ids), gain*len(best)), s.compare(ids, best)); best == nil || order < 0 {
				best, most = ids, gain
			}
		}
	}
	return best
}

// gain is how many goals more are met with the given scopes.
func (s *coverSearch) gain(ids []int) int {
	var goals []int
	for _, id := range ids {
		s.steps -= len(s.touched[id])
		goals = append(goals, s.unmetOf(s.touched[id])...)
	}
	slices.Sort(goals)
	goals = slices.Compact(goals)
	s.mark(ids, true)
	gain := len(goals) - len(s.unmetOf(goals))
	s.mark(ids, false)
	return gain
}

func (s *coverSearch) unmetOf(goals []int) []int {
	return slices.DeleteFunc(slices.Clone(goals), s.met)
}

// met reports whether what is taken meets a goal.
func (s *coverSearch) met(goal int) bool {
	return slices.ContainsFunc(s.goals[goal], func(way []int) bool { return len(s.missing(way)) == 0 })
}

// missing is what of all is not covered by what is taken.
func (s *coverSearch) missing(all []int) []int {
	var ids []int
	for _, id := range all {
		if !slices.ContainsFunc(s.coverers[id], func(by int) bool { return s.taken[by] }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// compare orders sets, the better one first, as [cover] says.
func (s *coverSearch) compare(a, b []int) int {
	costA, costB := s.cost(a), s.cost(b)
	return cmp.Or(slices.Compare(costA[:], costB[:]), slices.Compare(a, b))
}

// cost is what a set costs, the gravest first: its size, how much it permits, how many
// operations accept it, how much of it is not preferred.
func (s *coverSearch) cost(ids []int) (cost [4]int) {
	cost[0] = len(ids)
	for _, id := range ids {
		cost[1] -= s.rank[id]
		cost[2] += s.accepted[s.scopes[id]]
		if !s.prefer.Has(s.scopes[id]) {
			cost[3]++
		}
	}
	return cost
}
