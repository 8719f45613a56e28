package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// A realAgent is an agent program that a profile was measured with, at the version that
// .ci/run installs.
type realAgent struct {
	program string   // on the PATH
	args    []string // for one answer without a person
	files   map[string]string
	path    string // of its requests to the gateway
	tries   int    // requests there until it gives up
	shows   string // what stands on its own screen then
}

// realAgents are those that each profile is tested with. claude-newest is a link to a newer
// Claude Code than claude.
func realAgents() map[string]realAgent {
	return map[string]realAgent{
		"claude": {
			program: "claude", args: []string{"-p", "say hello"}, path: "/wizard/v1/messages", tries: 1,
			shows: "\nAPI Error: 451 missing scope: llm_gateway:read",
		},
		"claude-newest": {
			program: "claude-newest", args: []string{"-p", "say hello"}, path: "/wizard/v1/messages", tries: 1,
			shows: "\nAPI Error: 451 missing scope: llm_gateway:read",
		},
		"codex": {
			program: "codex", args: []string{"exec", "--skip-git-repo-check", "say hello"}, path: "/wizard/v1/responses", tries: 1,
			shows: `ERROR: {"type": "error", "error": {"type": "permission_error", "message": "probably missing scope: llm_gateway:read`,
		},
		"gemini": { // the key is what a person selects once; a model that is named needs no other to choose it
			program: "gemini", args: []string{"--skip-trust", "-m", "gemini-2.5-flash", "-p", "say hello"}, path: "/wizard/v1beta/models/", tries: 1,
			files: map[string]string{".gemini/settings.json": `{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false}}`},
			shows: "missing scope: llm_gateway:read",
		},
		"opencode": { // what it stored before is not sent
			program: "opencode", args: []string{"run", "say hello"}, path: "/wizard/v1/messages", tries: 2, // it asks for a title beside
			files: map[string]string{".local/share/opencode/auth.json": `{"anthropic": {"type": "api", "key": "sk-other"}}`},
			shows: "missing scope: llm_gateway:read",
		},
		"qwen": { // the way of a login that it was told before is not gone
			program: "qwen", args: []string{"-p", "say hello"}, path: "/wizard/v1/chat/completions", tries: 1,
			files: map[string]string{".qwen/settings.json": `{"security": {"auth": {"selectedType": "qwen-oauth"}}}`},
			shows: "[API Error: 403 probably missing scope: llm_gateway:read",
		},
	}
}

// find is the path of the agent program. Without it the test is skipped, or fails where
// AMBIT_TEST_PARTS says that every part must be there.
func (a realAgent) find(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(a.program)
	if err != nil {
		testkit.Lacks(t, a.program+" is not installed: the real agent is not tested here")
	}
	if target, err := os.Readlink(path); err == nil && filepath.IsAbs(target) { // its name picks the profile
		return target
	}
	return path
}

// A ranAgent is how a run of the real agent ended.
type ranAgent struct {
	out, story string
	code       int
	took       time.Duration
	report     struct {
		Started  bool
		Verdicts []struct {
			Cause, Confidence string
			Status            int
			Missing           []string
		}
	}
}

// run runs the agent behind ambit, as a process of its own.
func (a realAgent) run(t *testing.T, program, manifest, key string, flags ...string) ranAgent {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home, work := t.TempDir(), t.TempDir()
	for name, text := range a.files {
		path := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	report := filepath.Join(home, "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), 4*hangs)
	defer cancel()
	c := exec.CommandContext(ctx, self)
	c.Args = append([]string{"ambit", "run", "-f", manifest, "--report", report}, flags...)
	c.Args = append(append(c.Args, "--", program), a.args...)
	c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_API_KEY=" + key, "TERM=dumb", "OPENCODE_DISABLE_MODELS_FETCH=1", "TMPDIR=" + home}
	c.Dir = work
	var out, story bytes.Buffer
	c.Stdout, c.Stderr = &out, &story
	start := time.Now()
	err = c.Run()
	r := ranAgent{out: out.String(), story: story.String(), took: time.Since(start)}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		r.code = ended.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.story)
	}
	if err := json.Unmarshal(text, &r.report); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRealAgents runs each real agent through the proxy: with a good key it comes to its
// end; with one that lacks the scope it gives up at once, and the scope stands in the
// verdict and on its own screen, with no advice to log out or in.
func TestRealAgents(t *testing.T) {
	for name, a := range realAgents() {
		t.Run(name, func(t *testing.T) {
			program := a.find(t)
			box := startBox(t, sandbox.Options{Grant: "all"})
			good := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.Full)
			if good.code != 0 || !strings.Contains(good.out, "Hello from the sandbox") || len(good.report.Verdicts) != 0 || modelCalls(box, a.path) == 0 {
				t.Errorf("with a good key: exit code %d, verdicts %v, %d requests\n%s\n%s", good.code, good.report.Verdicts, modelCalls(box, a.path), good.out, good.story)
			}
			before := modelCalls(box, a.path)
			bad := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.NoGateway, "--start-anyway", "--on-denied", "continue")
			if !strings.Contains("\n"+bad.out+"\n"+bad.story, a.shows) || bad.code == 0 {
				t.Errorf("with a bad key: exit code %d\n%s\n%s", bad.code, bad.out, bad.story)
			}
			if tries := modelCalls(box, a.path) - before; tries > a.tries {
				t.Errorf("it tried %d times, want %d", tries, a.tries)
			}
			if v := bad.report.Verdicts; len(v) == 0 || v[0].Cause != "missing_scope" || v[0].Status != 401 || !slices.Contains(v[0].Missing, "llm_gateway:read") {
				t.Errorf("verdicts %v", v)
			}
			for _, advice := range []string{"log out", "logout", "/login"} {
				if strings.Contains(strings.ToLower(bad.out+bad.story), advice) {
					t.Errorf("it says %q:\n%s\n%s", advice, bad.out, bad.story)
				}
			}
			t.Logf("good %s, bad %s", good.took, bad.took)
		})
	}
}

