package house_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"go.yaml.in/yaml/v3"
)

// root is the tree's own directory, as seen from this one.
const root = "../.."

// sources reads every Go file of the tree that is no test.
func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		list = append(list, source{name, string(text)})
		return err
	})
	if err != nil || len(list) < 10 {
		t.Fatalf("%d files: %v", len(list), err)
	}
	return list
}

// knowledge gathers the words that only YAML files may hold.
func knowledge(t *testing.T) []word {
	t.Helper()
	words := scopeWords(t, "scopes.yaml", ambit.ExampleManifest)
	for _, name := range provider.BuiltinNames() {
		words = append(words, providerWords(t, name)...)
	}
	profiles, _ := filepath.Glob(root + "/agent/profile/profiles/*.yaml") // the pattern is right
	for _, file := range profiles {
		words = append(words, agentWord(file))
	}
	return words
}

// agentWord is the name of an agent program, by the file that describes it. The
// contract names one in a command: ambit export claude.
func agentWord(file string) word {
	w := word{text: strings.TrimSuffix(filepath.Base(file), ".yaml"), from: "agent/profile/profiles"}
	if w.text == "claude" {
		w.may = "internal/cli/export"
	}
	return w
}

// scopeWords are the scopes of a manifest, and the resources in them that two words
// name: those mean nothing else.
func scopeWords(t *testing.T, file string, text []byte) []word {
	t.Helper()
	m, err := manifest.Decode(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := m.Select(m.ProgramNames()...)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.AnyOf...)
	}
	return fromScopes(list, file)
}

func fromScopes(list []string, file string) []word {
	var words []word
	for _, scope := range list {
		words = append(words, word{text: strings.ToLower(scope), from: file})
		if resource, _, found := strings.Cut(scope, ":"); found && strings.Contains(resource, "_") {
			words = append(words, word{text: strings.ToLower(resource), from: file})
		}
	}
	return words
}

// anyService are words that also mean something without the service: kinds of credential, and a form of
// output.
var anyService = []string{"refresh_token", "client_secret", "api_key", "github"}

// providerWords are a provider's name, hosts, prefixes, client ids, environment
// variables and scopes.
func providerWords(t *testing.T, name string) []word {
	t.Helper()
	p, err := provider.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	file := "scopes/provider/providers/" + name + ".yaml"
	list := []string{p.ServerFrom, p.Client.ID}
	if !slices.Contains(anyService, name) {
		list = append(list, `"`+name+`"`) // many are also parts of other words
	}
	for _, host := range p.Hosts() {
		if host != "github.com" && !strings.HasPrefix(host, "localhost") && !strings.HasPrefix(host, "127.") && !strings.HasPrefix(host, "[::1]") {
			list = append(list, host)
		}
	}
	for _, id := range p.Client.IDs {
		list = append(list, id)
	}
	var kinds []word
	for _, k := range p.Credentials {
		list = append(append(list, k.Prefix), k.Env...)
		if k.Kind != scopes.AccessToken && k.Kind != scopes.UnknownKind && !slices.Contains(anyService, string(k.Kind)) {
			kinds = append(kinds, word{text: string(k.Kind), from: file, may: "internal/sandbox/"}) // its stand-in
		}
	}
	words := append(fromScopes(exceptions(t, name), file), kinds...)
	for _, text := range list {
		if text != "" {
			words = append(words, word{text: strings.ToLower(text), from: file})
		}
	}
	return words
}

// exceptions are the scopes that a provider's rules name as excepted.
func exceptions(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(root + "/scopes/provider/providers/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Implies []struct{ Except []string }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, rule := range file.Implies {
		list = append(list, rule.Except...)
	}
	return list
}

