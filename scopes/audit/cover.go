package audit

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ambit-auth/ambit/scopes"
)

// A CoverQuestion is all that [Cover] weighs.
type CoverQuestion struct {
	Requirements []Requirement
	Implies      scopes.Implications
	Held         scopes.Set // there already, at no cost; not part of the answer
	Prefer       scopes.Set // taken where it makes no other difference: what is declared today
	// Accepted tells for how many operations, in use or not, a scope would do: the more, the
	// more it permits. nil: not known.
	Accepted map[string]int
}

// A Covering is a set of scopes that meets every need.
type Covering struct {
	Scopes scopes.Set // sorted
	Least  bool       // false: the search was cut off, and a smaller set may exist
}

// maxCoverSteps bounds the search, for hostile documents can pose a covering problem
// that takes years. A step looks at one need. Those of real APIs fall apart into parts
// of a few scopes and take some hundreds; this many take under a second.
const maxCoverSteps = 50_000_000

// Cover returns the smallest set of scopes that, with what is held, meets every need.
// It chooses among the scopes that the needs that are not met yet lack: one that covers
// more than it is asked for is not brought in to save words, and * stands in no answer
// where something else would do. Of several smallest sets it
// takes, in this order, the one
//
//   - with the least privilege: the more scopes cover a scope by implication, the less
//     it permits (x:read before x:write);
//   - whose scopes are accepted by the fewest operations;
//   - with the most scopes of Prefer;
//   - that comes first in byte order.
//
// The answer is exact, by branch and bound over parts that share no scope, unless the
// problem is larger than any known API's: then Least is false and the set is good,
// found greedily and bettered as far as the bound on the work allows.
func Cover(q CoverQuestion) Covering {
	problem := newCoverProblem(q)
	answer, least, steps := []string{}, true, maxCoverSteps
	for _, part := range problem.parts() {
		s := &coverSearch{coverProblem: problem, steps: steps}
		best := s.solve(part)
		least, steps = least && s.steps > 0, max(s.steps, 0)
		for _, id := range best {
			answer = append(answer, problem.scopes[id])
		}
	}
	return Covering{Scopes: scopes.NewSet(answer...).Sorted(), Least: least}
}

// A coverProblem is the question in numbers: a scope is its place in byte order.
type coverProblem struct {
	scopes   []string
	rank     []int   // how little the scope permits: how many scopes cover it, at most 64
	accepted []int   // see CoverQuestion
	prefer   []bool  // is it in Prefer?
	coverers [][]int // which scopes meet it: itself and those that imply it, sorted
	needs    []coverNeed
}

// A coverNeed is met by all of one of its alternatives.
type coverNeed [][]int

func newCoverProblem(q CoverQuestion) *coverProblem {
	p := &coverProblem{}
	open := openNeeds(q)
	for _, alternatives := range open {
		p.scopes = append(p.scopes, slices.Concat(alternatives...)...)
	}
	p.scopes = slices.Compact(slices.Sorted(slices.Values(p.scopes)))
	id := make(map[string]int, len(p.scopes))
	for i, scope := range p.scopes {
		id[scope] = i
	}
	for i, scope := range p.scopes {
		rank, by := 0, []int{i}
		for from := range q.Implies.Covering(scope) {
			rank++
			if at, named := id[from]; named {
				by = append(by, at)
			}
		}
		slices.Sort(by)
		p.rank, p.coverers, p.prefer = append(p.rank, rank), append(p.coverers, by), append(p.prefer, q.Prefer.Has(scope))
		p.accepted = append(p.accepted, q.Accepted[scope])
	}
	for _, alternatives := range open {
		need := make(coverNeed, len(alternatives))
		for i, all := range alternatives {
			for _, scope := range all {
				need[i] = append(need[i], id[scope])
			}
		}
		p.needs = append(p.needs, need)
	}
	return p
}

// openNeeds are the needs that what is held does not meet, as alternatives of what
// lacks, each once, in a fixed order.
func openNeeds(q CoverQuestion) [][][]string {
	seen := make(map[string][][]string)
	for i := range q.Requirements {
		n := &q.Requirements[i]
		if n.Silent() || n.MetBy(q.Held, q.Implies) {
			continue
		}
		alternatives := make([][]string, 0, len(n.AnyOf))
		for _, all := range n.AnyOf {
			missing := slices.Sorted(slices.Values(lacks(all, q.Held, q.Implies)))
			alternatives = append(alternatives, slices.Compact(missing))
		}
		if lesser := slices.DeleteFunc(slices.Clone(alternatives), func(all []string) bool { return slices.Contains(all, wholeScope) }); len(lesser) > 0 {
			alternatives = lesser
		}
		slices.SortFunc(alternatives, slices.Compare)
		alternatives = slices.CompactFunc(alternatives, slices.Equal)
		seen[coverKey(alternatives)] = alternatives
	}
	open := make([][][]string, 0, len(seen))
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		open = append(open, seen[key])
	}
	return open
}

// coverKey is the same for equal alternatives: a blank and a line's end stand in no scope.
func coverKey(alternatives [][]string) string {
	var key []byte
	for _, all := range alternatives {
		for _, scope := range all {
			key = append(append(key, scope...), ' ')
		}
		key = append(key, '\n')
	}
	return string(key)
}

// parts splits the needs into groups that share no candidate: each is solved alone,
// and most have one need.
func (p *coverProblem) parts() [][]coverNeed {
	group := make([]int, len(p.scopes))
	for i := range group {
		group[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if group[i] != i {
			group[i] = find(group[i])
		}
		return group[i]
	}
	for _, need := range p.needs {
		for _, id := range slices.Concat(need...) {
			for _, by := range p.coverers[id] {
				group[find(by)] = find(need[0][0])
			}
		}
	}
	var parts [][]coverNeed
	place := make(map[int]int)
	for _, need := range p.needs {
		root := find(need[0][0])
		at, there := place[root]
		if !there {
			at = len(parts)
			place[root] = at
			parts = append(parts, nil)
		}
		parts[at] = append(parts[at], need)
	}
	return parts
}

// A coverCost orders sets: by the number of scopes, then by privilege, by how many
// operations accept them, and by how many are not preferred.
type coverCost struct{ size, privilege, accepted, strange int }

func (c coverCost) compare(d coverCost) int {
	return cmp.Or(cmp.Compare(c.size, d.size), cmp.Compare(c.privilege, d.privilege), cmp.Compare(c.accepted, d.accepted), cmp.Compare(c.strange, d.strange))
}

func (p *coverProblem) costOf(ids []int) coverCost {
	c := coverCost{size: len(ids)}
	for _, id := range ids {
		c.privilege -= p.rank[id]
		c.accepted += p.accepted[id]
		if !p.prefer[id] {
			c.strange++
		}
	}
	return c
}
