package profile_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

func terms() profile.Terms {
	return profile.Terms{Lease: "the-lease", Bases: []provider.Base{
		{Name: "api", URL: "http://127.0.0.1:1/api"}, {Name: "gateway", URL: "http://127.0.0.1:1/gateway"}, {Name: "my-mcp", URL: "http://127.0.0.1:1/mcp"},
	}}
}

func TestEnvironmentOfTheChild(t *testing.T) {
	environ := []string{
		"PATH=/bin", "ANTHROPIC_API_KEY=sk-other", "ANTHROPIC_BASE_URL=https://elsewhere.example", "CLAUDE_CODE_USE_BEDROCK=1", "HOME=/home/me",
		"AWS_BEARER_TOKEN_BEDROCK=x", "AWS_REGION=eu", "AMBIT_API_KEY=phx_secret", "POSTHOG_PERSONAL_API_KEY=phx_secret", "ambit_lower=1",
		"CLAUDE_CONFIG_DIR=/c", "HTTPS_PROXY=http://company:3128", "NO_PROXY=intranet.example", "DISABLE_TELEMETRY=0",
	}
	got, err := agenttest.Profile(t, "claude-code").Environment(environ, agenttest.Provider(t), terms())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PATH=/bin", "HOME=/home/me", "AWS_REGION=eu", "CLAUDE_CONFIG_DIR=/c", "HTTPS_PROXY=http://company:3128",
		"ANTHROPIC_BASE_URL=http://127.0.0.1:1/gateway", "ANTHROPIC_AUTH_TOKEN=the-lease", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
		"DISABLE_TELEMETRY=1", "DISABLE_ERROR_REPORTING=1", "DISABLE_AUTOUPDATER=1",
		"AMBIT_API_URL=http://127.0.0.1:1/api", "AMBIT_GATEWAY_URL=http://127.0.0.1:1/gateway", "AMBIT_MY_MCP_URL=http://127.0.0.1:1/mcp", "AMBIT_LEASE=the-lease",
		"NO_PROXY=intranet.example,127.0.0.1,localhost", "no_proxy=intranet.example,127.0.0.1,localhost",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoProxyOfTheChild(t *testing.T) {
	for _, tt := range []struct {
		environ      []string
		upper, lower string
	}{
		{nil, "127.0.0.1,localhost", "127.0.0.1,localhost"},
		{[]string{"no_proxy=a,"}, "a,127.0.0.1,localhost", "a,127.0.0.1,localhost"},
		{[]string{"NO_PROXY=a", "no_proxy=b"}, "a,127.0.0.1,localhost", "b,127.0.0.1,localhost"},
		{[]string{"NO_PROXY=*"}, "*", "*"},
	} {
		got, err := agenttest.Profile(t, "any-command").Environment(tt.environ, agenttest.Provider(t), profile.Terms{Lease: "l"})
		want := []string{"AMBIT_LEASE=l", "NO_PROXY=" + tt.upper, "no_proxy=" + tt.lower}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(tt.environ, err, diff)
		}
	}
}

func TestAgentWithoutItsBase(t *testing.T) {
	_, err := agenttest.Profile(t, "claude-code").Environment(nil, agenttest.Provider(t), profile.Terms{Lease: "l", Bases: terms().Bases[:1]})
	if err == nil || err.Error() != `Claude Code needs the base "gateway", which this server does not have` {
		t.Errorf("%v", err)
	}
}

func TestPrecedence(t *testing.T) {
	overriding := []profile.Conflict{
		{Path: "managed", Source: profile.SourceManaged, Effect: profile.EffectRoutes, Overrides: true},
		{Path: "user", Source: profile.SourceUser, Effect: profile.EffectRoutes, Overrides: true, Overridable: true},
		{Path: "user", Source: profile.SourceUser, Effect: profile.EffectRoutes, Overrides: true},
		{Path: "beside", Source: profile.SourceUser, Effect: profile.EffectDropped},
	}
	claude := agenttest.Profile(t, "claude-code")
	got, err := claude.Override(profile.NewCommand("/usr/bin/claude", "-p", "hi"), overriding, terms(), "/tmp/s.json")
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Override{
		Arguments: []string{"--settings", "/tmp/s.json"}, At: 1,
		File: `{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1/gateway", "ANTHROPIC_AUTH_TOKEN": "the-lease", ` +
			`"CLAUDE_CODE_USE_BEDROCK": "0", "CLAUDE_CODE_USE_VERTEX": "0", "CLAUDE_CODE_USE_FOUNDRY": "0", "CLAUDE_CODE_USE_MANTLE": "0", "CLAUDE_CODE_USE_ANTHROPIC_AWS": "0"}}`,
		Conflicts: slices.Clone(overriding),
	}
	want.Conflicts[1].Overridden = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if left := profile.Overriding(got.Conflicts); len(left) != 2 || left[0].Path != "managed" || left[1].Overridable {
		t.Errorf("left: %v", left)
	}
	for name, command := range map[string][]string{
		"a line of shell": {"sh", "-c", "claude"}, "the user's own flag": {"claude", "--settings", "mine"}, "the same in one word": {"npx", "claude", "-p", "--settings=mine"}, "nothing": nil,
	} {
		if got, err := claude.Override(profile.NewCommand(command...), overriding, terms(), "f"); err != nil || got.Arguments != nil || len(profile.Overriding(got.Conflicts)) != 3 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := claude.Override(profile.NewCommand("claude"), overriding[3:], terms(), "f"); err != nil || got.Arguments != nil {
		t.Errorf("nothing in the way: %+v, %v", got, err)
	}
	got, err = agenttest.Profile(t, "codex").Override(profile.NewCommand("codex"), nil, terms(), "")
	if err != nil || len(got.Arguments) != 4 || got.Arguments[3] != `model_providers.ambit={name="ambit", base_url="http://127.0.0.1:1/gateway/v1", env_key="AMBIT_LEASE", wire_api="responses"}` {
		t.Errorf("%+v, %v", got, err)
	}
}

// A base that the server does not have is told with its place in a file of the user's own.
func TestEnvironmentNamesThePlace(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("quill.yaml", []byte("label: Quill\ncommands: [quill]\nset:\n  QUILL_URL: \"{nobase}\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := profile.Find("./quill.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Environment(nil, agenttest.Provider(t), terms())
	if err == nil || err.Error() != `./quill.yaml:4:14: Quill needs the base "nobase", which this server does not have` {
		t.Errorf("%v", err)
	}
}

// Each variable stands once in what the child gets, though two bases have names that no shell tells apart.
func TestEnvironmentHasEachVariableOnce(t *testing.T) {
	bases := []provider.Base{{Name: "my-api", URL: "http://127.0.0.1:1/a"}, {Name: "my_api", URL: "http://127.0.0.1:1/b"}}
	env, err := agenttest.Profile(t, "any-command").Environment([]string{"NO_PROXY=x", "AMBIT_LEASE=y"}, &provider.Provider{}, profile.Terms{Bases: bases, Lease: "l"})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if seen[name] {
			t.Errorf("%s is there twice: %q", name, env)
		}
		seen[name] = true
	}
}
