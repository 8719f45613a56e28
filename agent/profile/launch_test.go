package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/agenttest"
	"github.com/ambit-auth/ambit/agent/profile"
)

// Each line starts the program of a profile: what is put before its own arguments stands at the
// bar, where it can stand anywhere.
func TestProgramBehindWrappers(t *testing.T) {
	for line, want := range map[string]string{
		"claude -p hi":                                               "claude-code: claude | -p hi",
		"/opt/bin/claude.exe":                                        "claude-code: /opt/bin/claude.exe |",
		"env X=1 -u Y claude -p":                                     "claude-code: env X=1 -u Y claude | -p",
		"timeout -k 5 10 claude -p":                                  "claude-code: timeout -k 5 10 claude | -p",
		"nice -n 5 nohup claude":                                     "claude-code: nice -n 5 nohup claude |",
		"sudo -E -u me env A=b claude":                               "claude-code: sudo -E -u me env A=b claude |",
		"npx claude -p":                                              "claude-code: npx claude | -p",
		"npx -y @anthropic-ai/claude-code@2.1.197 -p":                "claude-code: npx -y @anthropic-ai/claude-code@2.1.197 | -p",
		"npx -y -- @anthropic-ai/claude-code -p":                     "claude-code: npx -y -- @anthropic-ai/claude-code | -p",
		"npx -p @anthropic-ai/claude-code claude":                    "claude-code: npx -p @anthropic-ai/claude-code claude |",
		"bunx --bun @openai/codex exec hi":                           "codex: bunx --bun @openai/codex | exec hi",
		"pnpm dlx @openai/codex":                                     "codex: pnpm dlx @openai/codex |",
		"yarn dlx -p @openai/codex codex":                            "codex: yarn dlx -p @openai/codex codex |",
		"npm exec -- @anthropic-ai/claude-code":                      "claude-code: npm exec -- @anthropic-ai/claude-code |",
		"node /l/node_modules/@openai/codex/bin/codex.js":            "codex: node /l/node_modules/@openai/codex/bin/codex.js |",
		`node C:\l\node_modules\@anthropic-ai\claude-code\cli.js -p`: `claude-code: node C:\l\node_modules\@anthropic-ai\claude-code\cli.js | -p`,
		"cmd /c claude.cmd -p":                                       "claude-code: cmd /c claude.cmd | -p",
		// Inside of one word nothing is put.
		"sh -c 'claude -p hi'":                    "claude-code: nowhere",
		"bash -lc 'cd x && A=1 exec claude -p'":   "claude-code: nowhere",
		"timeout 9 bash -o pipefail -c 'x|codex'": "codex: nowhere",
		"npx -c 'claude -p'":                      "claude-code: nowhere",
		"sh -c \"sh -c 'claude -p'\"":             "claude-code: nowhere",
		"env -S 'claude -p'":                      "claude-code: nowhere",
		// Other programs, whatever words they are given.
		"echo claude":                  "any-command: nowhere",
		"npx @somebody/claude":         "any-command: nowhere",
		"npm install claude":           "any-command: nowhere",
		"npm run claude":               "any-command: nowhere",
		"./start-claude.sh":            "any-command: nowhere",
		"sh -c 'echo claude; true'":    "any-command: nowhere",
		"sh -c 'echo \"; claude -p\"'": "any-command: nowhere",
		"timeout 5":                    "any-command: nowhere",
		"sh -c":                        "any-command: nowhere",
		"":                             "any-command: nowhere",
	} {
		command := wordsOf(line)
		p, err := profile.ForCommand(command...)
		if err != nil {
			t.Fatal(err)
		}
		got := p.Name + ": nowhere"
		if at := profile.ArgumentsAt(p, command); at > 0 {
			got = strings.TrimSpace(p.Name + ": " + strings.Join(slices.Insert(slices.Clone(command), at, "|"), " "))
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// wordsOf splits a line at spaces, but for one that stands in quotes.
func wordsOf(line string) []string {
	quote := strings.IndexAny(line, `'"`)
	if quote < 0 {
		return strings.Fields(line)
	}
	return append(strings.Fields(line[:quote]), line[quote+1:len(line)-1])
}

// What the user's own flags hold is looked at as settings are.
func TestScanOfArguments(t *testing.T) {
	disk := files{text: map[string]string{
		"/proj/s.json":     `{"env": {"ANTHROPIC_BASE_URL": "https://secret.example"}}`,
		"/abs/other.json":  `{"model": "x"}`,
		"/abs/broken.json": `secret`,
	}}
	for line, want := range map[string]string{
		"claude --settings s.json":                             "/proj/s.json env.ANTHROPIC_BASE_URL true",
		"claude -p hi --settings=s.json":                       "/proj/s.json env.ANTHROPIC_BASE_URL true",
		"claude --settings=/abs/other.json":                    "",
		"claude --settings /abs/broken.json":                   "/abs/broken.json  false",
		"claude --settings /none.json":                         "",
		`claude --settings={"apiKeyHelper":"sk-secret"}`:       "the argument --settings apiKeyHelper false",
		"sh -c 'claude --settings s.json'":                     "/proj/s.json env.ANTHROPIC_BASE_URL true",
		"claude -- --settings s.json":                          "",
		"claude --settings":                                    "",
		"./my-claude --settings s.json":                        "/proj/s.json env.ANTHROPIC_BASE_URL true",
		"codex exec -c model_provider=secret":                  "the argument -c model_provider true",
		`codex -cmodel_provider="secret" exec`:                 "the argument -c model_provider true",
		"codex --config=model_providers.ambit.base_url=secret": "the argument --config model_providers.ambit.base_url true",
		`codex -c model_providers.ambit={base_url="secret"}`:   "the argument -c model_providers.ambit.base_url true",
		"codex -c model=secret":                                "",
		"codex --oss":                                          "the argument --oss --oss true",
	} {
		command := wordsOf(line)
		if strings.ContainsAny(line, `"`) {
			command = strings.Fields(line)
		}
		p, err := profile.ForCommand(command...)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name == "any-command" {
			p = agenttest.Profile(t, "claude-code")
		}
		var got []string
		for _, c := range p.Scan(profile.Place{Files: disk, Home: "/home/me", Project: "/proj", OS: "linux", Command: command}) {
			got = append(got, strings.Join([]string{c.Path, strings.Join(c.Keys, " "), map[bool]string{true: "true", false: "false"}[c.Overrides]}, " "))
			if c.Source != profile.SourceArgument || strings.Contains(c.Path+c.Advice+c.Problem, "secret") {
				t.Errorf("%s: %+v", line, c)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Some settings are in the way only where whoever administers the machine has them.
func TestScanOfWhatOnlyManagedSettingsCanDo(t *testing.T) {
	text := `{"forceLoginMethod": "console", "forceLoginOrgUUID": "secret"}`
	got := scan(t, "linux", files{text: map[string]string{"/home/me/.claude/settings.json": text, "/etc/claude-code/managed-settings.json": text}})
	if len(got) != 1 || got[0].Source != profile.SourceManaged || !got[0].Overrides || strings.Join(got[0].Keys, " ") != "forceLoginMethod forceLoginOrgUUID" ||
		!strings.Contains(got[0].Advice, "administrator") {
		t.Errorf("%+v", got)
	}
}
