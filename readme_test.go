package ambit_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
)

// readmeProgram is the README's second code block: a whole program.
func readmeProgram(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "\n```go\n")
	code, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("the README shows no program")
	}
	return code
}

// buildReadmeProgram is the path of the program, built as it stands in the README.
func buildReadmeProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "whoami.exe")
	if err := os.WriteFile(source, []byte(readmeProgram(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The README's program is the example that runs here, word for word, and fits a screen.
func TestReadmeProgramIsTheExample(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	whole, _, _ := strings.Cut(string(example), "\n// Log in for")
	whole = strings.NewReplacer("package ambit_test", "package main", "terminal()", "ambit.Terminal()").Replace(whole)
	program := readmeProgram(t)
	if program != whole {
		t.Errorf("the README shows\n%s\nand here runs\n%s", program, whole)
	}
	if n := strings.Count(program, "\n"); n > 30 {
		t.Errorf("the whole program has %d lines", n)
	}
}

// Whoever runs the README's program where nobody can be asked sees the answer, or what is
// missing, and the exit code says which.
func TestReadmeProgramRuns(t *testing.T) {
	program := buildReadmeProgram(t)
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