func TestTree(t *testing.T) {
	words, packages, rooms := knowledge(t), make(map[string]bool), readTable(t)
	files := make(map[string]int)
	for _, s := range sources(t) {
		files[path.Dir(s.path)]++
		for _, wrong := range check(s, words, rooms) {
			t.Error(wrong)
		}
		if text := s.text; strings.HasPrefix(text, "// Package ") || strings.Contains(text, "\n// Package ") || strings.Contains(text, "// Command ") {
			packages[path.Dir(s.path)] = true
		}
	}
	for _, s := range sources(t) {
		if directory := path.Dir(s.path); !packages[directory] {
			t.Errorf("package %s has no comment", directory)
			packages[directory] = true // once is enough
		}
	}
	for _, wrong := range rooms.unused() {
		t.Error(wrong)
	}
	for directory, n := range files {
		if n > maxFiles {
			t.Errorf("%s has %d files, more than %d: there are two rooms in it", directory, n, maxFiles)
		}
	}
	for file := range long {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Errorf("long names a file that is not there: %v", err)
		}
	}
}

// Only what git would carry counts: a build's results may lie about.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored, _ := os.ReadFile(filepath.Join(root, ".gitignore"))
	lines := strings.Fields(string(ignored))
	var names []string
	for _, e := range entries {
		if !slices.Contains(lines, e.Name()) && !slices.Contains(lines, "/"+e.Name()) && !slices.Contains(lines, "/"+e.Name()+"/") {
			names = append(names, e.Name())
		}
	}
	for _, wrong := range checkTopLevel(names) {
		t.Errorf("%s may not stand in the root", wrong)
	}
}

// The words that the rule was made for are among those that were derived.
func TestKnowledgeIsDerived(t *testing.T) {
	var texts []string
	for _, w := range knowledge(t) {
		texts = append(texts, w.text)
	}
	for _, want := range []string{
		`"posthog"`, "phx_", "pha_", "phc_", "phs_", "llm_gateway", "llm_gateway:read", "user:read", "us.posthog.com",
		"posthog_personal_api_key", "internal_run:read", "wizard_session",
	} {
		if !slices.Contains(texts, want) {
			t.Errorf("%q was not derived from the YAML files", want)
		}
	}
	for _, not := range []string{"", "*", "localhost", "localhost:8010", "user", "read"} {
		if slices.Contains(texts, not) {
			t.Errorf("%q is no knowledge of a provider", not)
		}
	}
}

