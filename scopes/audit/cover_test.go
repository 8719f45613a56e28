package audit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/scopes"
	"github.com/google/go-cmp/cmp"
)

// waysOf reads what is wanted, a line each: ways with | between them, scopes with spaces.
func waysOf(lines ...string) [][][]string {
	var wanted [][][]string
	for _, line := range lines {
		var ways [][]string
		for way := range strings.SplitSeq(line, "|") {
			ways = append(ways, strings.Fields(way))
		}
		wanted = append(wanted, ways)
	}
	return wanted
}

func writeCoversRead(t testing.TB) scopes.Implications {
	t.Helper()
	imp, err := scopes.NewImplications([]scopes.Rule{
		{Scope: "{x}:write", Covers: []string{"{x}:read"}},
		{Scope: "*", Covers: []string{"{x}:read", "{x}:write"}},
		{Scope: "all", Covers: []string{"a:read", "b:read"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

func TestCover(t *testing.T) {
	for _, c := range []struct {
		name           string
		wanted         []string
		held, prefer   []string
		want           string
		accepted       map[string]int
		noImplications bool
	}{
		{name: "nothing needed", want: ""},
		{name: "all of them", wanted: []string{"a b", "b c"}, want: "a b c"},
		{name: "a write covers the read", wanted: []string{"x:read", "x:write"}, want: "x:write"},
		{name: "without a rule it does not", wanted: []string{"x:read", "x:write"}, want: "x:read x:write", noImplications: true},
		{name: "the star is not brought in to save words", wanted: []string{"x:read", "y:read", "z:write"}, want: "x:read y:read z:write"},
		{name: "the star that is needed covers the rest", wanted: []string{"x:read", "*"}, want: "*"},
		{name: "one scope for two needs", wanted: []string{"a|b", "b|c"}, want: "b"},
		{name: "two of three pairs", wanted: []string{"a|b", "b|c", "a|c"}, want: "a b"},
		{name: "an alternative of two loses to one of one", wanted: []string{"a b|c"}, want: "c"},
		{name: "unless its scopes are needed anyway", wanted: []string{"a b|c", "a", "b"}, want: "a b"},
		{name: "least privilege before byte order", wanted: []string{"a:write|b:read"}, want: "b:read"},
		{name: "least privilege before preference", wanted: []string{"x:write|x:read"}, prefer: []string{"x:write"}, want: "x:read"},
		{name: "preference before byte order", wanted: []string{"a|b"}, prefer: []string{"b"}, want: "b"},
		{name: "byte order at last", wanted: []string{"b|a"}, want: "a"},
		{name: "what is held costs nothing", wanted: []string{"a b", "c"}, held: []string{"b", "c"}, want: "a"},
		{name: "nor what it implies", wanted: []string{"x:read y|z"}, held: []string{"x:write"}, want: "y"},
		{name: "what fewer operations accept, before preference", wanted: []string{"a|b"}, prefer: []string{"a"}, accepted: map[string]int{"a": 5, "b": 2}, want: "b"},
		{name: "the star is no way to save words", wanted: []string{"a b|*", "c|*"}, want: "a b c"},
		{name: "one that covers two is no way to save words", wanted: []string{"a:read|*|all", "b:read|all|*"}, want: "a:read b:read"},
		{name: "unless something else needs it", wanted: []string{"a:read|all", "b:read|all", "all|*"}, want: "all"},
		{name: "the star where nothing else would do", wanted: []string{"a|*", "*"}, noImplications: true, want: "* a"},
		{name: "an alternative that needs nothing", wanted: []string{"|a"}, want: ""},
		{name: "a choice need by need would take four", wanted: []string{"a|x", "b|x", "c|x", "d|y", "e|y"}, want: "x y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := coverQuestion{wanted: waysOf(c.wanted...), held: scopes.NewSet(c.held...), prefer: scopes.NewSet(c.prefer...), accepted: c.accepted}
			if !c.noImplications {
				q.implies = writeCoversRead(t)
			}
			got := cover(q)
			if got.String() != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			slices.Reverse(q.wanted)
			if again := cover(q); !cmp.Equal(again.Slice(), got.Slice()) {
				t.Errorf("in the other order: %q", again)
			}
		})
	}
}

// lacking are the scopes that the unmet of the wanted lack, sorted.
func lacking(q coverQuestion) []string {
	var list []string
	for _, ways := range q.unmet() {
		list = append(list, slices.Concat(ways...)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// meets reports whether a set meets all that is wanted.
func meets(q coverQuestion, set scopes.Set) bool {
	held := q.held.Union(set)
	return !slices.ContainsFunc(q.wanted, func(ways [][]string) bool { return !metBy(ways, held, q.implies) })
}

// costOf is what a set costs, in the documented order.
func costOf(q coverQuestion, set []string) []int {
	cost := []int{len(set), 0, 0, 0}
	for _, scope := range set {
		for range q.implies.Covering(scope) {
			cost[1]--
		}
		cost[2] += q.accepted[scope]
		if !q.prefer.Has(scope) {
			cost[3]++
		}
	}
	return cost
}

// exhaustive tries every set, and returns the best one.
func exhaustive(q coverQuestion) []string {
	q.wanted = withoutMore(q)
	scopesOf := lacking(q)
	var best []string
	found := false
	for mask := range 1 << len(scopesOf) {
		set := []string{}
		for i, scope := range scopesOf {
			if mask>>i&1 == 1 {
				set = append(set, scope)
			}
		}
		if found && slices.Compare(costOf(q, set), costOf(q, best)) > 0 || !meets(q, scopes.NewSet(set...)) {
			continue
		}
		if !found || slices.Compare(append(costOf(q, set), 0), append(costOf(q, best), 0)) < 0 || slices.Compare(set, best) < 0 {
			best, found = set, true
		}
	}
	return best
}

// withoutMore leaves * out where there is another way, and what permits more than another way does.
func withoutMore(q coverQuestion) [][][]string {
	wanted := slices.Clone(q.wanted)
	for i := range wanted {
		covers := func(a, b []string) bool {
			return meets(coverQuestion{wanted: [][][]string{{b}}, implies: q.implies}, q.held.Union(scopes.NewSet(a...)))
		}
		wanted[i] = slices.DeleteFunc(slices.Clone(wanted[i]), func(a []string) bool {
			return slices.ContainsFunc(wanted[i], func(b []string) bool { return covers(a, b) && !covers(b, a) })
		})
		lesser := slices.DeleteFunc(slices.Clone(wanted[i]), func(all []string) bool { return slices.Contains(all, "*") })
		if len(lesser) > 0 {
			wanted[i] = lesser
		}
	}
	return wanted
}

// randomQuestion is small enough to try every set.
func randomQuestion(random *rand.Rand, imp scopes.Implications, words []string, goals int) coverQuestion {
	q := coverQuestion{implies: imp}
	for range 1 + random.IntN(goals) {
		var ways [][]string
		for range 1 + random.IntN(3) {
			var all []string
			for range 1 + random.IntN(3) {
				all = append(all, words[random.IntN(len(words))])
			}
			ways = append(ways, all)
		}
		q.wanted = append(q.wanted, ways)
	}
	q.prefer = scopes.NewSet(words[random.IntN(len(words))])
	if random.IntN(3) == 0 {
		q.held = scopes.NewSet(words[1+random.IntN(len(words)-1)])
	}
	q.accepted = map[string]int{words[random.IntN(len(words))]: 2, "p": 1}
	return q
}

// What is found on small random problems meets what is wanted, and no scope of it can be left
// out. Mostly it is the one that trying all sets gives, and nearly always as small.
func TestCoverIsSmall(t *testing.T) {
	imp := writeCoversRead(t)
	words := []string{"*", "a:read", "a:write", "b:read", "b:write", "c:read", "c:write", "p", "q"}
	random := rand.New(rand.NewPCG(5, 7))
	const rounds = 2000
	same, smallest := 0, 0
	for range rounds {
		q := randomQuestion(random, imp, words, 6)
		got, best := cover(q), exhaustive(q)
		q.wanted = withoutMore(q)
		if !meets(q, got) {
			t.Fatalf("%v is not met by %v", q.wanted, got)
		}
		for scope := range got.All() {
			if meets(q, got.Minus(scopes.NewSet(scope))) {
				t.Fatalf("%v: %s can be left out of %v", q.wanted, scope, got)
			}
		}
		if got.Len() == len(best) {
			smallest++
		}
		if cmp.Equal(got.Slice(), best) {
			same++
		}
	}
	t.Logf("of %d problems, %d answers are the best and %d as small", rounds, same, smallest)
	if same < rounds*98/100 || smallest < rounds*99/100 {
		t.Errorf("of %d problems, only %d answers are the best and %d as small", rounds, same, smallest)
	}
}

// A problem made to be hard is met in little time, and always by the same set.
func TestCoverOfTheHard(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var q coverQuestion
	for range 400 {
		var ways [][]string
		for range 5 {
			ways = append(ways, []string{fmt.Sprintf("s%03d", random.IntN(150))})
		}
		q.wanted = append(q.wanted, ways)
	}
	start := time.Now()
	got := cover(q)
	if !meets(q, got) {
		t.Fatalf("not met by %v", got)
	}
	if again := cover(q); !again.Equal(got) {
		t.Error("a second search found another set")
	}
	t.Log(got.Len(), time.Since(start))
	if took := time.Since(start); took > time.Minute {
		t.Errorf("two searches took %v", took)
	}
}

// BenchmarkCover1000 is the size of a large API: a thousand scopes, reads and writes.
func BenchmarkCover1000(b *testing.B) {
	q := coverQuestion{implies: writeCoversRead(b)}
	for i := range 1000 {
		r := fmt.Sprintf("r%d", i/2)
		q.wanted = append(q.wanted, waysOf(r+":read|"+r+":write", r+":read p"+r)...)
	}
	for b.Loop() {
		if got := cover(q); got.Len() != 1000 {
			b.Fatal(got.Len())
		}
	}
}
