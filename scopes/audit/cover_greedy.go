package audit

import (
	"cmp"
	"slices"
)

// maxCoverSteps bounds the search, for hostile documents can pose problems that take hours.
// A step looks at one goal. A real API takes some thousands.
const maxCoverSteps = 1_000_000

// A coverPart is one part of the problem, and a search for the set that meets it: ways are
// taken one after the other, the one that meets the most goals for each scope first, and then
// what turned out to be superfluous is left out. The search begins anew with each of the ways,
// for the first step is the one that is most often wrong.
type coverPart struct {
	*coverProblem
	goals []int
	steps int // how many more may be taken; 0 or less: the rest is met in its order
}

// solve returns the best of the sets that were found, sorted.
func (p *coverPart) solve() []int {
	best := p.greedy(nil)
	if len(p.goals) == 1 {
		return best
	}
	for _, goal := range p.goals {
		for _, way := range p.coverProblem.goals[goal] {
			if p.steps <= 0 {
				return best
			}
			if other := p.greedy(way); p.compare(other, best) < 0 {
				best = other
			}
		}
	}
	return best
}

// greedy makes a set that meets the goals, beginning with the given scopes.
func (p *coverPart) greedy(first []int) []int {
	chosen := p.take(nil, first)
	for unmet := p.unmet(p.goals); len(unmet) > 0 && p.steps > 0; unmet = p.unmet(unmet) {
		chosen = p.take(chosen, p.bestWay(unmet))
	}
	for _, goal := range p.goals {
		if !p.met(goal) {
			chosen = p.take(chosen, p.bestWay([]int{goal}))
		}
	}
	slices.SortStableFunc(chosen, func(a, b int) int { return cmp.Or(p.rank[a]-p.rank[b], a-b) })
	chosen = slices.DeleteFunc(chosen, func(id int) bool { // what permits the most is left out first
		p.taken[id] = false
		p.taken[id] = slices.ContainsFunc(p.touched[id], func(goal int) bool { return !p.met(goal) })
		return !p.taken[id]
	})
	for _, id := range chosen {
		p.taken[id] = false
	}
	slices.Sort(chosen)
	return chosen
}

func (p *coverPart) take(chosen, ids []int) []int {
	for _, id := range ids {
		p.taken[id] = true
	}
	return append(chosen, ids...)
}

// bestWay is the one that meets the most goals for each scope that it takes; of several, the
// one that costs the least.
func (p *coverPart) bestWay(unmet []int) []int {
	var best []int
	most := 0
	for _, goal := range unmet {
		if best != nil && p.steps <= 0 {
			break
		}
		for _, way := range p.coverProblem.goals[goal] {
			ids := p.missing(way)
			gain := p.gain(ids)
			if order := cmp.Or(cmp.Compare(most*len(ids), gain*len(best)), p.compare(ids, best)); best == nil || order < 0 {
				best, most = ids, gain
			}
		}
	}
	return best
}

// gain is how many goals more are met with the given scopes.
func (p *coverPart) gain(ids []int) int {
	var goals []int
	for _, id := range ids {
		for _, goal := range p.touched[id] {
			if p.steps--; !p.met(goal) {
				goals = append(goals, goal)
			}
		}
	}
	slices.Sort(goals)
	p.take(nil, ids)
	gain := len(slices.DeleteFunc(slices.Compact(goals), func(goal int) bool { return !p.met(goal) }))
	for _, id := range ids {
		p.taken[id] = false
	}
	return gain
}

func (p *coverProblem) unmet(goals []int) []int {
	return slices.DeleteFunc(slices.Clone(goals), p.met)
}

// met reports whether what is taken meets a goal.
func (p *coverProblem) met(goal int) bool {
	return slices.ContainsFunc(p.goals[goal], func(way []int) bool { return len(p.missing(way)) == 0 })
}

// missing is what of all is not covered by what is taken.
func (p *coverProblem) missing(all []int) []int {
	var ids []int
	for _, id := range all {
		if !slices.ContainsFunc(p.coverers[id], func(by int) bool { return p.taken[by] }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// compare orders sets, the better one first, as [cover] says.
func (p *coverProblem) compare(a, b []int) int {
	costA, costB := p.cost(a), p.cost(b)
	return cmp.Or(slices.Compare(costA[:], costB[:]), slices.Compare(a, b))
}

// cost is what a set costs, the gravest first: its size, how much it permits, how many
// operations accept it, how much of it is not preferred.
func (p *coverProblem) cost(ids []int) (cost [4]int) {
	cost[0] = len(ids)
	for _, id := range ids {
		cost[1] -= p.rank[id]
		cost[2] += p.accepted[id]
		if !p.prefer[id] {
			cost[3]++
		}
	}
	return cost
}
