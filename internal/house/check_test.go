package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/ambit-auth/ambit"

// topLevel is what may stand in the root besides papers (*.md) and the Go files of the front door.
var topLevel = []string{
	"cmd", "oauth", "scopes", "metadata", "agent", "internal", "go.mod", "scopes.yaml", // the design's own list
	"action.yml", "Containerfile", ".goreleaser.yaml", "go.sum", "LICENSE", "NOTICE", "docs", ".ci", ".git", ".github", ".gitignore", ".gitattributes",
}

// maxLines is where a file wants a reason; long holds those that have one.
const maxLines = 400

var long = map[string]string{}

// maxFiles is how many files a stranger still looks over, tests aside.
const maxFiles = 26

// A source is a Go file that is no test.
type source struct {
	path string // from the root, with slashes
	text string
}

// A word is knowledge of a provider or an agent program, which belongs into YAML.
type word struct {
	text string // lower case
	from string // the file that it comes from
	may  string // files that may hold it all the same begin like this; "" for none
}

// check returns what is wrong with a file, a sentence each.
func check(s source, words []word, rooms table) []string {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, s.path, s.text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	say := func(at token.Pos, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: ", s.path, set.Position(at).Line)+fmt.Sprintf(format, args...))
	}
	checkImports(s, file, rooms, say)
	checkWords(s, words, say, file)
	checkDocs(file, say)
	checkStart(file, say)
	if n := strings.Count(s.text, "\n"); n > maxLines && long[s.path] == "" {
		say(file.FileStart, "%d lines, more than %d, and no reason is given in long", n, maxLines)
	}
	return found
}

type sayer func(at token.Pos, format string, args ...any)

func checkImports(s source, file *ast.File, rooms table, say sayer) {
	room := rooms[path.Dir(s.path)]
	if room == nil {
		say(file.Package, "%s is not a package of %s", path.Dir(s.path), tableFile)
		return
	}
	for _, i := range file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		ours := "."
		if name != module {
			var found bool
			if ours, found = strings.CutPrefix(name, module+"/"); !found {
				continue
			}
		}
		if !slices.Contains(room.imports, ours) {
			say(i.Pos(), "%s may not import %s", path.Dir(s.path), name)
		}
		room.used = append(room.used, ours)
	}
}

// in is where the word stands in a text, -1 where it does not. One that ends with _ is the beginning of
// credentials: in the middle of another word it is none.
func (w word) in(text string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], w.text)
		if at < 0 {
			return -1
		}
		at += from
		if from = at + 1; !strings.HasSuffix(w.text, "_") || at == 0 || !strings.ContainsAny(text[at-1:at], "abcdefghijklmnopqrstuvwxyz0123456789_") {
			return at
		}
	}
}

func checkWords(s source, words []word, say sayer, file *ast.File) {
	if strings.HasSuffix(path.Dir(s.path), "test") { // what tests have in common
		return
	}
	code := codeOf(s.text, file)
	for _, w := range words {
		if w.may != "" && strings.HasPrefix(s.path, w.may) {
			continue
		}
		if at := w.in(code); at >= 0 {
			say(file.FileStart+token.Pos(min(at, len(s.text))), "%q belongs into %s, not into Go code", w.text, w.from)
		}
	}
}

// codeOf is a file in lower case, with blanks for its imports, whose hosts are no service's.
func codeOf(text string, file *ast.File) string {
	low := []byte(strings.ToLower(text))
	for _, spec := range file.Imports {
		for at := spec.Path.Pos() - file.FileStart; at < spec.Path.End()-file.FileStart; at++ {
			low[at] = ' '
		}
	}
	return string(low)
}

func checkDocs(file *ast.File, say sayer) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
				say(d.Pos(), "%s has no comment", d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				checkSpec(d, spec, say)
			}
		}
	}
}

func checkSpec(d *ast.GenDecl, spec ast.Spec, say sayer) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
			say(spec.Pos(), "%s has no comment", spec.Name)
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				say(name.Pos(), "%s has no comment", name)
			}
		}
	}
}

// exportedReceiver reports whether a function is no method, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.IndexListExpr:
			t = u.X
		case *ast.Ident:
			return u.IsExported()
		default:
			return false
		}
	}
}

// checkStart finds what runs at the start of the program, and the client that has no
// limits.
func checkStart(file *ast.File, say sayer) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				say(d.Pos(), "func init runs before main")
			}
		case *ast.GenDecl:
			atStart(d, func(call *ast.SelectorExpr, name string) {
				if slices.Contains([]string{"regexp.MustCompile", "regexp.Compile", "template.Must", "template.New"}, name) {
					say(call.Pos(), "%s runs before main: put it into a sync.OnceValue", name)
				}
			})
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if name := selector(sel); slices.Contains([]string{"http.DefaultClient", "http.Get", "http.Head", "http.Post", "http.PostForm"}, name) {
				say(sel.Pos(), "%s has no time limit", name)
			}
		}
		return true
	})
}

// atStart visits the selectors of a declaration that are not inside of a function.
func atStart(d *ast.GenDecl, visit func(*ast.SelectorExpr, string)) {
	ast.Inspect(d, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			visit(sel, selector(sel))
		}
		_, function := n.(*ast.FuncLit)
		return !function
	})
}

func selector(sel *ast.SelectorExpr) string {
	if x, ok := sel.X.(*ast.Ident); ok {
		return x.Name + "." + sel.Sel.Name
	}
	return ""
}

// checkTopLevel returns the names that may not stand in the root.
func checkTopLevel(names []string) []string {
	var wrong []string
	for _, name := range names {
		if !slices.Contains(topLevel, name) && path.Ext(name) != ".md" && path.Ext(name) != ".go" {
			wrong = append(wrong, name)
		}
	}
	return wrong
}
