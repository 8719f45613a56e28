package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// realAgent finds the agent program itself. Without it the test is skipped, or fails
// where AMBIT_TEST_PARTS says that every part must be there.
func realAgent(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("claude")
	if err != nil {
		testkit.Lacks(t, "claude is not installed: the real agent is not tested here")
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

// runAgent runs the real agent behind ambit, as a process of its own.
func runAgent(t *testing.T, claude, manifest, key string, flags ...string) ranAgent {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	report := filepath.Join(home, "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), 2*hangs)
	defer cancel()
	c := exec.CommandContext(ctx, self)
	c.Args = append([]string{"ambit", "run", "-f", manifest, "--report", report}, flags...)
	c.Args = append(c.Args, "--", claude, "-p", "say hello")
	c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_API_KEY=" + key, "TERM=dumb"}
	c.Dir = home
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

// TestRealAgent runs the real Claude Code through the proxy: with a good key it comes
// to its end, with a bad one it stops at once and the verdict names the scope.
func TestRealAgent(t *testing.T) {
	claude := realAgent(t)
	box := startBox(t, sandbox.Options{Grant: "all"})
	good := runAgent(t, claude, box.Ready().Manifest, box.Ready().Keys.Full)
	if good.code != 0 || good.out == "" || len(good.report.Verdicts) != 0 {
		t.Errorf("with a good key: exit code %d, verdicts %v\n%s\n%s", good.code, good.report.Verdicts, good.out, good.story)
	}
	bad := runAgent(t, claude, box.Ready().Manifest, box.Ready().Keys.NoGateway, "--start-anyway")
	if bad.code != 3 || !strings.Contains(bad.story, "missing scope: llm_gateway:read") {
		t.Errorf("with a bad key: exit code %d\n%s\n%s", bad.code, bad.out, bad.story)
	}
	if len(bad.report.Verdicts) == 0 || bad.report.Verdicts[0].Cause != "missing_scope" || bad.report.Verdicts[0].Status != 401 {
		t.Errorf("verdicts %v", bad.report.Verdicts)
	}
	if strings.Contains(strings.ToLower(bad.story), "log out") {
		t.Errorf("it sends people to log out:\n%s", bad.story)
	}
	// Left to itself it stops at the status that the proxy makes of a final 401, and
	// shows the verdict's first line.
	alone := runAgent(t, claude, box.Ready().Manifest, box.Ready().Keys.NoGateway, "--start-anyway", "--on-denied", "continue")
	if !strings.Contains(alone.out+alone.story, "llm_gateway:read") || alone.code == 0 {
		t.Errorf("left to itself: exit code %d\n%s\n%s", alone.code, alone.out, alone.story)
	}
	t.Logf("good %s, stopped %s, left to itself %s", good.took, bad.took, alone.took)
}
