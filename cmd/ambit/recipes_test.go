package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"go.yaml.in/yaml/v3"
)

// A workplace is a checkout with the sandbox's manifest in its root, in the hands of a
// pipeline: an environment of its own, and a key.
type workplace struct {
	dir  string
	temp string
	env  []string
	keys map[string]string
}

func newWorkplace(t *testing.T) *workplace {
	t.Helper()
	for _, part := range []string{"git", "bash", "sh"} {
		if _, err := exec.LookPath(part); err != nil {
			testkit.Lacks(t, "no "+part+" on this machine")
		}
	}
	ready := startBox(t, sandbox.Options{}).Ready()
	w := &workplace{dir: filepath.Dir(ready.Manifest), temp: t.TempDir()}
	w.keys = map[string]string{"full": ready.Keys.Full, "no_gateway": ready.Keys.NoGateway, "read_only": ready.Keys.ReadOnly}
	w.env = []string{"HOME=" + w.temp, "PATH=" + goStandIn(t) + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		w.env = append(w.env, name+"="+strings.TrimSpace(string(value)))
	}
	for _, command := range []string{"git init -q", "git add scopes.yaml"} {
		if code, out := w.run(t, "sh", command); code != 0 {
			t.Fatalf("%s: %d\n%s", command, code, out)
		}
	}
	return w
}