// Each check finds what it is there for, and leaves alone what is right.
func TestChecksCanFail(t *testing.T) {
	words := []word{{text: "acme", from: "a.yaml"}, {text: "sk_", from: "a.yaml"}, {text: "robot", from: "r.yaml", may: "internal/cli/export"}}
	rooms := table{"scopes": {}, "agent": {}, "oauth": {imports: []string{"scopes"}}, "internal/sandbox": {}, "internal/cli": {imports: []string{".", "agent"}}}
	for name, c := range map[string]struct {
		path, text string
		want       string // part of the only finding; "" for none
	}{
		"right": {"scopes/a.go", "package scopes\n\n// A is it.\ntype A int\n\n// F does.\nfunc (a A) F() {}\n\nfunc g() {}\n", ""},

		"forbidden import":       {"scopes/a.go", "package scopes\n\nimport _ \"" + module + "/oauth\"\n", "scopes may not import"},
		"allowed import":         {"oauth/a.go", "package oauth\n\nimport _ \"" + module + "/scopes\"\n", ""},
		"import of the root":     {"oauth/a.go", "package oauth\n\nimport _ \"" + module + "\"\n", "oauth may not import"},
		"other modules":          {"scopes/a.go", "package scopes\n\nimport _ \"" + module + "x/y\"\n", ""},
		"package not in design":  {"internal/util/a.go", "package util\n", "is not a package of ARCHITECTURE.md"},
		"package below another":  {"oauth/store/a.go", "package store\n", "is not a package of ARCHITECTURE.md"},
		"commands import all":    {"internal/cli/a.go", "package cli\n\nimport _ \"" + module + "\"\n\nimport _ \"" + module + "/agent\"\n", ""},
		"sandbox imports none":   {"internal/sandbox/a.go", "package sandbox\n\nimport _ \"" + module + "/scopes\"\n", "may not import"},
		"word in a string":       {"scopes/a.go", "package scopes\n\nconst a = \"ACME-1\"\n", "a.go:3: \"acme\" belongs"},
		"beginning of a key":     {"scopes/a.go", "package scopes\n\nconst a = \"ask_on\"\n\nconst b = \"sk_live\"\n", "a.go:5: \"sk_\" belongs"},
		"the same in a word":     {"scopes/a.go", "package scopes\n\nconst a = \"ask_on task_1\"\n", ""},
		"word in a comment":      {"internal/sandbox/a.go", "package sandbox // as Acme does\n", "a.go:1: \"acme\" belongs"},
		"word in a name":         {"agent/a.go", "package agent\n\nfunc isRobot() {}\n", "\"robot\" belongs into r.yaml"},
		"word where it may be":   {"internal/cli/export.go", "package cli // for a robot\n", ""},
		"function":               {"scopes/a.go", "package scopes\n\nfunc F() {}\n", "F has no comment"},
		"method":                 {"scopes/a.go", "package scopes\n\nfunc (a *A[T]) F() {}\n", "F has no comment"},
		"method of inner type":   {"scopes/a.go", "package scopes\n\nfunc (a *a) F() {}\n", ""},
		"type":                   {"scopes/a.go", "package scopes\n\ntype T int\n", "T has no comment"},
		"variable":               {"scopes/a.go", "package scopes\n\nvar a, B int\n", "B has no comment"},
		"constant in a group":    {"scopes/a.go", "package scopes\n\nconst (\n\tA = 1 // one\n\tB = 2\n)\n", "B has no comment"},
		"group with a comment":   {"scopes/a.go", "package scopes\n\n// Both.\nconst (\n\tA = 1\n\tB = 2\n)\n", ""},
		"regexp at start":        {"scopes/a.go", "package scopes\n\nimport \"regexp\"\n\nvar r = regexp.MustCompile(`a`)\n", "regexp.MustCompile runs"},
		"template at start":      {"scopes/a.go", "package scopes\n\nvar r = template.Must(nil, nil)\n", "template.Must runs"},
		"in a struct at start":   {"scopes/a.go", "package scopes\n\nvar r = s{a: []any{regexp.MustCompile(`a`)}}\n", "regexp.MustCompile runs"},
		"regexp when needed":     {"scopes/a.go", "package scopes\n\nvar r = sync.OnceValue(func() any { return regexp.MustCompile(`a`) })\n", ""},
		"init":                   {"scopes/a.go", "package scopes\n\nfunc init() {}\n", "func init"},
		"method called init":     {"scopes/a.go", "package scopes\n\nfunc (a a) init() {}\n", ""},
		"default client":         {"oauth/a.go", "package oauth\n\nvar c = http.DefaultClient\n", "no time limit"},
		"default client's short": {"oauth/a.go", "package oauth\n\nfunc f() { http.Get(\"\") }\n", "no time limit"},
		"long":                   {"scopes/a.go", "package scopes\n" + strings.Repeat("\n", maxLines), "401 lines"},
		"not so long":            {"scopes/a.go", "package scopes\n" + strings.Repeat("\n", maxLines-1), ""},
		"no Go":                  {"scopes/a.go", "pakage", "expected 'package'"},
	} {
		found := check(source{c.path, c.text}, words, rooms)
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s: found %q", name, found)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
			t.Errorf("%s: found %q, want %q only", name, found, c.want)
		}
	}
	if wrong := checkTopLevel([]string{"scopes", "README.md", "main.go", "pkg", "LICENSE"}); !slices.Equal(wrong, []string{"pkg"}) {
		t.Errorf("in the root: %v", wrong)
	}
}
