package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A home is the one file in which something stands; whoever needs it asks there.
type home struct {
	file   string            // "" where it stands nowhere
	except map[string]string // files, or directories with a slash at the end, and the reason
}

// separate is why the sandbox has what others ask for: it stands in for servers, and shares
// no knowledge with what it tests.
const separate = "the sandbox is a program of its own, for tests"

// homes are by what is written: a call, or a literal of a type.
var homes = map[string]home{
	"os.Rename":     {file: "internal/files/write.go"},
	"signal.Notify": {file: "internal/signals/signals.go"},
	"io.LimitReader": {file: "internal/files/read.go", except: map[string]string{
		"internal/sandbox/": separate,
	}},
	"yaml.NewDecoder": {file: "internal/yamlfile/reader.go", except: map[string]string{
		"internal/sandbox/": separate,
	}},
	"yaml.Unmarshal": {except: map[string]string{
		"internal/evidence/":     "a description of megabytes is read in parts, and nobody here wrote it",
		"internal/manifestedit/": "a text that is edited was decoded before, and its mistakes told; here only places count",
		"internal/sandbox/":      separate,
	}},
	"json.NewDecoder": {file: "internal/guard/object.go", except: map[string]string{
		"internal/evidence/": "recordings and tool lists are read as streams, and their mistakes have a place",
		"internal/jsonedit/": "where each member stands in the text is what an edit needs",
		"internal/mcp/":      "a list of tools is read as it passes, and not kept",
		"internal/sandbox/":  separate,
	}},
	"http.Client{}":         {file: "internal/guard/client.go"},
	"http.Transport{}":      {file: "internal/guard/client.go"},
	"http.DefaultTransport": {file: "internal/guard/client.go"},
	"errors.As":             {}, // errors.AsType says the same in one expression
}

// checkHomes returns what stands elsewhere than at home, and what the table names in vain.
func checkHomes(sources []source, homes map[string]home) []string {
	var wrong []string
	used := make(map[string]bool) // "what in file or directory"
	for _, s := range sources {
		for what, line := range written(s, homes) {
			switch at := homes[what].allows(s.path); at {
			case "":
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s stands here, and has its home in %s", s.path, line, what, orNowhere(homes[what].file)))
			default:
				used[what+" in "+at] = true
			}
		}
	}
	for what, h := range homes {
		for _, at := range append(slices.Collect(maps.Keys(h.except)), h.file) {
			if at != "" && !used[what+" in "+at] {
				wrong = append(wrong, fmt.Sprintf("%s: the table names it for %s, where it is not", at, what))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// allows returns the entry of the table by which it may stand in a file; "" for none.
func (h home) allows(path string) string {
	if path == h.file {
		return path
	}
	for at := range h.except {
		if path == at || strings.HasSuffix(at, "/") && strings.HasPrefix(path, at) {
			return at
		}
	}
	return ""
}

func orNowhere(file string) string {
	if file == "" {
		return "no file"
	}
	return file
}

// written are those of homes that stand in a file, with the line of the first.
func written(s source, homes map[string]home) map[string]int {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, s.path, s.text, parser.SkipObjectResolution)
	if err != nil {
		return nil // TestTree says so
	}
	lines := make(map[string]int)
	note := func(n ast.Node, name string) {
		if _, known := homes[name]; known && lines[name] == 0 {
			lines[name] = set.Position(n.Pos()).Line
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			note(n, selector(n))
		case *ast.CompositeLit:
			if t, ok := n.Type.(*ast.SelectorExpr); ok {
				note(n, selector(t)+"{}")
			}
		}
		return true
	})
	return lines
}

func TestOneHome(t *testing.T) {
	for _, wrong := range checkHomes(sources(t), homes) {
		t.Error(wrong)
	}
	for _, h := range homes {
		for at, reason := range h.except {
			if _, err := os.Stat(filepath.Join(root, at)); err != nil || reason == "" {
				t.Errorf("%s is excepted, %q: %v", at, reason, err)
			}
		}
	}
}

// The check finds a second home, and a table that says more than is true.
func TestOneHomeCanFail(t *testing.T) {
	homes := map[string]home{"os.Rename": {file: "a/a.go", except: map[string]string{"b/": "a reason"}}, "http.Client{}": {}}
	rename := "package p\n\nfunc f() { os.Rename(a, b) }\n"
	for name, c := range map[string]struct {
		sources []source
		want    []string
	}{
		"right":           {[]source{{"a/a.go", rename}, {"b/c.go", rename}}, nil},
		"another file":    {[]source{{"a/a.go", rename}, {"b/c.go", rename}, {"a/b.go", rename}}, []string{"a/b.go:3: os.Rename stands here, and has its home in a/a.go"}},
		"handed on":       {[]source{{"a/a.go", rename}, {"b/c.go", rename}, {"c/c.go", "package c\n\nvar move = os.Rename\n"}}, []string{"c/c.go:3: os.Rename stands here, and has its home in a/a.go"}},
		"a literal":       {[]source{{"a/a.go", rename}, {"b/c.go", rename}, {"c/c.go", "package c\n\nvar c = &http.Client{Timeout: 1}\n"}}, []string{"c/c.go:3: http.Client{} stands here, and has its home in no file"}},
		"a type":          {[]source{{"a/a.go", rename}, {"b/c.go", rename}, {"c/c.go", "package c\n\nvar c *http.Client\n"}}, nil},
		"no home":         {[]source{{"b/c.go", rename}}, []string{"a/a.go: the table names it for os.Rename, where it is not"}},
		"no exception":    {[]source{{"a/a.go", rename}}, []string{"b/: the table names it for os.Rename, where it is not"}},
		"another package": {[]source{{"a/a.go", rename}, {"bb/c.go", rename}, {"b/c.go", rename}}, []string{"bb/c.go:3: os.Rename stands here, and has its home in a/a.go"}},
	} {
		if got := checkHomes(c.sources, homes); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
