package audit

import (
	"maps"
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
}

// cover returns a small set of scopes that, with what is held, meets all that is wanted, and
// of which no scope can be left out. It chooses among the scopes that what is wanted names:
// one that covers more than it is asked for is not brought in to save words, and * is in no
// answer where something else would do. Of several sets it takes, in this order, the one
//
//   - with the fewest scopes;
//   - with the least privilege: the more scopes cover a scope by implication, the less
//     it permits (x:read before x:write);
//   - whose scopes are accepted by the fewest operations;
//   - with the most scopes of prefer;
//   - that comes first in byte order.
//
// The sets among which it chooses are found greedily, see [coverPart]. A search that proves
// there is no smaller one was tried: it changed no answer for a real API.
func cover(q coverQuestion) scopes.Set {
	p := newCoverProblem(q)
	var answer []string
	parts := p.parts()
	for _, goals := range parts {
		part := coverPart{coverProblem: p, goals: goals, steps: maxCoverSteps / len(parts)}
		for _, id := range part.solve() {
			answer = append(answer, p.scopes[id])
		}
	}
	return scopes.NewSet(answer...).Sorted()
}

// A coverProblem is the question in numbers: a scope is its place in byte order.
type coverProblem struct {
	scopes   []string
	rank     []int   // how little the scope permits: how many scopes cover it, at most 64
	accepted []int   // see coverQuestion
	prefer   []bool  // is it in prefer?
	coverers [][]int // which scopes meet it: itself and those that imply it, sorted
	goals    []coverGoal
	touched  [][]int // by scope: the goals of which it covers a word
	taken    []bool  // by scope: is it in the set that is being made?
}

// A coverGoal is met by all of one of its ways.
type coverGoal [][]int

func newCoverProblem(q coverQuestion) *coverProblem {
	p := &coverProblem{}
	open := q.unmet()
	for _, ways := range open {
		p.scopes = append(p.scopes, slices.Concat(ways...)...)
	}
	p.scopes = slices.Compact(slices.Sorted(slices.Values(p.scopes)))
	id := make(map[string]int, len(p.scopes))
	for i, scope := range p.scopes {
		id[scope] = i
	}
	for i, scope := range p.scopes {
		rank, by := 0, []int{i}
		for from := range q.implies.Covering(scope) {
			rank++
			if at, named := id[from]; named {
				by = append(by, at)
			}
		}
		slices.Sort(by)
		p.rank, p.coverers, p.prefer = append(p.rank, rank), append(p.coverers, by), append(p.prefer, q.prefer.Has(scope))
		p.accepted = append(p.accepted, q.accepted[scope])
	}
	p.taken, p.touched = make([]bool, len(p.scopes)), make([][]int, len(p.scopes))
	for _, ways := range open {
		p.add(ways, id)
	}
	return p
}

// add files a goal. A word that another one of the same way covers asks for nothing.
func (p *coverProblem) add(ways [][]string, id map[string]int) {
	goal := make(coverGoal, len(ways))
	for i, all := range ways {
		for _, scope := range all {
			goal[i] = append(goal[i], id[scope])
		}
		all := slices.Clone(goal[i])
		goal[i] = slices.DeleteFunc(goal[i], func(id int) bool {
			return slices.ContainsFunc(p.coverers[id], func(by int) bool { return by != id && slices.Contains(all, by) })
		})
		for _, id := range goal[i] {
			for _, by := range p.coverers[id] {
				if list := p.touched[by]; len(list) == 0 || list[len(list)-1] != len(p.goals) {
					p.touched[by] = append(list, len(p.goals))
				}
			}
		}
	}
	p.goals = append(p.goals, goal)
}

// unmet is what of the wanted is not met by what is held: as ways that name what is missing,
// each once, in a fixed order.
func (q *coverQuestion) unmet() [][][]string {
	seen := make(map[string][][]string)
	for _, anyOf := range q.wanted {
		if len(anyOf) == 0 || metBy(anyOf, q.held, q.implies) {
			continue
		}
		ways := make([][]string, 0, len(anyOf))
		for _, all := range anyOf {
			ways = append(ways, slices.Compact(slices.Sorted(slices.Values(missing(all, q.held, q.implies)))))
		}
		if lesser := slices.DeleteFunc(slices.Clone(ways), func(all []string) bool { return slices.Contains(all, everything) }); len(lesser) > 0 {
			ways = lesser
		}
		slices.SortFunc(ways, slices.Compare)
		ways = slices.CompactFunc(ways, slices.Equal)
		seen[coverKey(ways)] = ways
	}
	list := make([][][]string, 0, len(seen))
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		list = append(list, seen[key])
	}
	return list
}

// coverKey is the same for equal ways: no scope holds a space or a line's end.
func coverKey(ways [][]string) string {
	var key []byte
	for _, all := range ways {
		for _, scope := range all {
			key = append(append(key, scope...), ' ')
		}
		key = append(key, '\n')
	}
	return string(key)
}

// parts splits the goals into groups that share no scope: each is solved alone, and most
// have one goal.
func (p *coverProblem) parts() [][]int {
	group := make([]int, len(p.scopes))
	for i := range group {
		group[i] = i
	}
	find := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	for _, goal := range p.goals {
		for _, id := range slices.Concat(goal...) {
			for _, by := range p.coverers[id] {
				group[find(by)] = find(goal[0][0])
			}
		}
	}
	var parts [][]int
	place := make(map[int]int)
	for i, goal := range p.goals {
		root := find(goal[0][0])
		at, there := place[root]
		if !there {
			at = len(parts)
			place[root] = at
			parts = append(parts, nil)
		}
		parts[at] = append(parts[at], i)
	}
	return parts
}