// TestRealAgentWithoutItsSelection: Gemini CLI sends nothing until a person has selected a key once, and
// ambit says so, before and after.
func TestRealAgentWithoutItsSelection(t *testing.T) {
	a := realAgents()["gemini"]
	program := a.find(t)
	a.files = nil
	box := startBox(t, sandbox.Options{Grant: "all"})
	ran := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.Full)
	story := strings.Join(strings.Fields(ran.story), " ")
	if ran.code == 0 || modelCalls(box, a.path) != 0 || len(ran.report.Verdicts) != 1 || ran.report.Verdicts[0].Cause != "not_routed" ||
		strings.Count(story, "does not set security.auth.selectedType") < 2 || !strings.Contains(story, "with /auth") {
		t.Errorf("exit code %d, verdicts %v\n%s\n%s", ran.code, ran.report.Verdicts, ran.out, ran.story)
	}
}

// TestRealAgentsUnreachable: where nobody takes connections in the gateway's place, Claude Code and
// Codex give up at once, and show why on their own screens; with no advice of their own that leads
// astray. Others try again for minutes.
func TestRealAgentsUnreachable(t *testing.T) {
	for _, name := range []string{"claude", "claude-newest", "codex"} {
		t.Run(name, func(t *testing.T) {
			a := realAgents()[name]
			program := a.find(t)
			box := startBox(t, sandbox.Options{Grant: "all"})
			file, err := os.ReadFile(box.Ready().Provider)
			if err != nil {
				t.Fatal(err)
			}
			away := bytes.ReplaceAll(file, []byte(box.Ready().Gateway), []byte("http://127.0.0.1:1/wizard"))
			if err := os.WriteFile(box.Ready().Provider, away, 0o600); err != nil || bytes.Equal(away, file) {
				t.Fatal(err)
			}
			ran := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.Full, "--trust-host", "127.0.0.1:1")
			if v := ran.report.Verdicts; ran.code == 0 || len(v) != 1 || v[0].Cause != "unreachable" {
				t.Errorf("exit code %d, verdicts %v", ran.code, v)
			}
			both := strings.Join(strings.Fields(ran.out+ran.story), " ")
			if strings.Count(both, "unreachable: base gateway: cannot reach") < 2 || strings.Contains(both, "service status") || strings.Contains(both, "/login") {
				t.Errorf("it shows:\n%s\n%s", ran.out, ran.story)
			}
			t.Logf("it took %s", ran.took)
		})
	}
}

// modelCalls is how many requests of the agent's own kind the gateway served.
func modelCalls(box *sandbox.Sandbox, path string) int {
	n := 0
	for _, r := range box.Requests() {
		if r.Part == "gateway" && r.Method == "POST" && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// TestRealAgentIsStopped: where nobody watches, a required scope that is missing ends the
// agent at once, with the exit code for it.
func TestRealAgentIsStopped(t *testing.T) {
	a := realAgents()["claude"]
	program := a.find(t)
	box := startBox(t, sandbox.Options{})
	stopped := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.NoGateway, "--start-anyway")
	if stopped.code != 3 || !strings.Contains(stopped.story, "missing scope: llm_gateway:read") {
		t.Errorf("exit code %d\n%s\n%s", stopped.code, stopped.out, stopped.story)
	}
}

// TestRealAgentReachesMCP: with the MCP file of docs/run.md Claude Code reaches the MCP server
// with the lent credential, an older one in the older era and a newer one in the newer.
func TestRealAgentReachesMCP(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mcp.json")
	if err := os.WriteFile(file, []byte(fenced(read(t, "docs/run.md"), "json")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"claude", "claude-newest"} {
		for kind, want := range map[string]bool{"legacy-mcp": true, "modern-mcp": name == "claude-newest"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				a := realAgents()[name]
				program := a.find(t)
				a.args = append([]string{"--mcp-config", file}, a.args...)
				box := startBox(t, sandbox.Options{Misbehave: []string{kind}})
				ran := a.run(t, program, box.Ready().Manifest, box.Ready().Keys.Full)
				answered := slices.ContainsFunc(box.Requests(), func(r sandbox.Request) bool { return r.Part == "mcp" && r.Method == "POST" && r.Status == 200 })
				if ran.code != 0 || answered != want {
					t.Errorf("exit code %d, answered %v, want %v\n%s\n%s", ran.code, answered, want, ran.out, ran.story)
				}
			})
		}
	}
}
