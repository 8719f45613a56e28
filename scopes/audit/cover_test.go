package audit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/google/go-cmp/cmp"
)

// evidenceOf makes a need of each line: alternatives with | between them, scopes with blanks.
func evidenceOf(lines ...string) []audit.Requirement {
	var list []audit.Requirement
	for i, line := range lines {
		n := audit.Requirement{Operation: scopes.Operation{Tool: fmt.Sprintf("t%d", i)}}
		for alternative := range strings.SplitSeq(line, "|") {
			n.AnyOf = append(n.AnyOf, strings.Fields(alternative))
		}
		list = append(list, n)
	}
	return list
}

func writeCoversRead(t testing.TB) scopes.Implications {
	t.Helper()
	imp, err := scopes.NewImplications([]scopes.Rule{
		{Scope: "{x}:write", Covers: []string{"{x}:read"}},
		{Scope: "*", Covers: []string{"{x}:read", "{x}:write"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

func TestCover(t *testing.T) {
	for _, c := range []struct {
		name           string
		needs          []string
		held, prefer   []string
		want           string
		accepted       map[string]int
		noImplications bool
	}{
		{name: "nothing needed", want: ""},
		{name: "all of them", needs: []string{"a b", "b c"}, want: "a b c"},
		{name: "a write covers the read", needs: []string{"x:read", "x:write"}, want: "x:write"},
		{name: "without a rule it does not", needs: []string{"x:read", "x:write"}, want: "x:read x:write", noImplications: true},
		{name: "the star is not brought in to save words", needs: []string{"x:read", "y:read", "z:write"}, want: "x:read y:read z:write"},
		{name: "the star that is needed covers the rest", needs: []string{"x:read", "*"}, want: "*"},
		{name: "one scope for two needs", needs: []string{"a|b", "b|c"}, want: "b"},
		{name: "two of three pairs", needs: []string{"a|b", "b|c", "a|c"}, want: "a b"},
		{name: "an alternative of two loses to one of one", needs: []string{"a b|c"}, want: "c"},
		{name: "unless its scopes are needed anyway", needs: []string{"a b|c", "a", "b"}, want: "a b"},
		{name: "least privilege before byte order", needs: []string{"a:write|b:read"}, want: "b:read"},
		{name: "least privilege before preference", needs: []string{"x:write|x:read"}, prefer: []string{"x:write"}, want: "x:read"},
		{name: "preference before byte order", needs: []string{"a|b"}, prefer: []string{"b"}, want: "b"},
		{name: "byte order at last", needs: []string{"b|a"}, want: "a"},
		{name: "what is held costs nothing", needs: []string{"a b", "c"}, held: []string{"b", "c"}, want: "a"},
		{name: "nor what it implies", needs: []string{"x:read y|z"}, held: []string{"x:write"}, want: "y"},
		{name: "what fewer operations accept, before preference", needs: []string{"a|b"}, prefer: []string{"a"}, accepted: map[string]int{"a": 5, "b": 2}, want: "b"},
		{name: "the star is no way to save words", needs: []string{"a b|*", "c|*"}, want: "a b c"},
		{name: "the star where nothing else would do", needs: []string{"a|*", "*"}, noImplications: true, want: "* a"},
		{name: "an alternative that needs nothing", needs: []string{"|a"}, want: ""},
		{name: "a choice need by need would take four", needs: []string{"a|x", "b|x", "c|x", "d|y", "e|y"}, want: "x y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := audit.CoverQuestion{Requirements: evidenceOf(c.needs...), Held: scopes.NewSet(c.held...), Prefer: scopes.NewSet(c.prefer...), Accepted: c.accepted}
			if !c.noImplications {
				q.Implies = writeCoversRead(t)
			}
			got := audit.Cover(q)
			if got.Scopes.String() != c.want || !got.Least {
				t.Errorf("got %q, least %v; want %q", got.Scopes, got.Least, c.want)
			}
			slices.Reverse(q.Requirements)
			if again := audit.Cover(q); !cmp.Equal(again.Scopes.Slice(), got.Scopes.Slice()) {
				t.Errorf("in the other order: %q", again.Scopes)
			}
		})
	}
}

// rankOf is how many scopes cover this one, the measure that Cover documents.
func rankOf(imp scopes.Implications, scope string) int {
	n := 0
	for range imp.Covering(scope) {
		n++
	}
	return n
}

// candidatesOf lists what the unmet needs lack, sorted.
func candidatesOf(q audit.CoverQuestion) []string {
	var candidates []string
	for _, n := range q.Requirements {
		if n.MetBy(q.Held, q.Implies) {
			continue
		}
		for _, scope := range slices.Concat(n.AnyOf...) {
			if _, held := q.Implies.CoveredBy(q.Held, scope); !held {
				candidates = append(candidates, scope)
			}
		}
	}
	slices.Sort(candidates)
	return slices.Compact(candidates)
}

// exhaustive tries every set of the candidates, in the documented order.
func exhaustive(q audit.CoverQuestion, candidates []string) []string {
	type cost struct {
		size, privilege, accepted, strange int
		list                               []string
	}
	var best *cost
	for mask := range 1 << len(candidates) {
		var c cost
		for i, scope := range candidates {
			if mask>>i&1 == 1 {
				c.list = append(c.list, scope)
				c.privilege -= rankOf(q.Implies, scope)
				c.accepted += q.Accepted[scope]
				if !q.Prefer.Has(scope) {
					c.strange++
				}
			}
		}
		c.size = len(c.list)
		held := q.Held.Union(scopes.NewSet(c.list...))
		if slices.ContainsFunc(q.Requirements, func(n audit.Requirement) bool { return !n.MetBy(held, q.Implies) }) {
			continue
		}
		key := func(c *cost) []int { return []int{c.size, c.privilege, c.accepted, c.strange} }
		if best == nil || slices.Compare(key(&c), key(best)) < 0 ||
			slices.Equal(key(&c), key(best)) && slices.Compare(c.list, best.list) < 0 {
			best = &c
		}
	}
	return append([]string{}, best.list...)
}

// withoutStar leaves * out where there is another way.
func withoutStar(needs []audit.Requirement) []audit.Requirement {
	needs = slices.Clone(needs)
	for i := range needs {
		lesser := slices.DeleteFunc(slices.Clone(needs[i].AnyOf), func(all []string) bool { return slices.Contains(all, "*") })
		if len(lesser) > 0 {
			needs[i].AnyOf = lesser
		}
	}
	return needs
}

// Every answer on small random problems is the one that trying all sets gives.
func TestCoverIsExact(t *testing.T) {
	imp := writeCoversRead(t)
	words := []string{"*", "a:read", "a:write", "b:read", "b:write", "c:read", "c:write", "p", "q"}
	random := rand.New(rand.NewPCG(5, 7))
	for round := range 1000 {
		var q audit.CoverQuestion
		q.Implies = imp
		for range 1 + random.IntN(6) {
			var n audit.Requirement
			for range 1 + random.IntN(3) {
				var all []string
				for range 1 + random.IntN(3) {
					all = append(all, words[random.IntN(len(words))])
				}
				n.AnyOf = append(n.AnyOf, all)
			}
			q.Requirements = append(q.Requirements, n)
		}
		q.Prefer = scopes.NewSet(words[random.IntN(len(words))])
		if round%3 == 0 {
			q.Held = scopes.NewSet(words[1+random.IntN(len(words)-1)])
		}
		q.Accepted = map[string]int{words[random.IntN(len(words))]: 2, "p": 1}
		got := audit.Cover(q)
		reference := q
		reference.Requirements = withoutStar(q.Requirements)
		if want := exhaustive(reference, candidatesOf(reference)); !got.Least || !cmp.Equal(got.Scopes.Slice(), want) {
			t.Fatalf("round %d, needs %v, held %v, prefer %v: got %v (least %v), want %v", round, q.Requirements, q.Held, q.Prefer, got.Scopes, got.Least, want)
		}
	}
}

// A problem made to be hard is cut off, says so, and is still met.
func TestCoverStopsAtGood(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var q audit.CoverQuestion
	for range 400 {
		var n audit.Requirement
		for range 5 {
			n.AnyOf = append(n.AnyOf, []string{fmt.Sprintf("s%03d", random.IntN(150))})
		}
		q.Requirements = append(q.Requirements, n)
	}
	start := time.Now()
	got := audit.Cover(q)
	if got.Least {
		t.Error("it claims to have found the least set")
	}
	for _, n := range q.Requirements {
		if !n.MetBy(got.Scopes, q.Implies) {
			t.Fatalf("%v is not met", n.AnyOf)
		}
	}
	if again := audit.Cover(q); !again.Scopes.Equal(got.Scopes) {
		t.Error("a second search found another set")
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("two searches took %v", took)
	}
}

// BenchmarkCover1000 is the size of a large API: a thousand scopes, reads and writes.
func BenchmarkCover1000(b *testing.B) {
	q := audit.CoverQuestion{Implies: writeCoversRead(b)}
	for i := range 1000 {
		r := fmt.Sprintf("r%d", i/2)
		q.Requirements = append(q.Requirements, evidenceOf(r+":read|"+r+":write", r+":read p"+r)...)
	}
	for b.Loop() {
		if got := audit.Cover(q); !got.Least || got.Scopes.Len() != 1000 {
			b.Fatal(got.Scopes.Len(), got.Least)
		}
	}
}
