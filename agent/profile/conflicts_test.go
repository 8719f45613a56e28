package profile_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/google/go-cmp/cmp"
)

// files is a machine's files in memory, and a keychain.
type files struct {
	text     map[string]string
	keychain []string
	broken   error
}

func (f files) ReadFile(name string, limit int64) ([]byte, error) {
	if f.broken != nil {
		return nil, f.broken
	}
	text, ok := f.text[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text)[:min(int64(len(text)), limit)], nil
}

func (f files) ReadDir(directory string) []string {
	var names []string
	for name := range f.text { // in no order, as from a disk
		if path.Dir(name) == directory {
			names = append(names, path.Base(name))
		}
	}
	return names
}

func (f files) Exists(name string) bool   { _, ok := f.text[name]; return ok }
func (f files) Keychain(item string) bool { return slices.Contains(f.keychain, item) }

func scan(t *testing.T, system string, f files, environ ...string) []profile.Conflict {
	t.Helper()
	return agenttest.Profile(t, "claude-code").Scan(profile.Place{Files: f, Home: "/home/me", Project: "/proj", OS: system, Environ: environ})
}

func TestScanByRank(t *testing.T) {
	got := scan(t, "linux", files{text: map[string]string{
		"/home/me/.claude/settings.json":                `{"apiKeyHelper": "/bin/print-sk-secret", "model": "x"}`,
		"/home/me/.claude/settings.local.json":          `{"env": {"ANTHROPIC_BASE_URL": "https://secret.example"}}`,
		"/proj/.claude/settings.json":                   `{"env": {"CLAUDE_CODE_USE_BEDROCK": "0", "ANTHROPIC_API_KEY": "", "PATH": "x"}}`,
		"/proj/.claude/settings.local.json":             `{"env": {"ANTHROPIC_BASE_URL": "https://secret.example", "ANTHROPIC_API_KEY": "sk-secret"}}`,
		"/etc/claude-code/managed-settings.json":        "{\n  \"env\": sk-secret\n}",
		"/etc/claude-code/managed-settings.d/20-b.json": `{"env": {"CLAUDE_CODE_USE_VERTEX": true}}`,
		"/etc/claude-code/managed-settings.d/10-a.json": "\ufeff" + `{"apiKeyHelper": ""}`,
		"/etc/claude-code/managed-settings.d/README":    `no settings`,
		"/home/me/.claude/.credentials.json":            `{"secret": "sk-secret"}`,
	}}, "ANTHROPIC_AUTH_TOKEN=sk-secret", "ANTHROPIC_API_KEY=", "CLAUDE_CODE_USE_BEDROCK=1", "CLAUDE_CODE_ENTRYPOINT=cli")
	want := []profile.Conflict{
		{Path: "/etc/claude-code/managed-settings.json", Source: "managed", Keys: []string{}, Effect: "none", Problem: "it is not JSON: see line 2", Advice: "fix the file: ambit cannot tell what it says"},
		{Path: "/etc/claude-code/managed-settings.d/20-b.json", Source: "managed", Keys: []string{"env.CLAUDE_CODE_USE_VERTEX"}, Effect: "routes", Overrides: true, Advice: "remove env.CLAUDE_CODE_USE_VERTEX there"},
		{Path: "/proj/.claude/settings.local.json", Source: "local", Keys: []string{"env.ANTHROPIC_API_KEY"}, Effect: "dropped", Advice: "remove env.ANTHROPIC_API_KEY there"},
		{
			Path: "/proj/.claude/settings.local.json", Source: "local", Keys: []string{"env.ANTHROPIC_BASE_URL"}, Effect: "routes", Overrides: true, Overridable: true,
			Advice: "remove env.ANTHROPIC_BASE_URL there",
		},
		{Path: "/home/me/.claude/settings.json", Source: "user", Keys: []string{"apiKeyHelper"}, Effect: "dropped", Advice: "remove apiKeyHelper there"},
		{Path: "/home/me/.claude/settings.local.json", Source: "user", Keys: []string{"env.ANTHROPIC_BASE_URL"}, Effect: "none", Advice: "nothing needs to be done: the file is not applied"},
		{Path: "/home/me/.claude/.credentials.json", Source: "login", Keys: []string{}, Effect: "none", Advice: "nothing needs to be done: the lease overrides it"},
		{
			Path: "environment", Source: "environment", Keys: []string{"ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK"}, Effect: "none",
			Advice: "nothing needs to be done: ambit run removes them; otherwise unset ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_USE_BEDROCK",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text, _ := json.Marshal(got); strings.Contains(string(text), "secret") {
		t.Errorf("a value was kept: %s", text)
	}
}

// Each key has the effect that was measured of it, whatever else its file sets, and only what the
// settings file of a run sets as well is promised to be overridden.
func TestEveryKeyHasAnEffectOfItsOwn(t *testing.T) {
	type effect struct {
		Effect      profile.Effect
		Overridable bool
	}
	want := map[string]effect{
		"apiKeyHelper":                                {"dropped", false},
		"env.ANTHROPIC_API_KEY":                       {"dropped", false},
		"env.ANTHROPIC_AUTH_TOKEN":                    {"replaces", true},
		"env.ANTHROPIC_BASE_URL":                      {"routes", true},
		"env.ANTHROPIC_BEDROCK_BASE_URL":              {"none", false},
		"env.ANTHROPIC_UNIX_SOCKET":                   {"routes", false},
		"env.CLAUDE_CODE_OAUTH_TOKEN":                 {"none", false},
		"env.CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR": {"none", false},
		"env.CLAUDE_CODE_SKIP_BEDROCK_AUTH":           {"none", false},
		"env.CLAUDE_CODE_USE_BEDROCK":                 {"routes", true},
		"env.CLAUDE_CODE_USE_FOUNDRY":                 {"routes", true},
		"env.CLAUDE_CODE_USE_OF_A_LATER_VERSION":      {"routes", false},
		"env.CLAUDE_CODE_USE_POWERSHELL_TOOL":         {"none", false},
		"env.CLAUDE_CODE_USE_VERTEX":                  {"routes", true},
	}
	document := map[string]any{"apiKeyHelper": "/bin/helper"}
	env := map[string]string{}
	for key := range want {
		if name, ok := strings.CutPrefix(key, "env."); ok {
			env[name] = "1"
		}
	}
	document["env"] = env
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	for place, can := range map[string]bool{
		"/home/me/.claude/settings.json": true, "/proj/.claude/settings.json": true, "/etc/claude-code/managed-settings.json": false,
	} {
		got := map[string]effect{}
		for _, c := range scan(t, "linux", files{text: map[string]string{place: string(text)}}) {
			for _, key := range c.Keys {
				got[key] = effect{c.Effect, c.Overridable}
			}
			if c.Overrides != (c.Effect == profile.EffectRoutes || c.Effect == profile.EffectReplaces) {
				t.Errorf("%+v", c)
			}
		}
		expected := maps.Clone(want)
		for key, e := range expected {
			expected[key] = effect{e.Effect, e.Overridable && can}
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Error(place, diff)
		}
	}
}

func TestScanOnOtherSystems(t *testing.T) {
	settings := `{"env": {"ANTHROPIC_BASE_URL": "https://x.example"}}`
	for system, tt := range map[string]struct {
		files   files
		environ []string
		want    []string
	}{
		"darwin": {
			files{text: map[string]string{"/Library/Application Support/ClaudeCode/managed-settings.json": settings}, keychain: []string{"Claude Code-credentials"}},
			nil,
			[]string{"/Library/Application Support/ClaudeCode/managed-settings.json", "Claude Code-credentials"},
		},
		"windows": {
			files{text: map[string]string{"D:/Data/ClaudeCode/managed-settings.json": settings, "E:/c/settings.json": settings}},
			[]string{`ProgramData=D:\Data`, `CLAUDE_CONFIG_DIR=E:\c\`},
			[]string{"D:/Data/ClaudeCode/managed-settings.json", "E:/c/settings.json"},
		},
		"linux": {files{text: map[string]string{"/Library/Application Support/ClaudeCode/managed-settings.json": settings}, keychain: []string{"Claude Code-credentials"}}, nil, nil},
	} {
		var got []string
		for _, c := range scan(t, system, tt.files, tt.environ...) {
			got = append(got, c.Path)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(system, diff)
		}
	}
}

func TestScanOfWhatCannotBeRead(t *testing.T) {
	got := scan(t, "linux", files{broken: &fs.PathError{Op: "open", Path: "/secret", Err: fs.ErrPermission}})
	if len(got) < 4 || got[0].Problem != "it cannot be read: permission denied" || got[0].Overrides {
		t.Errorf("%+v", got)
	}
	if got := scan(t, "linux", files{text: map[string]string{"/home/me/.claude/settings.json": `[1]`}}); len(got) != 1 || got[0].Problem != "it is JSON, but not an object" {
		t.Errorf("%+v", got)
	}
}

func TestScanReadsTOML(t *testing.T) {
	where := profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Files: files{text: map[string]string{
		"/home/me/.codex/config.toml": "model_provider = \"secret\"\n[profiles.work]\nmodel_provider = \"secret\"\n",
		"/proj/.codex/config.toml":    "model_provider = secret\n",
	}}}
	want := []profile.Conflict{
		{Path: "/proj/.codex/config.toml", Source: "project", Keys: []string{}, Effect: "none", Problem: "it is not TOML: see line 1", Advice: "fix the file: ambit cannot tell what it says"},
		{Path: "/home/me/.codex/config.toml", Source: "user", Keys: []string{"model_provider"}, Effect: "routes", Overrides: true, Overridable: true, Advice: "remove model_provider there"},
		{Path: "/home/me/.codex/config.toml", Source: "user", Keys: []string{"profiles.work.model_provider"}, Effect: "none", Advice: "remove profiles.work.model_provider there"},
	}
	if diff := cmp.Diff(want, agenttest.Profile(t, "codex").Scan(where)); diff != "" {
		t.Error(diff)
	}
}

// A setting is no conflict with the value that the program needs.
func TestScanKnowsTheValueThatIsNeeded(t *testing.T) {
	for value, want := range map[string]bool{"gemini-api-key": false, "oauth-personal": true, "": true} {
		where := profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Files: files{text: map[string]string{
			"/home/me/.gemini/settings.json": `{"security": {"auth": {"selectedType": "` + value + `"}}}`,
		}}}
		found := agenttest.Profile(t, "gemini-cli").Scan(where)
		if got := len(found) == 1 && found[0].Overrides && strings.Contains(found[0].Advice, "Use Gemini API Key"); got != want {
			t.Errorf("%q: %+v", value, found)
		}
	}
}

// An MCP server of the provider by its real address is found in each agent's own file; one by another
// address, or by a variable, is not.
func TestScanFindsMCPServersThatGoPast(t *testing.T) {
	const real, other = "https://MCP.real.example/sse?x=secret", "https://mcp.other.example/"
	for _, tt := range []struct{ agent, path, text, want string }{
		{"claude-code", "/proj/.mcp.json", `{"mcpServers": {"a.b": {"url": "` + real + `"}, "c": {"url": "` + other + `"}, "d": {"url": "${AMBIT_MCP_URL}"}}}`, "project mcpServers.a.b.url"},
		{"claude-code", "/proj/.mcp.json", `{"mcpServers": {"c": {"command": "x", "args": ["-y", "mcp-remote", "` + real + `"]}}}`, "project mcpServers.c.args"},
		{"claude-code", "/proj/.mcp.json", `{"mcpServers": {"c": {"command": "x", "args": ["--url=` + real + `"]}, "d": {"args": ["` + other + `", 1]}}}`, "project mcpServers.c.args"},
		{"claude-code", "/proj/.mcp.json", `{"mcpServers": {"a": {"url": "${PH_URL:-` + real + `}"}, "b": {"url": "${AMBIT_MCP_URL:-` + real + `}"}, "c": {"url": "${OTHER_URL:-` + real + `}"}, "d": {"url": "${REAL_URL}"}, "e": {"url": "${NONE}"}}}`, "project mcpServers.a.url mcpServers.d.url"},
		{"opencode", "/proj/opencode.json", `{"mcp": {"a": {"type": "local", "command": ["npx", "mcp-remote", "` + real + `"]}}}`, "project mcp.a.command"},
		{"codex", "/home/me/.codex/config.toml", "[mcp_servers.a]\nargs = [\"mcp-remote\", \"" + real + "\"]\n", "user mcp_servers.a.args"},
		{"claude-code", "/home/me/.claude.json", `{"projects": {"/proj": {"mcpServers": {"a": {"url": "` + real + `"}}}, "/x": {"mcpServers": {"b": {"url": "` + real + `"}}}}}`, "user projects./proj.mcpServers.a.url"},
		{"claude-code", "/home/me/.claude.json", `{"mcpServers": {"a": {"url": "` + real + `"}}, "big": "` + strings.Repeat("x", 1<<20) + `"}`, "user mcpServers.a.url"},
		{"codex", "/home/me/.codex/config.toml", "[mcp_servers.a]\nurl = \"" + real + "\"\n", "user mcp_servers.a.url"},
		{"gemini-cli", "/proj/.gemini/settings.json", `{"mcpServers": {"a": {"httpUrl": "` + real + `"}}}`, "project mcpServers.a.httpUrl"},
		{"qwen-code", "/home/me/.qwen/settings.json", `{"mcpServers": {"a": {"url": "` + real + `"}}}`, "user mcpServers.a.url"},
		{"opencode", "/proj/opencode.json", `{"mcp": {"a": {"type": "remote", "url": "` + real + `"}}}`, "project mcp.a.url"},
	} {
		where := profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Hosts: []string{"mcp.real.example"}, Files: files{text: map[string]string{tt.path: tt.text}}}
		where.Environ = []string{"OTHER_URL=" + other, "REAL_URL=" + real}
		found := agenttest.Profile(t, tt.agent).Scan(where)
		got := ""
		if len(found) == 1 {
			got = found[0].Source + " " + strings.Join(found[0].Keys, " ")
			if c := found[0]; c.Path != tt.path || c.Effect != profile.EffectBypasses || c.Overrides || !strings.Contains(c.Advice, "AMBIT_") && !strings.Contains(c.Advice, "--for-run") ||
				strings.Contains(fmt.Sprint(c), "secret") {
				t.Errorf("%s: %+v", tt.agent, c)
			}
		}
		if got != tt.want || len(found) > 1 {
			t.Errorf("%s: %+v, want %q", tt.agent, found, tt.want)
		}
		where.Hosts = nil
		if found := agenttest.Profile(t, tt.agent).Scan(where); len(found) > 0 {
			t.Errorf("%s: without a server: %+v", tt.agent, found)
		}
	}
}

// So it is in what a flag names or holds, and a file that cannot be read is told once.
func TestScanFindsMCPServersOfFlags(t *testing.T) {
	const real = "https://mcp.real.example/"
	text := map[string]string{
		"/proj/a.json": `{"mcpServers": {"a": {"url": "` + real + `"}}}`, "/proj/b.json": `{"mcpServers": {"b": {"args": ["` + real + `"]}}}`, "/proj/broken.json": "{\nsecret",
	}
	for line, want := range map[string]string{
		"claude --mcp-config a.json -p hi":                                "/proj/a.json mcpServers.a.url",
		"claude --mcp-config b.json a.json -p broken.json":                "/proj/b.json mcpServers.b.args; /proj/a.json mcpServers.a.url",
		"claude --mcp-config=/proj/a.json":                                "/proj/a.json mcpServers.a.url",
		"claude --mcp-config broken.json":                                 "/proj/broken.json it is not JSON: see line 2",
		"claude --mcp-config none.json":                                   "",
		`claude --mcp-config {"mcpServers":{"i":{"url":"` + real + `"}}}`: "the argument --mcp-config mcpServers.i.url",
		"qwen --mcp-config a.json b.json":                                 "/proj/a.json mcpServers.a.url",
		"claude -- --mcp-config a.json":                                   "",
	} {
		command := profile.NewCommand(strings.Fields(line)...)
		delete(text, "/proj/.mcp.json")
		if strings.Contains(line, ".mcp.json") {
			text["/proj/.mcp.json"] = `{"mcpServers": {"p": {"url": "` + real + `"}}}`
		}
		p, err := profile.ForCommand(command)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range p.Scan(profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Hosts: []string{"mcp.real.example"}, Files: files{text: text}, Command: command}) {
			got = append(got, c.Path+" "+strings.Join(c.Keys, " ")+c.Problem)
			if c.Source != profile.SourceArgument || c.Overrides || strings.Contains(fmt.Sprint(c), "secret") {
				t.Errorf("%s: %+v", line, c)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	where := profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Hosts: []string{"mcp.real.example"}}
	for agent, path := range map[string]string{"claude-code": "/proj/.mcp.json", "qwen-code": "/proj/.qwen/settings.json", "codex": "/proj/.codex/config.toml"} {
		where.Files = files{text: map[string]string{path: `{"mcpServers": [secret`}}
		found := agenttest.Profile(t, agent).Scan(where)
		if len(found) != 1 || found[0].Path != path || found[0].Problem == "" || found[0].Overrides || strings.Contains(fmt.Sprint(found), "secret") {
			t.Errorf("%s: %+v", agent, found)
		}
	}
}

// What the program needs in its settings, and does not find there, is told where it is to be run.
func TestScanMissesWhatIsNeeded(t *testing.T) {
	needed := map[string]bool{
		"": true, `{}`: true, `{"security": {"auth": {"selectedType": "gemini-api-key"}}}`: false, `{"security": {"auth": {"enforcedType": "gemini-api-key"}}}`: true,
	}
	for text, want := range needed {
		where := profile.Place{OS: "linux", Home: "/home/me", Project: "/proj", Command: profile.NewCommand("gemini"), Files: files{text: map[string]string{"/home/me/.gemini/settings.json": text}}}
		found := agenttest.Profile(t, "gemini-cli").Scan(where)
		got := len(found) == 1 && found[0].Effect == profile.EffectLacks && found[0].Overrides && found[0].Says() == "/home/me/.gemini/settings.json does not set security.auth.selectedType"
		if got != want || !want && len(found) > 0 {
			t.Errorf("%s: %+v", text, found)
		}
		where.Command = profile.Command{}
		if found := agenttest.Profile(t, "gemini-cli").Scan(where); len(found) > 0 {
			t.Errorf("nobody runs it: %+v", found)
		}
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.json")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	var disk profile.Disk
	if text, err := disk.ReadFile(file, 5); string(text) != "12345" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := disk.ReadFile(file, 4); err == nil || !strings.Contains(err.Error(), "larger than 4") {
		t.Errorf("%v", err)
	}
	if names := disk.ReadDir(dir); !slices.Equal(names, []string{"a.json"}) || disk.ReadDir(file) != nil {
		t.Errorf("%v", names)
	}
	if !disk.Exists(file) || disk.Exists(file+"x") || disk.Keychain("no such item of ambit's tests") {
		t.Error("what exists")
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"apiKeyHelper": "x"}`, `{"env": {"ANTHROPIC_BASE_URL": ""}}`, "a = 1\n[b.c]\nd = \"\"\"x\n\"\"\"", "{", "\xff", `{"env":[{}]}`} {
		f.Add(seed)
	}
	claude, codex := agenttest.Profile(f, "claude-code"), agenttest.Profile(f, "codex")
	f.Fuzz(func(t *testing.T, text string) {
		where := profile.Place{OS: "linux", Home: "/h", Project: "/w", Files: files{text: map[string]string{
			"/h/.claude/settings.json": text, "/w/.codex/config.toml": text,
		}}}
		for _, p := range []*profile.Profile{claude, codex} {
			for _, c := range p.Scan(where) {
				if c.Keys == nil || c.Path == "" || strings.ContainsAny(c.Problem+c.Advice+strings.Join(c.Keys, ""), "\x00\x1b\n\r") {
					t.Errorf("%+v", c)
				}
				if len(c.Keys) == 0 && c.Problem == "" {
					t.Errorf("nothing found, and told: %+v", c)
				}
			}
		}
	})
}
