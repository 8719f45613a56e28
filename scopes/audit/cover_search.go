package audit

import "slices"

// A coverSearch is a depth-first branch and bound over one part of the problem.
type coverSearch struct {
	*coverProblem
	needs  []coverNeed
	taken  []bool // by scope
	chosen []int
	best   []int // sorted
	least  int   // the lowest privilege cost that a further scope can add
	steps  int   // how many more may be taken; 0 or less: cut off
}

// solve returns the best set for the needs of one part, sorted.
func (s *coverSearch) solve(needs []coverNeed) []int {
	if ids, plain := s.plain(needs); plain {
		return ids
	}
	s.needs, s.taken = needs, make([]bool, len(s.scopes))
	for _, need := range needs {
		for _, id := range slices.Concat(need...) {
			for _, by := range s.coverers[id] {
				s.least = min(s.least, -s.rank[by])
			}
		}
	}
	s.best = s.greedy()
	s.branch()
	return s.best
}

// plain answers where there is no choice, which is most parts of most problems.
func (s *coverSearch) plain(needs []coverNeed) (ids []int, ok bool) {
	for _, need := range needs {
		if len(need) > 1 {
			return nil, false
		}
		for _, id := range need[0] {
			if len(s.coverers[id]) > 1 {
				return nil, false
			}
		}
		ids = append(ids, need[0]...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), true
}

// met reports whether a scope is covered by what is chosen.
func (s *coverSearch) met(id int) bool {
	return slices.ContainsFunc(s.coverers[id], func(by int) bool { return s.taken[by] })
}

func (s *coverSearch) needMet(need coverNeed) bool {
	return slices.ContainsFunc(need, func(all []int) bool { return s.lacking(all) < 0 })
}

// lacking is the first scope of all that is not met, or -1.
func (s *coverSearch) lacking(all []int) int {
	for _, id := range all {
		if !s.met(id) {
			return id
		}
	}
	return -1
}

// greedy meets one need after the other by its cheapest alternative: the answer where
// the search is cut off at once, and the first bound where it is not.
func (s *coverSearch) greedy() []int {
	for _, need := range s.needs {
		if s.needMet(need) {
			continue
		}
		cheapest := slices.MinFunc(need, func(a, b []int) int {
			return s.costOf(s.missing(a)).compare(s.costOf(s.missing(b)))
		})
		for _, id := range s.missing(cheapest) {
			s.taken[id] = true
		}
	}
	var all []int
	for id, taken := range s.taken {
		if taken {
			all = append(all, id)
		}
	}
	clear(s.taken)
	return s.thin(all)
}

func (s *coverSearch) missing(all []int) []int {
	var ids []int
	for _, id := range all {
		if !s.met(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// thin drops what is not needed, the most privileged first. It works up to the size
// at which each try costs too much.
func (s *coverSearch) thin(ids []int) []int {
	if len(ids)*len(s.needs) > maxCoverSteps {
		return ids
	}
	for _, id := range ids {
		s.taken[id] = true
	}
	order := slices.Clone(ids)
	slices.SortStableFunc(order, func(a, b int) int { return s.rank[a] - s.rank[b] })
	for _, id := range order {
		s.taken[id] = false
		if slices.ContainsFunc(s.needs, func(n coverNeed) bool { return !s.needMet(n) }) {
			s.taken[id] = true
		}
	}
	ids = slices.DeleteFunc(ids, func(id int) bool { return !s.taken[id] })
	clear(s.taken)
	return ids
}

// branch meets the open need with the fewest ways, each way in turn.
func (s *coverSearch) branch() {
	if s.steps -= len(s.needs); s.steps <= 0 {
		return
	}
	open, bound := s.open()
	if open == nil {
		s.keep()
		return
	}
	if !s.worthwhile(bound) {
		return
	}
	for _, all := range open {
		s.fill(all)
	}
}

// fill takes what the alternative lacks, each lacking scope by each that covers it.
func (s *coverSearch) fill(all []int) {
	id := s.lacking(all)
	if id < 0 {
		s.branch()
		return
	}
	if s.steps--; s.steps <= 0 || !s.worthwhile(1) {
		return
	}
	for _, by := range s.coverers[id] {
		s.taken[by], s.chosen = true, append(s.chosen, by)
		s.fill(all)
		s.taken[by], s.chosen = false, s.chosen[:len(s.chosen)-1]
	}
}

// open is the open need with the fewest ways, and how many more scopes it takes at
// the least: one for each of a number of needs of which no two share a candidate.
func (s *coverSearch) open() (coverNeed, int) {
	var open coverNeed
	ways, bound := 0, 0
	used := make([]bool, len(s.scopes))
	for _, need := range s.needs {
		if s.needMet(need) {
			continue
		}
		count, shared := 0, false
		for _, all := range need {
			for _, id := range all {
				for _, by := range s.coverers[id] {
					count++
					shared = shared || used[by]
				}
			}
		}
		if open == nil || count < ways {
			open, ways = need, count
		}
		if shared {
			continue
		}
		bound++
		for _, all := range need {
			for _, id := range all {
				for _, by := range s.coverers[id] {
					used[by] = true
				}
			}
		}
	}
	return open, bound
}

// worthwhile reports whether at least more scopes on top of the chosen can make a set
// that is better than the best, or as good and earlier in byte order.
func (s *coverSearch) worthwhile(more int) bool {
	c := s.costOf(s.chosen)
	c.size += more
	c.privilege += more * s.least
	best := s.costOf(s.best)
	if c.size != best.size {
		return c.size < best.size
	}
	return c.privilege <= best.privilege
}

// keep takes the chosen set where it is better than the best.
func (s *coverSearch) keep() {
	found := slices.Sorted(slices.Values(s.chosen))
	c := s.costOf(found).compare(s.costOf(s.best))
	if c < 0 || c == 0 && slices.Compare(found, s.best) < 0 {
		s.best = found
	}
}
