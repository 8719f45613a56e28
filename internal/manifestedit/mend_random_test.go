package manifestedit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

// A mendCase is a small manifest and what it is compared with, made by chance.
type mendCase struct {
	*rand.Rand
	text  string
	lines []string // of facts
}

func (c *mendCase) one(words ...string) string { return words[c.IntN(len(words))] }

// some is up to n different words.
func (c *mendCase) some(n int, word func() string) []string {
	var list []string
	for range n {
		list = append(list, word())
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *mendCase) scope() string {
	return c.one("a", "b", "c") + ":" + c.one("read", "read", "write", "admin")
}

func (c *mendCase) use() string {
	return c.one("tool:t", "tool:u", "tool:v", "GET {api}/a", "POST {api}/a", "GET {api}/b")
}

// entries are a list of a manifest, indented.
func (c *mendCase) entries(indent string) string {
	var list, seen []string
	for range c.IntN(6) {
		name := fmt.Sprintf("scope: %q", c.scope())
		switch any := c.some(2, c.scope); {
		case c.IntN(8) == 0:
			name = `scope: "*"`
		case c.IntN(8) == 0 && len(any) > 1:
			name = fmt.Sprintf("any_of: [%q, %q]", any[0], any[1])
		}
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		uses := ""
		if c.IntN(3) > 0 {
			uses = fmt.Sprintf(", used_by: [%q]", strings.Join(c.some(2, c.use), `", "`))
			uses = strings.ReplaceAll(uses, `\"`, `"`)
		}
		list = append(list, fmt.Sprintf("%s- {%s, level: %s%s}\n", indent, name, c.one("required", "recommended", "optional"), uses))
	}
	if len(list) == 0 {
		return indent + "[]\n"
	}
	return strings.Join(list, "")
}

func newMendCase(seed uint64) *mendCase {
	c := &mendCase{Rand: rand.New(rand.NewPCG(seed, 0))}
	c.text = strings.Replace(audittest.ManifestOf(c.entries("  ")), `implies: [`, `implies: [{scope: "{x}:admin", covers: ["{x}:write"]}, `, 1)
	if c.IntN(2) == 0 {
		c.text += "programs:\n  p:\n    scopes:\n" + c.entries("      ")
	}
	if c.IntN(4) == 0 {
		c.text += fmt.Sprintf("waive: [{kind: %s, scope: %q, reason: so}]\n", c.one("undeclared", "unused", "over_level"), c.scope())
	}
	for _, op := range c.some(9, c.use) {
		ways := c.some(1+c.IntN(2), func() string { return strings.Join(c.some(1+c.IntN(2), c.scope), " ") })
		c.lines = append(c.lines, op+": "+c.one("?", "-", strings.Join(ways, "|"), strings.Join(ways, "|"), strings.Join(ways, "|")))
	}
	if c.IntN(2) == 0 {
		for _, op := range c.some(4, c.use) {
			c.lines = append(c.lines, "called "+op)
		}
	}
	if c.IntN(4) == 0 { // recorded calls: some that were refused say for want of what
		for _, op := range c.some(2, func() string { return c.one("GET {api}/a", "POST {api}/a", "GET {api}/b") }) {
			status := c.one("200", "403", "403", "403")
			c.lines = append(c.lines, "seen "+status+" "+op+" "+c.scope()+c.one("", "", " named", " named "+c.scope()))
		}
	}
	return c
}

// inUse are the operations in use that need a scope: those whose needs the entries meet
// for certain, and the others.
func inUse(m *manifest.Manifest, programs []string, e *audit.Evidence) (met, unmet []string) {
	entries, _ := m.Select(programs...)
	var fixed []string
	used := make(map[scopes.Operation]bool)
	listed := func(tool bool) bool {
		return slices.ContainsFunc(e.Calls, func(c audit.Call) bool { return (c.Operation.Tool != "") == tool })
	}
	for _, one := range entries {
		if len(one.AnyOf) == 1 {
			fixed = append(fixed, one.AnyOf...)
		}
		for _, u := range one.UsedBy {
			u.Line = 0
			used[u] = used[u] || !listed(u.Tool != "")
		}
	}
	for _, c := range e.Calls {
		used[c.Operation] = true
	}
	for i := range e.Traffic {
		used[e.Traffic[i].Operation] = used[e.Traffic[i].Operation] || !listed(false)
	}
	for _, n := range e.Requirements {
		switch {
		case !used[n.Operation] || n.Silent() || n.MetBy(scopes.Set{}, m.Provider.Implies):
		case n.MetBy(scopes.NewSet(fixed...), m.Provider.Implies):
			met = append(met, n.Operation.String())
		default:
			unmet = append(unmet, n.Operation.String())
		}
	}
	return met, unmet
}

// Whatever the manifest and the evidence: --lower and --prune make nothing undeclared and
// leave no need unmet that was met, --lower takes no operation out of use, and a second
// run changes nothing.
func TestMendKeepsWhatIsNeeded(t *testing.T) {
	lowered, pruned := 0, 0
	for seed := range uint64(400) {
		c := newMendCase(seed)
		before := audittest.Decode(t, c.text)
		q := audit.Question{Manifest: before, Evidence: audittest.Facts(t, c.lines...)}
		if len(before.Programs) > 0 && c.IntN(2) == 0 {
			q.Programs = []string{"p"}
		}
		first, err := audit.Audit(q)
		if err != nil {
			t.Fatal(err)
		}
		met, unmet := inUse(before, q.Programs, q.Evidence)
		for _, how := range []audit.Fixing{{Write: true}, {Lower: true}, {Prune: true}, {Lower: true, Prune: true}, {Write: true, Lower: true, Prune: true}} {
			q.Manifest = before
			text, after, err := manifestedit.Fix(q, []byte(c.text), how, nil)
			wrong := func(what string, found any) {
				t.Fatalf("seed %d: %+v: %s: %v\n%s%s\nafter:\n%s", seed, how, what, found, c.text, strings.Join(c.lines, "\n"), text)
			}
			if err != nil {
				wrong("an error", err)
			}
			q.Manifest = audittest.Decode(t, string(text))
			if again, _, err := manifestedit.Fix(q, text, how, nil); err != nil || string(again) != string(text) {
				wrong("a second run changes something", fmt.Sprintf("%v\n%s", err, again))
			}
			stillMet, stillUnmet := inUse(q.Manifest, q.Programs, q.Evidence)
			left := after.Of(audit.Undeclared)
			switch {
			case how.Write && len(left) > 0:
				wrong("undeclared is left", audittest.Told(left))
			case len(first.Of(audit.Undeclared)) == 0 && len(left) > 0:
				wrong("this was not undeclared", audittest.Told(left))
			case slices.ContainsFunc(stillUnmet, func(op string) bool { return !slices.Contains(unmet, op) }):
				wrong("more is unmet", stillUnmet)
			case how.Lower && !how.Prune && !slices.Equal(met, stillMet):
				wrong("what was met", cmp.Diff(met, stillMet))
			case string(text) == c.text:
			case how.Lower:
				lowered++
			case how.Prune:
				pruned++
			}
		}
	}
	if lowered < 100 || pruned < 50 {
		t.Errorf("only %d were lowered, and %d pruned: this tests little", lowered, pruned)
	}
}