// goStandIn is a directory with a go that has the program installed already: the ambit
// on the path is the one under test, and not the latest that was published.
func goStandIn(t *testing.T) string {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := `#!/bin/sh
[ "$*" = "install github.com/ambit-auth/ambit/cmd/ambit@latest" ] && exit 0
exec '` + real + `' "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run gives a script to a shell as a CI would: as a file.
func (w *workplace) run(t *testing.T, shell, script string, env ...string) (code int, out string) {
	t.Helper()
	file := filepath.Join(w.temp, "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{file}
	if shell == "bash" { // as GitHub calls it
		arguments = []string{"--noprofile", "--norc", "-eo", "pipefail", file}
	}
	c := exec.CommandContext(t.Context(), shell, arguments...)
	c.Dir, c.Env = w.dir, append(slices.Clip(w.env), env...)
	text, err := c.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

// A recipe is the shell part of a block of docs/ci.md.
type recipe struct {
	shell  string
	github bool
	script string
}

// A workflow is the part of a YAML recipe that has to do with shells: of a GitHub
// workflow jobs, of GitLab's file a script.
type workflow struct {
	Jobs map[string]struct {
		Steps []step `yaml:"steps"`
	} `yaml:"jobs"`
	Script []string `yaml:"script"`
}

type step struct {
	Name  string            `yaml:"name"`
	Uses  string            `yaml:"uses"`
	Shell string            `yaml:"shell"`
	Run   string            `yaml:"run"`
	Env   map[string]string `yaml:"env"`
	With  map[string]string `yaml:"with"`
}

func recipes(t *testing.T) []recipe {
	t.Helper()
	page := read(t, "docs/ci.md")
	var list []recipe
	for _, block := range fenced(page, "sh") {
		list = append(list, recipe{shell: "sh", script: block})
	}
	for _, block := range fenced(page, "yaml") {
		var jobs map[string]workflow // GitLab's
		var flow workflow
		if err := yaml.Unmarshal([]byte(block), &flow); err != nil {
			t.Fatalf("%v\n%s", err, block)
		}
		var script string
		for _, job := range flow.Jobs {
			for _, step := range job.Steps {
				script += step.Run + "\n"
			}
		}
		if len(flow.Jobs) == 0 {
			if err := yaml.Unmarshal([]byte(block), &jobs); err != nil {
				t.Fatalf("%v\n%s", err, block)
			}
			script = strings.Join(jobs["scopes"].Script, "\n")
		}
		if strings.TrimSpace(script) != "" {
			list = append(list, recipe{shell: "bash", github: len(flow.Jobs) > 0, script: script})
		}
	}
	return list
}

// TestRecipes runs the shell part of every recipe, with a key that holds everything
// and with one that lacks a required scope.
func TestRecipes(t *testing.T) {
	list := recipes(t)
	if len(list) != 5 {
		t.Fatalf("docs/ci.md has %d recipes with a shell part, want 5", len(list))
	}
	w := newWorkplace(t)
	for _, r := range list {
		if strings.Contains(r.script, "--api-key ") || strings.Contains(r.script, "--api-key=") || strings.Contains(r.script, "${{") {
			t.Errorf("a key or an expression stands in\n%s", r.script)
		}
		env := []string{"CI=true"}
		if r.github {
			env = append(env, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+w.dir)
		}
		for key, want := range map[string]int{"full": 0, "no_gateway": 3} {
			code, out := w.run(t, r.shell, r.script, append(slices.Clip(env), "POSTHOG_PERSONAL_API_KEY="+w.keys[key])...)
			if code != want {
				t.Errorf("with the key %s: exit code %d, want %d\n%s\n%s", key, code, want, r.script, out)
			}
			if want == 3 && !strings.Contains(out, "llm_gateway:read") {
				t.Errorf("nothing names the scope that is missing:\n%s\n%s", r.script, out)
			}
			if strings.Contains(out, w.keys[key]) {
				t.Errorf("the key is in the output:\n%s", out)
			}
		}
	}
}

// TestHookLeavesOtherCommitsAlone runs the pre-commit hook where nothing that is
// declared changes, without any key.
func TestHookLeavesOtherCommitsAlone(t *testing.T) {
	w := newWorkplace(t)
	at := slices.IndexFunc(recipes(t), func(r recipe) bool { return strings.Contains(r.script, "git diff") })
	if at < 0 {
		t.Fatal("docs/ci.md has no hook")
	}
	hook := recipes(t)[at].script
	if code, out := w.run(t, "sh", hook); code != 4 {
		t.Errorf("exit code %d for a changed manifest without a key, want 4\n%s", code, out)
	}
	commit := `git -c user.name=a -c user.email=a@example.com commit -q -m "the manifest"; echo x >other; git add other`
	if code, out := w.run(t, "sh", commit); code != 0 {
		t.Fatalf("%d\n%s", code, out)
	}
	if code, out := w.run(t, "sh", hook); code != 0 || out != "" {
		t.Errorf("exit code %d, want 0 and not a word\n%s", code, out)
	}
}

// An action is what action.yml says.
type action struct {
	Inputs map[string]struct{ Description, Default string }
	Runs   struct {
		Using string
		Steps []step
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	if err := yaml.Unmarshal([]byte(read(t, "action.yml")), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// do runs one of the action's steps as a runner does.
func (a action) do(t *testing.T, w *workplace, step step, inputs map[string]string, env ...string) (code int, out string) {
	t.Helper()
	own := slices.Clip(env)
	for name, value := range step.Env {
		own = append(own, name+"="+a.expand(t, value, inputs))
	}
	return w.run(t, step.Shell, step.Run, own...)
}

// expand evaluates the only expression that the action may hold.
func (a action) expand(t *testing.T, value string, inputs map[string]string) string {
	t.Helper()
	m := regexp.MustCompile(`^\$\{\{ inputs\.(\w+) \}\}$`).FindStringSubmatch(value)
	if m == nil {
		if strings.Contains(value, "${{") {
			t.Fatalf("an expression that is no input: %s", value)
		}
		return value
	}
	declared, ok := a.Inputs[m[1]]
	if !ok {
		t.Fatalf("%s is no input", m[1])
	}
	if given, ok := inputs[m[1]]; ok {
		return given
	}
	return declared.Default
}

func TestAction(t *testing.T) {
	a, w := readAction(t), newWorkplace(t)
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Runs.Steps) != 2 {
		t.Fatalf("the action has %d steps, want one that builds and one that checks", len(a.Runs.Steps))
	}
	build, check := a.Runs.Steps[0], a.Runs.Steps[1]
	summary := filepath.Join(w.temp, "summary.md")
	w.env = append(w.env, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH="+checkout, "RUNNER_TEMP="+w.temp, "GITHUB_WORKSPACE="+w.dir, "GITHUB_STEP_SUMMARY="+summary)
	if code, out := a.do(t, w, build, nil, "PATH="); code != 2 || !strings.Contains(out, "::error title=ambit::there is no Go") {
		t.Errorf("without Go: exit code %d, want 2\n%s", code, out)
	}
	if code, out := a.do(t, w, build, nil); code != 0 {
		t.Fatalf("building: exit code %d\n%s", code, out)
	}
	elsewhere := filepath.Join(w.dir, "app $(touch stolen)", "needs.yaml")
	if err := os.Mkdir(filepath.Dir(elsewhere), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(elsewhere, []byte("version: 1\nname: few\nprovider: ../provider.yaml\nscopes:\n  - {scope: \"user:read\", level: required, why: who}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "appsscript.json"), []byte(`{"oauthScopes": ["user:read"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	evil := "x'; touch stolen; $(touch stolen) `touch stolen` \" && touch stolen #"
	for name, c := range map[string]struct {
		inputs map[string]string
		key    string
		code   int
		says   string
	}{
		"all is there":      {nil, "full", 0, ""},
		"one is missing":    {nil, "no_gateway", 3, "::error file=scopes.yaml,line="},
		"no key":            {nil, "", 4, "::error file=scopes.yaml,line=1"},
		"too much":          {map[string]string{"strict": "true"}, "full", 5, "::error file=scopes.yaml"},
		"strictly what":     {map[string]string{"strict": "very"}, "full", 2, "very"},
		"strict unset":      {map[string]string{"strict": ""}, "full", 0, ""},
		"another manifest":  {map[string]string{"manifest": elsewhere}, "no_gateway", 0, ""},
		"a program":         {map[string]string{"program": "slack,warehouse"}, "read_only", 0, "external_data_source:write"},
		"another server":    {map[string]string{"server": "eu"}, "full", 4, "unknown"},
		"a platform's file": {map[string]string{"manifest": elsewhere, "matches": "\nappsscript.json\nappsscript=appsscript.json\n"}, "full", 0, ""},
		"one that differs":  {map[string]string{"matches": "appsscript.json"}, "full", 5, "appsscript.json does not declare it"},
		"evil file":         {map[string]string{"matches": evil}, "full", 2, "stolen"},
		"evil manifest":     {map[string]string{"manifest": evil}, "full", 2, "stolen"},
		"evil program":      {map[string]string{"program": evil}, "full", 2, "stolen"},
		"evil server":       {map[string]string{"server": evil}, "full", 2, "stolen"},
		"evil strictness":   {map[string]string{"strict": evil}, "full", 2, "stolen"},
		"a flag":            {map[string]string{"server": "--help"}, "full", 2, "--help"},
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(summary)
			code, out := a.do(t, w, check, c.inputs, "POSTHOG_PERSONAL_API_KEY="+w.keys[c.key])
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d and %q in\n%s", code, c.code, c.says, out)
			}
			if text, err := os.ReadFile(summary); c.code != 2 && (err != nil || !strings.Contains(string(text), "\n### ")) {
				t.Errorf("the summary is %q (%v)", text, err)
			}
			for _, dir := range []string{w.dir, filepath.Dir(elsewhere), checkout} {
				if _, err := os.Stat(filepath.Join(dir, "stolen")); err == nil {
					t.Error("an input was run as a command")
				}
			}
		})
	}
}

