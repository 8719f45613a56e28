package manifestedit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/manifestedit"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/audit/audittest"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/google/go-cmp/cmp"
)

const head = "version: 1\nname: app\nprovider: https://id.example\n"

func entry(scope string, programs ...string) scopes.Need {
	return scopes.Need{AnyOf: []string{scope}, Programs: programs}
}

// added is what most cases add.
func added(programs ...string) scopes.Need {
	e := entry("new:read", programs...)
	e.Level, e.Why = scopes.Recommended, "lists: all of them"
	e.UsedBy = []scopes.Operation{{Method: "GET", Base: "issuer", Path: "/new/{id}"}, {Tool: "new-list"}}
	return e
}

const (
	newBlock = "  - scope: new:read\n    level: recommended\n    why: \"lists: all of them\"\n    used_by: [\"GET {issuer}/new/{id}\", \"tool:new-list\"]\n"
	newFlow  = `{scope: "new:read", level: recommended, why: "lists: all of them", used_by: ["GET {issuer}/new/{id}", "tool:new-list"]}`
)

// A change is what a test does to a manifest; it says of a need its scopes and its program.
type change struct {
	add     []scopes.Need
	lower   []levelChange
	narrow  []scopeChange
	replace []replacement
	remove  []scopes.Need
}

type levelChange struct {
	of scopes.Need
	to scopes.Level
}

type scopeChange struct {
	of scopes.Need
	to string
}

type replacement struct {
	of scopes.Need
	by []scopes.Need
}

// editText makes a change: what is not there does not change, and what is there is not added.
func editText(text []byte, c change) ([]byte, error) {
	m, err := manifest.Decode("scopes.yaml", text, nil)
	if err != nil {
		return manifestedit.Edit("scopes.yaml", text, nil, nil)
	}
	for _, one := range c.lower {
		replaceIn(m, one.of, func(n scopes.Need) []scopes.Need { n.Level = one.to; return []scopes.Need{n} })
	}
	for _, one := range c.narrow {
		replaceIn(m, one.of, func(n scopes.Need) []scopes.Need { n.AnyOf = []string{one.to}; return []scopes.Need{n} })
	}
	for _, one := range c.replace {
		replaceIn(m, one.of, func(old scopes.Need) []scopes.Need {
			var by []scopes.Need
			for _, n := range one.by {
				n.Line, n.Column = old.Line, old.Column
				by = append(by, n)
			}
			return by
		})
	}
	for _, n := range c.remove {
		replaceIn(m, n, func(scopes.Need) []scopes.Need { return nil })
	}
	for _, n := range c.add {
		list := listOf(m, n)
		if list == nil {
			m.Programs = append(m.Programs, manifest.Program{Name: n.Programs[0]})
			list = listOf(m, n)
		}
		*list = appendNew(*list, n)
	}
	return manifestedit.Edit("scopes.yaml", text, m, nil)
}

// listOf is the list of a need's program; nil where there is none.
func listOf(m *manifest.Manifest, n scopes.Need) *[]scopes.Need {
	if len(n.Programs) == 0 {
		return &m.Scopes
	}
	for i := range m.Programs {
		if m.Programs[i].Name == n.Programs[0] {
			return &m.Programs[i].Scopes
		}
	}
	return nil
}

func replaceIn(m *manifest.Manifest, of scopes.Need, by func(scopes.Need) []scopes.Need) {
	list := listOf(m, of)
	if list == nil {
		return
	}
	at := slices.IndexFunc(*list, func(n scopes.Need) bool { return n.Key() == of.Key() })
	if at < 0 {
		return
	}
	next, rest := slices.Clone((*list)[:at]), (*list)[at+1:]
	for _, n := range by((*list)[at]) {
		if !declares(rest, n) {
			next = appendNew(next, n)
		}
	}
	*list = append(next, rest...)
}

func appendNew(list []scopes.Need, n scopes.Need) []scopes.Need {
	if declares(list, n) {
		return list
	}
	return append(list, n)
}

