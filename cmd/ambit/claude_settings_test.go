package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// What a run says that it overrides, it overrides in the real Claude Code: settings of the user and
// of the project that would send the agent elsewhere, or another credential, leave it with the lease.
func TestRealAgentIsHeldToTheLease(t *testing.T) {
	claude, err := exec.LookPath("claude")
	if err != nil {
		testkit.Lacks(t, "claude is not installed: the real agent is not tested here")
	}
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(other.Close)
	box := startBox(t, sandbox.Options{Grant: "all"})
	for name, tt := range map[string]struct {
		directory, settings string // below the home; the run is in the directory work of it
		promised            []string
	}{
		"a provider of the user's": {
			".claude", `{"env": {"CLAUDE_CODE_USE_BEDROCK": "1", "CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1", "ANTHROPIC_BEDROCK_BASE_URL": "ELSEWHERE"}}`,
			[]string{"CLAUDE_CODE_USE_BEDROCK"},
		},
		"two providers of the project's": {
			"work/.claude", `{"env": {"CLAUDE_CODE_USE_VERTEX": "1", "CLAUDE_CODE_USE_FOUNDRY": "true"}}`,
			[]string{"CLAUDE_CODE_USE_FOUNDRY", "CLAUDE_CODE_USE_VERTEX"},
		},
		"another server and another token": {
			"work/.claude", `{"env": {"ANTHROPIC_BASE_URL": "ELSEWHERE", "ANTHROPIC_AUTH_TOKEN": "sk-other"}}`,
			[]string{"ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"},
		},
		"credentials beside the lease": {
			".claude", `{"apiKeyHelper": "echo sk-other", "env": {"ANTHROPIC_API_KEY": "sk-other", "CLAUDE_CODE_OAUTH_TOKEN": "sk-other"}}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			work, directory := filepath.Join(home, "work"), filepath.Join(home, filepath.FromSlash(tt.directory))
			for _, d := range []string{work, directory} {
				if err := os.MkdirAll(d, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			text := strings.ReplaceAll(tt.settings, "ELSEWHERE", other.URL)
			if err := os.WriteFile(filepath.Join(directory, "settings.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*hangs)
			defer cancel()
			c := exec.CommandContext(ctx, self)
			c.Args = []string{"ambit", "run", "-f", box.Ready().Manifest, "--", claude, "-p", "say hello"}
			c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_API_KEY=" + box.Ready().Keys.Full, "TERM=dumb"}
			c.Dir = work
			var out, story bytes.Buffer
			c.Stdout, c.Stderr = &out, &story
			if err := c.Run(); err != nil || !strings.Contains(out.String(), "Hello from the sandbox") {
				t.Errorf("%v\n%s\n%s", err, &out, &story)
			}
			said := strings.Join(strings.Fields(story.String()), " ")
			for _, key := range tt.promised {
				if !strings.Contains(said, "env."+key) {
					t.Errorf("%s is not told:\n%s", key, &story)
				}
			}
			if promises := strings.Contains(said, "overrides it for this run"); promises != (tt.promised != nil) || strings.Contains(said, "sk-other") {
				t.Errorf("told:\n%s", &story)
			}
			if n := elsewhere.Load(); n > 0 {
				t.Errorf("%d requests went elsewhere", n)
			}
		})
	}
}
