package yamlfile

import (
	"bytes"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The caret stands below the character that the mistake names, whatever stands before it, and in a line
// that is too long around it.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("x", 100) + "!" + strings.Repeat("y", 100)
	for name, c := range map[string]struct {
		source string
		column int
		want   string
	}{
		"plain":             {"level: requird", 8, "7 | level: requird\n  |        ^"},
		"a tab":             {"\tlevel: x", 2, "7 |     level: x\n  |     ^"},
		"wide letters":      {"why: 日本語 x", 10, "7 | why: 日本語 x\n  | " + strings.Repeat(" ", 12) + "^"},
		"combining letters": {"why: e\u0301e\u0301 x", 11, "7 | why: e\u0301e\u0301 x\n  |         ^"},
		"control":           {"why: \x1b[2J x", 11, "7 | why: \\x1b[2J x\n  |              ^"},
		"behind the end":    {"why:", 99, "7 | why:\n  |     ^"},
		"long":              {long, 101, "7 | …" + strings.Repeat("x", 24) + "!" + strings.Repeat("y", 9) + "…\n  | " + strings.Repeat(" ", 25) + "^"},
		"long, at its end":  {long, 201, "7 | …" + strings.Repeat("y", 25) + "\n  | " + strings.Repeat(" ", 25) + "^"},
		"nothing":           {"  ", 1, ""},
	} {
		m := Mistake{Line: 7, Column: c.column, source: c.source, shown: true}
		if got := m.Excerpt(40); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	if got := (Mistake{Line: 7, Column: 1, source: "a: b"}).Excerpt(40); got != "" {
		t.Errorf("nobody has seen to it that this may be shown: %q", got)
	}
}

// A line that may hold a secret is not shown: by its own words, or those that it stands under.
func TestQuotable(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		hidden bool
	}{
		"plain":              {"a: b\nX: c", false},
		"its own key":        {"X: {client_secret: b}", true},
		"a parent":           {"secrets:\n  a: b\n\n  X: b", true},
		"far above":          {"passwords:\n  a:\n    b: c\n  d:\n    - X", true},
		"a list, flush":      {"tokens:\n- a\n- X", true},
		"a list, inner":      {"tokens:\n- a\n-\n  X: b", true},
		"a neighbor":         {"a:\n  token: b\n  c: d\n  X: e", false},
		"the line above":     {"a: {\n  secret:\n  X\n}", true},
		"a key in the value": {"X: aB3dEfGhIjKlMnOpQrStUv12", true},
		"a long name":        {"X: a-name-without-digits-in-it", false},
		"a path":             {`X: ["GET {api}/api/projects/{id}/insights/"]`, false},
	} {
		lines := bytes.SplitAfter([]byte(c.source), []byte("\n"))
		at := bytes.Count([]byte(c.source[:strings.Index(c.source, "X")]), []byte("\n"))
		if got := quotable(lines, at); (got == "") != c.hidden {
			t.Errorf("%s: %q, want it hidden: %t", name, got, c.hidden)
		}
	}
}

// What is told of a file has its line once somebody has seen whose file it is.
func TestToldHasTheLine(t *testing.T) {
	r := &Reader{File: "none.yaml"}
	root := r.Document([]byte("a: b\nc: d\n"))
	r.Mapping(root, "it", []Member{Optional("a", func(*yaml.Node) {})})
	told := r.Told()
	if len(told) != 1 || told[0].source != "c: d" || told[0].Excerpt(80) != "" {
		t.Errorf("%+v", told)
	}
}
