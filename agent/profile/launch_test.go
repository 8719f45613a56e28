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
		"npx --prefix dir claude -p":                                 "claude-code: npx --prefix dir claude | -p",
		"npm exec --prefix dir -- claude":                            "claude-code: npm exec --prefix dir -- claude |",
		"npm --prefix dir exec claude":                               "claude-code: npm --prefix dir exec claude |",
		"pnpm --filter app exec claude":                              "claude-code: pnpm --filter app exec claude |",
		"corepack pnpm@9 dlx @openai/codex":                          "codex: corepack pnpm@9 dlx @openai/codex |",
		"uv tool run codex":                                          "codex: uv tool run codex |",
		"xargs -n 1 claude -p":                                       "claude-code: xargs -n 1 claude | -p",
		"script -q /dev/null claude -p":                              "claude-code: script -q /dev/null claude | -p",
		"stdbuf -oL setsid -w claude":                                "claude-code: stdbuf -oL setsid -w claude |",
		"env -i HOME=/h claude":                                      "claude-code: env -i HOME=/h claude |",
		"doas -u me claude":                                          "claude-code: doas -u me claude |",
		"flock /lock claude":                                         "claude-code: flock /lock claude |",
		"op run --env-file e -- claude":                              "claude-code: op run --env-file e -- claude |",
		"cmd /c claude.cmd -p":                                       "claude-code: cmd /c claude.cmd | -p",
		// Inside of one word nothing is put.
		"sh -c 'claude -p hi'":                    "claude-code: nowhere",
		"bash -lc 'cd x && A=1 exec claude -p'":   "claude-code: nowhere",
		"timeout 9 bash -o pipefail -c 'x|codex'": "codex: nowhere",
		"npx -c 'claude -p'":                      "claude-code: nowhere",
		"sh -c \"sh -c 'claude -p'\"":             "claude-code: nowhere",
		"env -S 'claude -p'":                      "claude-code: nowhere",
		"script -qc 'claude -p'":                  "claude-code: nowhere",
		"script -q /dev/null -c 'claude -p'":      "claude-code: nowhere",
		"script '--command=claude -p'":            "claude-code: nowhere",
		"xargs -I{} sh -c 'claude -p {}'":         "claude-code: nowhere",
		"sh -c 'echo ${HOME}; A=${B} claude'":     "claude-code: nowhere",
		// Other programs, whatever words they are given.
		"echo claude":                  "any-command: nowhere",
		"npx @somebody/claude":         "any-command: nowhere",
		"npm install claude":           "any-command: nowhere",
		"npm run claude":               "any-command: nowhere",
		"./start-claude.sh":            "any-command: nowhere",
		"docker run -it claude":        "any-command: nowhere",
		"op run claude":                "any-command: nowhere",
		"xargs -n 1":                   "any-command: nowhere",
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
		"qwen -p hi --openai-base-url https://secret.example":  "the argument --openai-base-url --openai-base-url true",
		"qwen --openai-api-key=secret":                         "the argument --openai-api-key --openai-api-key true",
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

// A variable that the command line sets, or takes away, is named where it overrides what ambit run
// gives the program; one that is made of ambit's own is not in the way.
func TestScanOfVariablesOnTheCommandLine(t *testing.T) {
	for line, want := range map[string]string{
		"env ANTHROPIC_BASE_URL=https://secret.example claude": "ANTHROPIC_BASE_URL routes",
		"env ANTHROPIC_AUTH_TOKEN=secret claude -p":            "ANTHROPIC_AUTH_TOKEN replaces",
		"env -u ANTHROPIC_BASE_URL claude":                     "ANTHROPIC_BASE_URL routes",
		"env --unset=ANTHROPIC_AUTH_TOKEN claude":              "ANTHROPIC_AUTH_TOKEN replaces",
		"env -i claude":                                                  "ANTHROPIC_BASE_URL routes; ANTHROPIC_AUTH_TOKEN replaces",
		"sudo ANTHROPIC_BASE_URL=secret claude":                          "ANTHROPIC_BASE_URL routes",
		"env CLAUDE_CODE_USE_BEDROCK=1 claude":                           "CLAUDE_CODE_USE_BEDROCK routes",
		"env CLAUDE_CODE_USE_BEDROCK=0 claude":                           "",
		"env ANTHROPIC_API_KEY=secret DISABLE_TELEMETRY=0 X=1 claude":    "",
		"sh -c 'ANTHROPIC_BASE_URL=https://secret.example claude -p hi'": "ANTHROPIC_BASE_URL routes",
		"bash -lc 'cd x; export ANTHROPIC_BASE_URL=secret A=1; claude'":  "ANTHROPIC_BASE_URL routes",
		"sh -c 'unset ANTHROPIC_BASE_URL && exec claude'":                "ANTHROPIC_BASE_URL routes",
		"sh -c 'ANTHROPIC_BASE_URL=secret true; claude'":                 "",
		"sh -c 'ANTHROPIC_BASE_URL=$AMBIT_GATEWAY_URL claude'":           "",
		"sh -c 'ANTHROPIC_BASE_URL=${ANTHROPIC_BASE_URL}/ claude'":       "",
		"env ANTHROPIC_BASE_URL=secret sh -c 'claude'":                   "ANTHROPIC_BASE_URL routes",
		"env ANTHROPIC_BASE_URL=secret ./wrapped":                        "ANTHROPIC_BASE_URL routes",
		"env ANTHROPIC_BASE_URL=secret timeout 5 npx claude":             "ANTHROPIC_BASE_URL routes",
		"claude ANTHROPIC_BASE_URL=secret":                               "",
		"script -qc 'ANTHROPIC_BASE_URL=\"secret\" claude'":              "ANTHROPIC_BASE_URL routes",
		"env AMBIT_LEASE=secret codex":                                   "AMBIT_LEASE replaces",
		"env AMBIT_LEASE=secret claude":                                  "",
		"sh -c 'AMBIT_LEASE=secret AMBIT_API_URL=secret caller'":         "AMBIT_LEASE replaces; AMBIT_API_URL routes",
		"env OPENCODE_CONFIG_CONTENT={} opencode run hi":                 "OPENCODE_CONFIG_CONTENT routes",
	} {
		command := wordsOf(line)
		p, err := profile.ForCommand(command...)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "./wrapped") {
			p = agenttest.Profile(t, "claude-code")
		}
		var got []string
		for _, c := range p.Scan(profile.Place{Files: files{}, Home: "/home/me", Project: "/proj", OS: "linux", Command: command}) {
			got = append(got, strings.Join(c.Keys, ",")+" "+string(c.Effect))
			if c.Source != profile.SourceCommand || !c.Overrides || strings.Contains(c.Says()+c.Advice, "secret") {
				t.Errorf("%s: %+v", line, c)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// A program that is asked for its version, its help or its settings sends nothing.
func TestOffline(t *testing.T) {
	for line, want := range map[string]bool{
		"claude --version": true, "claude -p hi --help": true, "claude config list": true, "npx claude mcp list": true, "sh -c 'claude --version'": true,
		"claude": false, "claude -p config": false, "claude -- --version": false, "codex exec hi": false, "codex login": true, "gemini -v": true, "opencode models": true,
		"true": false, "caller --version": false,
	} {
		command := wordsOf(line)
		p, err := profile.ForCommand(command...)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Offline(command); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if own := agenttest.Profile(t, "claude-code"); !own.Offline([]string{"./wrapped", "--version"}) || own.Offline(nil) {
		t.Error("a script that stands for the program")
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
