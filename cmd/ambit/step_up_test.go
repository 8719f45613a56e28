//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// A person at a terminal whose child reads its input elsewhere is asked whether the login may hold
// what a call needs, once for each scope. The call is repeated with it; the report has what came of it.
func TestStepUp(t *testing.T) {
	const surveys, cohorts, tool = "GET api/api/projects/1/surveys/", "GET api/api/projects/1/cohorts/", "tool:query-funnel-actors"
	for name, c := range map[string]struct {
		answers   []string
		misbehave []string
		flags     []string
		calls     []string
		code      int
		says      []string
		report    string // the outcomes
	}{
		"yes": {
			answers: []string{"y"}, calls: []string{surveys, surveys},
			says: []string{
				"missing scope: survey:read", "Open the browser to add survey:read to the login? [y/N]",
				"the login holds survey:read now; the request is sent again", surveys + " 200",
			},
			report: "granted",
		},
		"yes, in a run that stops": {answers: []string{"y"}, flags: []string{"--on-denied", "stop"}, calls: []string{surveys}, says: []string{surveys + " 200"}, report: "granted"},
		"yes, for each scope":      {answers: []string{"y", "yes"}, calls: []string{surveys, cohorts, surveys}, says: []string{surveys + " 200", cohorts + " 200"}, report: "granted granted"},
		"a tool": {
			answers: []string{"y"}, misbehave: []string{"step-up"}, calls: []string{tool},
			says: []string{"Open the browser to add person:read to the login? [y/N]", tool + " 200"}, report: "granted",
		},
		"no": {
			answers: []string{"n"}, calls: []string{surveys, surveys, cohorts}, code: 7,
			says: []string{surveys + " 403", cohorts + " 403", "ambit login --add survey:read -f", "ambit login --add cohort:read -f"}, report: "declined",
		},
		"another account agrees": {
			answers: []string{"y"}, misbehave: []string{"other-person"}, calls: []string{surveys, surveys}, code: 7,
			says: []string{"the login stays as it is: another account agreed", surveys + " 403", "was revoked"}, report: "failed",
		},
		"nobody may be asked": {
			flags: []string{"--no-input"}, calls: []string{surveys}, code: 7,
			says: []string{surveys + " 403", "set POSTHOG_PERSONAL_API_KEY or AMBIT_API_KEY to a personal API key that includes survey:read"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			box, home := startBox(t, sandbox.Options{Grant: "all"}), t.TempDir()
			manifest, report := box.Ready().Manifest, filepath.Join(home, "report.json")
			if out, code := onTerminal(t, home, nil, "login", "-f", manifest, "--browser", "visit", "--store", "file"); code != 0 {
				t.Fatalf("%s", out)
			}
			if err := box.Misbehave(c.misbehave...); err != nil {
				t.Fatal(err)
			}
			answered := 0
			watch := func(text []byte, keyboard io.Writer) {
				if asked := bytes.Count(text, []byte("[y/N] ")); asked > answered && asked <= len(c.answers) {
					io.WriteString(keyboard, c.answers[answered]+"\r")
					answered++
				}
			}
			args := append([]string{"<", "BROWSER=visit", "run", "-f", manifest, "--store", "file", "--report", report}, c.flags...)
			out, code := onTerminal(t, home, watch, append(append(args, "--", "caller", "-k"), c.calls...)...)
			said := strings.Join(strings.Fields(string(out)), " ")
			if asked := strings.Count(said, "[y/N]"); code != c.code || asked != len(c.answers) {
				t.Errorf("exit code %d, asked %d times\n%s", code, asked, out)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said\n%s", want, out)
				}
			}
			written, _ := os.ReadFile(report)
			var outcomes []string
			for line := range strings.Lines(string(written)) {
				if _, outcome, ok := strings.Cut(line, `"outcome": `); ok {
					outcomes = append(outcomes, strings.Trim(outcome, "\"\n"))
				}
			}
			if strings.Join(outcomes, " ") != c.report {
				t.Errorf("the report has %v\n%s", outcomes, written)
			}
		})
	}
}

// A child that has the terminal for itself is not disturbed: the step that adds the scope follows when it has ended.
func TestStepUpLeavesTheScreen(t *testing.T) {
	box, home := startBox(t, sandbox.Options{Grant: "all"}), t.TempDir()
	manifest := box.Ready().Manifest
	onTerminal(t, home, nil, "login", "-f", manifest, "--browser", "visit", "--store", "file")
	out, code := onTerminal(t, home, nil, "BROWSER=visit", "run", "-f", manifest, "--store", "file", "--", "caller", "GET api/api/projects/1/surveys/")
	said := strings.Join(strings.Fields(string(out)), " ")
	if code != 7 || strings.Contains(said, "[y/N]") || !strings.Contains(said, "ambit login --add survey:read -f") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