func declares(list []scopes.Need, n scopes.Need) bool {
	return slices.ContainsFunc(list, func(other scopes.Need) bool { return other.Key() == n.Key() })
}

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name, before string
		change       change
		want         string
	}{
		{
			name:   "add to a block list, comments and blank lines around it",
			before: head + "scopes:\n  # first\n  - scope: a # the one\n    level: required\n\n  # second\n  - scope: b\n    level: optional\n    # of the entry\n  # - scope: c\n\n# programs come next\nprograms: {}\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n  # first\n  - scope: a # the one\n    level: required\n\n  # second\n  - scope: b\n    level: optional\n    # of the entry\n" + newBlock + "  # - scope: c\n\n# programs come next\nprograms: {}\n",
		},
		{
			name:   "add to a list whose entries are all comments",
			before: head + "scopes:  # which\n  # - {scope: a, level: required}\n\n# programs come next\nprograms: {}\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:  # which\n" + newBlock + "  # - {scope: a, level: required}\n\n# programs come next\nprograms: {}\n",
		},
		{
			name:   "the same at the end of a file, and in a program",
			before: head + "programs:\n  p:\n    scopes:\nscopes:",
			change: change{add: []scopes.Need{added(), added("p")}},
			want:   head + "programs:\n  p:\n    scopes:\n      " + strings.ReplaceAll(strings.TrimSpace(newBlock), "\n", "\n    ") + "\nscopes:\n" + strings.TrimSuffix(newBlock, "\n"),
		},
		{
			name:   "a line of the last entry that an editor has commented out, at the line's start or the dash",
			before: head + "scopes:\n  - scope: a\n    level: required\n#   advertised: false\n  # why: no\n    why: |\n      yes\n# end\n\n# programs come next\nprograms: {}\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n#   advertised: false\n  # why: no\n    why: |\n      yes\n" + newBlock + "# end\n\n# programs come next\nprograms: {}\n",
		},
		{
			name:   "such an entry is replaced whole, and removed whole",
			before: head + "scopes:\n  -\n# first\n    scope: a\n    level: required\n# why: no\n    used_by:\n# none\n    - tool:a\n# of b\n  - scope: b\n# level: required\n    level: optional\n# end\n",
			change: change{replace: []replacement{{of: entry("a"), by: []scopes.Need{entry("c"), entry("d")}}}, remove: []scopes.Need{entry("b")}},
			want:   head + "scopes:\n  - scope: c\n    level: optional\n  - scope: d\n    level: optional\n# of b\n# end\n",
		},
		{
			name:   "add where the last entry is in flow style",
			before: head + "scopes:\n-   {scope: a, level: required}\n-   {scope: b,\n     level: optional} # two lines\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n-   {scope: a, level: required}\n-   {scope: b,\n     level: optional} # two lines\n-   " + newFlow + "\n",
		},
		{
			name:   "add to a list on one line, with a comment behind it",
			before: head + "scopes: [{scope: a, level: required}]  # tail\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: [{scope: a, level: required}, " + newFlow + "]  # tail\n",
		},
		{
			name:   "add to a list of nothing, with a comment behind it",
			before: head + "scopes: [] # none yet\nprograms: {}\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: # none yet\n" + newBlock + "programs: {}\n",
		},
		{
			name:   "add to a program's list of nothing, with a comment behind it",
			before: head + "scopes: []\nprograms:\n  p1: {scopes: []} # c\n",
			change: change{add: []scopes.Need{added("p1")}},
			want:   head + "scopes: []\nprograms:\n  p1: {scopes: [" + newFlow + "]} # c\n",
		},
		{
			name:   "add without a final newline",
			before: head + "scopes:\n- scope: a\n  level: required",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n- scope: a\n  level: required\n- scope: new:read\n  level: recommended\n  why: \"lists: all of them\"\n  used_by: [\"GET {issuer}/new/{id}\", \"tool:new-list\"]",
		},
		{
			name:   "add to a file with CRLF and a byte order mark",
			before: "\ufeff" + strings.ReplaceAll(head+"scopes:\n  - scope: a\n    level: required\n\n# end\n", "\n", "\r\n"),
			change: change{add: []scopes.Need{added()}},
			want:   "\ufeff" + strings.ReplaceAll(head+"scopes:\n  - scope: a\n    level: required\n"+newBlock+"\n# end\n", "\n", "\r\n"),
		},
		{
			name:   "add to an empty list",
			before: head + "scopes: [] # none yet\n# end\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: # none yet\n" + newBlock + "# end\n",
		},
		{
			name:   "add to an empty list at the end of the file",
			before: head + "scopes: []",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n" + strings.TrimSuffix(newBlock, "\n"),
		},
		{
			name:   "add to a flow list on one line",
			before: head + "scopes: [{scope: a, level: required, why: \"it's, ] fine\"}, {scope: b, level: optional, why: say 'no' to it}]\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: [{scope: a, level: required, why: \"it's, ] fine\"}, {scope: b, level: optional, why: say 'no' to it}, " + newFlow + "]\n",
		},
		{
			name:   "add to a flow list on one line with a comment behind it",
			before: head + "scopes: [{scope: a, level: required}]  # tail\n",
			change: change{add: []scopes.Need{added(), entry("b")}},
			want:   head + "scopes: [{scope: a, level: required}, " + newFlow + ", {scope: b, level: optional}]  # tail\n",
		},
		{
			name:   "add to a flow list with a comment in it",
			before: head + "scopes: [{scope: a, level: required} # a\n, {scope: b, level: required}] # all, [really]",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: [{scope: a, level: required} # a\n, {scope: b, level: required}, " + newFlow + "] # all, [really]",
		},
		{
			name:   "add to a flow list of several lines, with comments",
			before: head + "scopes: [\n  {scope: a, level: required}, # [a]\n  {scope: b, level: optional} # b, the last\n]\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: [\n  {scope: a, level: required}, # [a]\n  {scope: b, level: optional}, # b, the last\n  " + newFlow + "\n]\n",
		},
		{
			name:   "add to a flow list with a final comma",
			before: head + "scopes: [\n  {scope: a, level: required},\n]\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes: [\n  {scope: a, level: required},\n  " + newFlow + "\n]\n",
		},
		{
			name:   "add to a program, before the next",
			before: head + "scopes: []\nprograms:\n  one:\n    scopes:\n      - scope: a\n        level: optional\n  # two\n  two: {scopes: []}\n",
			change: change{add: []scopes.Need{added("one"), added("two")}},
			want: head + "scopes: []\nprograms:\n  one:\n    scopes:\n      - scope: a\n        level: optional\n" +
				"      - scope: new:read\n        level: recommended\n        why: \"lists: all of them\"\n        used_by: [\"GET {issuer}/new/{id}\", \"tool:new-list\"]\n" +
				"  # two\n  two: {scopes: [" + newFlow + "]}\n",
		},
		{
			name:   "add to JSON",
			before: "{\"version\": 1, \"name\": \"app\", \"provider\": \"https://id.example\",\n \"scopes\": [{\"scope\": \"a\", \"level\": \"required\"}]}\n",
			change: change{add: []scopes.Need{added()}},
			want: "{\"version\": 1, \"name\": \"app\", \"provider\": \"https://id.example\",\n \"scopes\": [{\"scope\": \"a\", \"level\": \"required\"}, " +
				`{"scope": "new:read", "level": "recommended", "why": "lists: all of them", "used_by": ["GET {issuer}/new/{id}", "tool:new-list"]}]}` + "\n",
		},
		{
			name:   "add to JSON on one line with a hash in a later value",
			before: `{"version": 1, "name": "app", "provider": "https://id.example", "scopes": [{"scope": "a", "level": "required"}], "waive": [{"kind": "unused", "scope": "a", "reason": "see # 4"}]}`,
			change: change{add: []scopes.Need{entry("b")}},
			want:   `{"version": 1, "name": "app", "provider": "https://id.example", "scopes": [{"scope": "a", "level": "required"}, {"scope": "b", "level": "optional"}], "waive": [{"kind": "unused", "scope": "a", "reason": "see # 4"}]}`,
		},
		{
			name:   "add several to lists of nothing",
			before: head + "scopes: [ ] # none yet\nprograms:\n  p: {scopes: []} # c\n",
			change: change{add: []scopes.Need{added(), entry("b"), entry("c", "p"), entry("d", "p")}},
			want:   head + "scopes: # none yet\n" + newBlock + "  - scope: b\n    level: optional\nprograms:\n  p: {scopes: [{scope: c, level: optional}, {scope: d, level: optional}]} # c\n",
		},
		{
			name:   "what is there is not added again",
			before: head + "scopes:\n  - {scope: \"new:read\", level: optional}\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n  - {scope: \"new:read\", level: optional}\n",
		},
		{
			name:   "a reason of several lines ends where it ends",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: |\n      first\n\n      # no comment\n# end\n",
			change: change{add: []scopes.Need{entry("b")}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n    why: |\n      first\n\n      # no comment\n  - scope: b\n    level: optional\n# end\n",
		},
		{
			name:   "add to brackets on a line of their own",
			before: head + "scopes:\n  # none yet\n  []",
			change: change{add: []scopes.Need{added(), entry("b")}},
			want:   head + "scopes:\n  # none yet\n" + newBlock + "  - scope: b\n    level: optional",
		},
		{
			name:   "brackets with a comment right behind them",
			before: head + "scopes: []# none yet\n",
			change: change{add: []scopes.Need{entry("b")}},
			want:   head + "scopes: # none yet\n  - scope: b\n    level: optional\n",
		},
		{
			name:   "a reason whose last blank lines count",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: |+\n      text\n\n\n# end\n",
			change: change{add: []scopes.Need{added()}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n    why: |+\n      text\n\n\n" + newBlock + "# end\n",
		},
		{
			name:   "what goes from behind such a reason adds no blank line to it",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: >2+\n      text\n\n  - scope: b\n    level: optional\n\n  - {scope: c, level: optional}\n\n# end\n",
			change: change{remove: []scopes.Need{entry("b"), entry("c")}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n    why: >2+\n      text\n\n# end\n",
		},
		{
			name:   "a reason that ends the file without a newline",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: |\n      text",
			change: change{add: []scopes.Need{entry("b")}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n    why: |\n      text\n  - scope: b\n    level: optional",
		},
		{
			name:   "within quotes and brackets a line's indent means nothing",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: \"x\u2028- y\nz\"\n  - {scope: b,\nlevel: optional}\n  - scope: c\n    level: optional\n    why: 'x\n\n- y'\n",
			change: change{remove: []scopes.Need{entry("a")}, add: []scopes.Need{entry("d")}},
			want:   head + "scopes:\n  - {scope: b,\nlevel: optional}\n  - scope: c\n    level: optional\n    why: 'x\n\n- y'\n  - scope: d\n    level: optional\n",
		},
		{
			name:   "words written with escapes",
			before: head + "scopes:\n  - scope: \"a:\\u0077rite\" # c\n    level: \"\\x72equired\"\n",
			change: change{lower: []levelChange{{of: entry("a:write"), to: scopes.Recommended}}, narrow: []scopeChange{{of: entry("a:write"), to: "a:read"}}},
			want:   head + "scopes:\n  - scope: \"a:read\" # c\n    level: \"recommended\"\n",
		},
		{
			name:   "lower a level, in whatever quotes",
			before: head + "scopes:\n  - level: 'required' # why so?\n    scope: a\n  - {why: \"é ü\", level: \"required\", scope: b}\n",
			change: change{lower: []levelChange{{of: entry("a"), to: scopes.Optional}, {of: entry("b"), to: scopes.Recommended}}},
			want:   head + "scopes:\n  - level: 'optional' # why so?\n    scope: a\n  - {why: \"é ü\", level: \"recommended\", scope: b}\n",
		},
		{
			name:   "another scope in the place of one",
			before: head + "scopes:\n  - scope: a:write # c\n    level: required\n  - {scope: \"b:write\", level: required}\n  - {scope: 'b:read', level: required}\n",
			change: change{narrow: []scopeChange{{of: entry("a:write"), to: "a:read"}, {of: entry("b:write"), to: "b:read"}}},
			want:   head + "scopes:\n  - scope: a:read # c\n    level: required\n  - {scope: 'b:read', level: required}\n",
		},
		{
			name:   "remove, comments between entries stay",
			before: head + "scopes:\n  # of a\n  - scope: a # goes\n    level: required\n    # goes too\n\n  # of b\n  -\n    scope: b\n    level: optional\n  # of c\n  - {scope: c, level: optional}\n\nprograms: {}\n",
			change: change{remove: []scopes.Need{entry("a"), entry("c")}},
			want:   head + "scopes:\n  # of a\n\n  # of b\n  -\n    scope: b\n    level: optional\n  # of c\n\nprograms: {}\n",
		},
		{
			name:   "remove all",
			before: head + "scopes: # the list\n  - scope: a\n    level: required\n  - {scope: b, level: optional}\n# end\n",
			change: change{remove: []scopes.Need{entry("a"), entry("b")}},
			want:   head + "scopes: [] # the list\n# end\n",
		},
		{
			name:   "remove the last entries of a file without a final newline",
			before: head + "scopes:\n  - scope: a\n    level: required\n  # of b\n  - scope: b\n    level: optional\n  - {scope: c, level: optional}",
			change: change{remove: []scopes.Need{entry("b"), entry("c")}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n  # of b",
		},
		{
			name:   "remove all entries of a file without a final newline",
			before: strings.ReplaceAll(head+"scopes:\n  - scope: a\n    level: required", "\n", "\r\n"),
			change: change{remove: []scopes.Need{entry("a")}},
			want:   strings.ReplaceAll(head+"scopes: []", "\n", "\r\n"),
		},
		{
			name:   "remove the last entry of a file without a final newline, and add one",
			before: head + "scopes:\n  - {scope: a, level: required} # a\n  - {scope: b, level: optional} # b",
			change: change{remove: []scopes.Need{entry("b")}, add: []scopes.Need{entry("c")}},
			want:   head + "scopes:\n  - {scope: a, level: required} # a\n  - {scope: c, level: optional}",
		},
		{
			name:   "remove the last entry of a file without a final newline, and replace the one before",
			before: head + "scopes:\n  - scope: a\n    level: required\n  - {scope: b, level: optional}",
			change: change{remove: []scopes.Need{entry("b")}, replace: []replacement{{of: entry("a"), by: []scopes.Need{entry("c"), entry("d")}}}},
			want:   head + "scopes:\n  - scope: c\n    level: optional\n  - scope: d\n    level: optional",
		},
		{
			name:   "a reason whose last blank lines count keeps them, though the file ends there then",
			before: head + "scopes:\n  - scope: a\n    level: required\n    why: |+\n      text\n\n  - {scope: b, level: optional}",
			change: change{remove: []scopes.Need{entry("b")}},
			want:   head + "scopes:\n  - scope: a\n    level: required\n    why: |+\n      text\n\n",
		},
		{
			name:   "another scope that is the same one",
			before: head + "scopes: [{scope: a, level: required}]\n",
			change: change{narrow: []scopeChange{{of: entry("a"), to: "a"}}},
			want:   head + "scopes: [{scope: a, level: required}]\n",
		},
		{
			name:   "several in the place of one, written as it is",
			before: head + "scopes:\n  - {scope: \"*\", level: optional,\n     why: all} # everything\n  # of b\n  - scope: b\n    level: optional\n",
			change: change{replace: []replacement{{of: entry("*"), by: []scopes.Need{added(), entry("b"), entry("c:read")}}}},
			want:   head + "scopes:\n  - " + newFlow + " # everything\n  - {scope: \"c:read\", level: optional}\n  # of b\n  - scope: b\n    level: optional\n",
		},
		{
			name:   "several in the place of one in block style, the last of a file without a newline",
			before: head + "scopes:\n    -   {scope: b, level: optional}\n    -   scope: \"*\"\n        why: all\n        level: optional",
			change: change{replace: []replacement{{of: entry("*"), by: []scopes.Need{entry("c"), entry("d")}}}},
			want:   head + "scopes:\n    -   {scope: b, level: optional}\n    -   scope: c\n        level: optional\n    -   scope: d\n        level: optional",
		},
		{
			name:   "several in the place of the only one of a list on one line",
			before: head + "scopes: [{scope: \"*\", level: optional}] # all\nprograms: {p: {scopes: [{\"scope\": \"*\", \"level\": \"optional\"}, {scope: b, level: optional}]}}\n",
			change: change{replace: []replacement{{of: entry("*"), by: []scopes.Need{entry("c"), entry("d")}}, {of: entry("*", "p"), by: []scopes.Need{entry("c", "p"), entry("d", "p")}}}},
			want:   head + "scopes: [{scope: c, level: optional}, {scope: d, level: optional}] # all\nprograms: {p: {scopes: [{\"scope\": \"c\", \"level\": \"optional\"}, {\"scope\": \"d\", \"level\": \"optional\"}, {scope: b, level: optional}]}}\n",
		},
		{
			name:   "one whose place others have already",
			before: head + "scopes:\n  - {scope: \"*\", level: optional}\n  - {scope: b, level: optional}\n",
			change: change{replace: []replacement{{of: entry("*"), by: []scopes.Need{entry("b")}}}},
			want:   head + "scopes:\n  - {scope: b, level: optional}\n",
		},
		{
			name:   "one thing of each",
			before: head + "scopes:\n  - {scope: a, level: required}\n  - {scope: b, level: required}\n  - {scope: \"c:write\", level: required}\n",
			change: change{add: []scopes.Need{added()}, remove: []scopes.Need{entry("a")}, lower: []levelChange{{of: entry("b"), to: scopes.Optional}}, narrow: []scopeChange{{of: entry("c:write"), to: "c:read"}}},
			want:   head + "scopes:\n  - {scope: b, level: optional}\n  - {scope: \"c:read\", level: required}\n  - " + newFlow + "\n",
		},
		{
			name:   "what is not there cannot go",
			before: head + "scopes: []\n",
			change: change{remove: []scopes.Need{entry("a"), entry("b", "x")}, lower: []levelChange{{of: entry("a")}}},
			want:   head + "scopes: []\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := editText([]byte(c.before), c.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("%s\n%q", diff, got)
			}
			again, err := editText(got, c.change)
			if err != nil || string(again) != string(got) {
				t.Errorf("a second run changes something: %v\n%s", err, again)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	for _, c := range []struct {
		name, before string
		change       change
		says         string
	}{
		{"a program that is not there", head + "scopes: []\n", change{add: []scopes.Need{added("x")}}, `it has no program "x"`},
		{
			"a word on a line of its own", head + "scopes:\n  - scope: >-\n      a:write\n    level: required\n",
			change{narrow: []scopeChange{{of: entry("a:write"), to: "a:read"}}},
			`scopes.yaml:5: cannot edit in place: the word is not written in one piece; do this by hand: put "a:read" in the place of "a:write"`,
		},
		{
			"only the second cannot be done", head + "scopes:\n  - scope: a\n    level: required\n  - scope: b\n    level: |-\n      required\n",
			change{lower: []levelChange{{of: entry("a")}, {of: entry("b")}}, add: []scopes.Need{added()}},
			`scopes.yaml:7: cannot edit in place: the word is not written in one piece; do this by hand: give "b" the level optional`,
		},
		{
			"a list in brackets", head + "scopes:\n  - {scope: a, level: required}\nprograms:\n  p: {scopes: [{scope: b, level: optional}, {scope: c, level: optional}]}\n",
			change{remove: []scopes.Need{entry("a"), entry("c", "p")}},
			`scopes.yaml:7: cannot edit in place: an entry cannot be removed from a list in brackets; do this by hand: remove the entry of "c"`,
		},
		{
			"another level and another scope, on lines of their own", head + "scopes:\n  - scope: >-\n      a:write\n    level: required\n",
			change{lower: []levelChange{{of: entry("a:write")}}, narrow: []scopeChange{{of: entry("a:write"), to: "a:read"}}},
			`do this by hand: put "a:read" in the place of "a:write", and give it the level optional`,
		},
		{
			"a list behind its key's tag", head + "scopes: !!seq\n  - scope: a\n    level: required\n",
			change{add: []scopes.Need{added()}},
			`scopes.yaml:5: cannot edit in place: the entry does not begin on a line of its own; do this by hand: add an entry for "new:read" to this list`,
		},
		{
			"the same with brackets", head + "scopes: !!seq []\n",
			change{add: []scopes.Need{added()}},
			`scopes.yaml:4: cannot edit in place: it is unclear where the entries of this list begin and end; do this by hand: add an entry for "new:read" to this list`,
		},
		{
			"a reason that would grow", head + "scopes:\n  - scope: a\n    level: required\n    why: |+\n\n\n",
			change{add: []scopes.Need{added()}},
			`scopes.yaml:5: cannot edit in place: the text around it would be read differently; do this by hand: add an entry for "new:read" to this list`,
		},
		{
			"a manifest that would be too large", head + "scopes: []\n#" + strings.Repeat("x", yamlfile.MaxFileSize-100) + "\n",
			change{add: []scopes.Need{added()}},
			"scopes.yaml: cannot edit in place: it would grow beyond 1 MiB",
		},
	} {
		got, err := editText([]byte(c.before), c.change)
		var refused *manifestedit.EditError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) || got != nil {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
	if _, err := editText([]byte("version: 2\n"), change{}); !errors.As(err, new(yamlfile.Mistakes)) {
		t.Errorf("no manifest: %v", err)
	}
}

// The least set is ready to paste: it decodes to what it says.
func TestFormatNeeds(t *testing.T) {
	e := added()
	e.Why = "\"quoted\": é\t# no comment \u202e"
	either := scopes.Need{AnyOf: []string{"a", "b"}, Level: scopes.Required, Unadvertised: true, Why: "no"}
	text := head + "scopes:\n" + manifestedit.FormatNeeds([]scopes.Need{e, either})
	m := audittest.Decode(t, text)
	if m.Scopes[0].Why != e.Why || m.Scopes[0].Name() != "new:read" || len(m.Scopes[0].UsedBy) != 2 ||
		m.Scopes[1].Name() != "a|b" || !m.Scopes[1].Unadvertised || m.Scopes[1].Level != scopes.Required || m.Scopes[1].Why != "no" {
		t.Errorf("%s\n%+v", text, m.Scopes)
	}
}

// FuzzEdit: whatever a manifest looks like, an edit that succeeds leaves every line of it
// that it is not about, and a second one changes nothing.
func FuzzEdit(f *testing.F) {
	f.Add(string(ambit.ExampleManifest), uint8(3))
	for _, list := range []string{
		"[]", "[{scope: a, level: required}, {scope: b, level: optional}] # c", "\n- scope: a\n  level: required\n\n# x\n- {scope: b, level: optional}",
		"\r\n  - scope: a\r\n    level: 'required'\r\n", "[\n {scope: a, level: required}, # a\n {scope: b, level: optional,},\n # c\n]",
		"\n- scope: \"\\x61\"\n  level: required\n  why: |+\n    text\n\n- {scope: b,\nlevel: optional} # b", "\n  - scope: a\n    level: required\n    why: \"x\u2028- y\nz\"", "\n  []# none",
	} {
		f.Add(head+"scopes: "+list+"\nprograms: {one: {scopes: "+"[]"+"}}\n", uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, pick uint8) {
		m, err := manifest.Decode("scopes.yaml", []byte(text), nil)
		if err != nil {
			return
		}
		grown, err := editText([]byte(text), change{add: []scopes.Need{added()}})
		var refused *manifestedit.EditError
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			return
		}
		again, err := editText(grown, change{add: []scopes.Need{added()}})
		if err != nil || string(again) != string(grown) {
			t.Fatalf("a second run changes something: %v\n%s\n%s", err, grown, again)
		}
		if len(m.Scopes) == 0 {
			return
		}
		gone := m.Scopes[int(pick)%len(m.Scopes)]
		if _, err := editText(grown, change{remove: []scopes.Need{gone}}); err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
	})
}