// TestActionForm holds what a runner wants of an action, and that no text of a script
// has a hole into which an input could be put.
func TestActionForm(t *testing.T) {
	a := readAction(t)
	if a.Runs.Using != "composite" {
		t.Fatalf("it runs by %q", a.Runs.Using)
	}
	for _, s := range a.Runs.Steps {
		if s.Shell == "" || strings.Contains(s.Run, "${{") || strings.Contains(s.Run, "--api-key") {
			t.Errorf("step %q: shell %q\n%s", s.Name, s.Shell, s.Run)
		}
	}
	page := read(t, "docs/ci.md")
	for _, name := range []string{"manifest", "program", "server", "strict", "matches"} {
		if a.Inputs[name].Description == "" || !strings.Contains(page, "`"+name+"`") {
			t.Errorf("the input %s is not described, there or in docs/ci.md", name)
		}
	}
	used := 0
	for _, block := range fenced(page, "yaml") {
		var flow workflow
		if err := yaml.Unmarshal([]byte(block), &flow); err != nil {
			t.Fatal(err)
		}
		for _, job := range flow.Jobs {
			for _, s := range job.Steps {
				ours := strings.HasPrefix(s.Uses, "./")
				if strings.HasPrefix(s.Uses, "ambit") {
					t.Errorf("docs/ci.md uses %s: until there is a release, the action comes from a checkout", s.Uses)
				}
				if ours {
					used++
				}
				for input := range s.With {
					if _, ok := a.Inputs[input]; ours && !ok {
						t.Errorf("docs/ci.md gives the action an input %q that it does not have", input)
					}
				}
			}
		}
	}
	if used == 0 {
		t.Error("docs/ci.md does not show the action")
	}
}
