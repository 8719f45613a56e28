package ambit_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
)

// pagePrograms are the blocks of Go of docs/library.md: whole programs.
func pagePrograms(t *testing.T) (first, steps string) {
	t.Helper()
	page, err := os.ReadFile("docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```go\n(.*?)```\n").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("docs/library.md shows %d programs", len(blocks))
	}
	return blocks[0][1], blocks[1][1]
}

// built is the path of a program of the page, built as it stands there.
func built(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "whoami.exe")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The page's program is the example that runs here, word for word, and fits a screen.
func TestPageProgramIsTheExample(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	whole, _, _ := strings.Cut(string(example), "\n// Log in for")
	whole = strings.NewReplacer("package ambit_test", "package main", "terminal()", "ambit.Terminal()").Replace(whole)
	program, _ := pagePrograms(t)
	if program != whole {
		t.Errorf("the page shows\n%s\nand here runs\n%s", program, whole)
	}
	if n := strings.Count(program, "\n"); n > 30 {
		t.Errorf("the whole program has %d lines", n)
	}
}

// Whoever runs the page's program where nobody can be asked sees the answer, or what is
// missing, and the exit code says which.
func TestPageProgramRuns(t *testing.T) {
	first, _ := pagePrograms(t)
	program := built(t, first)
	for name, c := range map[string]struct {
		grant, stdout, stderr string // grant "": nobody logs in
		code                  int
	}{
		"granted": {grant: "all", stdout: "200 OK\n"},
		"missing": {grant: "project:read llm_gateway:read", stderr: `missing scopes: ["user:read"]`, code: 1},
		"nobody":  {stderr: "credential", code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			defer aSandbox(c.grant)()
			if c.grant != "" {
				logIn(t)
			}
			var stdout, stderr strings.Builder
			run := exec.CommandContext(t.Context(), program) // its input is no terminal: nobody is there
			run.Stdout, run.Stderr = &stdout, &stderr
			_ = run.Run()
			if run.ProcessState.ExitCode() != c.code || stdout.String() != c.stdout || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit %d, %q, %q", run.ProcessState.ExitCode(), &stdout, &stderr)
			}
		})
	}
}

// The steps print what would be requested, and what a login lacks.
func TestPageStepsRun(t *testing.T) {
	_, steps := pagePrograms(t)
	program := built(t, steps)
	const planned = "11 scopes to request; withheld: []\n"
	for name, c := range map[string]struct {
		grant, stdout string
		code          int
	}{
		"granted": {"all", planned, 0},
		"missing": {"user:read project:read llm_gateway:read query:read event_definition:write organization:read dashboard:write notebook:write health_issue:read wizard_session:write", planned + "missing: insight:write (recommended): creates the onboarding insights\n", 0},
		"nobody":  {"", planned, 1},
	} {
		t.Run(name, func(t *testing.T) {
			defer aSandbox(c.grant)()
			if c.grant != "" {
				logIn(t)
			}
			run := exec.CommandContext(t.Context(), program) // its input is no terminal: nobody is there
			stdout, _ := run.Output()                        // its exit code is compared
			if run.ProcessState.ExitCode() != c.code || string(stdout) != c.stdout {
				t.Errorf("exit %d, %q", run.ProcessState.ExitCode(), stdout)
			}
		})
	}
}

func logIn(t *testing.T) {
	t.Helper()
	s, err := ambit.Open("", ambit.Options{UI: terminal()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Login(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
}
