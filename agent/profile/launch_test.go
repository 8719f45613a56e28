package profile_test

import (
	"errors"
	"os"
	"path/filepath"
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
		"sh -c 'claude -p hi'":                          "claude-code: nowhere",
		"bash -lc 'cd x && A=1 exec claude -p'":         "claude-code: nowhere",
		"timeout 9 bash -o pipefail -c 'x|codex'":       "codex: nowhere",
		"npx -c 'claude -p'":                            "claude-code: nowhere",
		"sh -c \"sh -c 'claude -p'\"":                   "claude-code: nowhere",
		"env -S 'claude -p'":                            "claude-code: nowhere",
		"script -qc 'claude -p'":                        "claude-code: nowhere",
		"script -q /dev/null -c 'claude -p'":            "claude-code: nowhere",
		"script '--command=claude -p'":                  "claude-code: nowhere",
		"xargs -I{} sh -c 'claude -p {}'":               "claude-code: nowhere",
		"sh -c 'echo ${HOME}; A=${B} claude'":           "claude-code: nowhere",
		"sh -c 'if ! claude -p hi; then exit 1; fi'":    "claude-code: nowhere",
		"sh -c 'for i in 1 2; do claude -p $i; done'":   "claude-code: nowhere",
		"sh -c 'while claude -p; do sleep 1; done'":     "claude-code: nowhere",
		"sh -c '! claude -p hi'":                        "claude-code: nowhere",
		"sh -c 'case $1 in a) claude;; esac'":           "claude-code: nowhere",
		"sh -c 'f() { claude -p hi; }; f'":              "claude-code: nowhere",
		"bash -c '[[ -n $A ]] && time claude'":          "claude-code: nowhere",
		"bash -c 'cat <(claude -p hi)'":                 "claude-code: nowhere",
		"sh -c 'echo \"`claude -p hi`\"'":               "claude-code: nowhere",
		"sh -c 'eval claude -p hi'":                     "claude-code: nowhere",
		"sh -c 'eval \"if claude; then :; fi\"'":        "claude-code: nowhere",
		"sh -c '\"$(which claude)\" -p hi'":             "claude-code: nowhere",
		"sh -c '$(command -v claude) -p hi'":            "claude-code: nowhere",
		"sh -c '$(readlink -f \"$(which claude)\") -p'": "claude-code: nowhere",
		"sh -c 'A=claude; $A -p hi'":                    "claude-code: nowhere",
		"sh -c 'A=\"npx claude\"; $A -p hi'":            "claude-code: nowhere",
		"sh -c '${AGENT:-claude} -p hi'":                "claude-code: nowhere",
		"sh -c '\"$HOME/bin/claude\" -p hi'":            "claude-code: nowhere",
		`sh -c 'cd My\ Docs && cl\aude -p'`:             "claude-code: nowhere",
		`bash -c '"C:\bin\claude.exe" -p'`:              "claude-code: nowhere",
		"pwsh -Command '& claude -p hi'":                "claude-code: nowhere",
		"fish -c 'if claude -p hi; echo yes; end'":      "claude-code: nowhere",
		"sh -c 'claude -p hi; if'":                      "claude-code: nowhere",
		"eval claude -p hi":                             "claude-code: nowhere",
		"python3 /opt/bin/claude -p hi":                 "claude-code: python3 /opt/bin/claude | -p hi",
		"python3.12 -X dev /opt/bin/claude":             "claude-code: python3.12 -X dev /opt/bin/claude |",
		// Other programs, whatever words they are given.
		"python3 -c 1 claude":                              "any-command: nowhere",
		"python3 -m pip claude":                            "any-command: nowhere",
		"node -e 1 claude":                                 "any-command: nowhere",
		"sh -c 'command -v claude && ./other'":             "any-command: nowhere",
		"sh -c 'for claude in 1 2; do echo $claude; done'": "any-command: nowhere",
		"sh -c 'if echo claude; then :; fi # claude -p'":   "any-command: nowhere",
		"sh -c '$(cat which claude)'":                      "any-command: nowhere",
		"sh -c 'echo <<E\nclaude -p\nE\n'":                 "any-command: nowhere",
		"echo claude":                                      "any-command: nowhere",
		"npx @somebody/claude":                             "any-command: nowhere",
		"npm install claude":                               "any-command: nowhere",
		"npm run claude":                                   "any-command: nowhere",
		"./start-claude.sh":                                "any-command: nowhere",
		"docker run -it claude":                            "any-command: nowhere",
		"op run claude":                                    "any-command: nowhere",
		"xargs -n 1":                                       "any-command: nowhere",
		"sh -c 'echo claude; true'":                        "any-command: nowhere",
		"sh -c 'echo \"; claude -p\"'":                     "any-command: nowhere",
		"timeout 5":                                        "any-command: nowhere",
		"sh -c":                                            "any-command: nowhere",
		"":                                                 "any-command: nowhere",
	} {
		command := wordsOf(line)
		p, err := profile.ForCommand(profile.NewCommand(command...))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Name + ": nowhere"
		if at := profile.ArgumentsAt(p, profile.NewCommand(command...)); at > 0 {
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
		"qwen -p hi --openai-base-url https://secret.example":  "the command line --openai-base-url true",
		"qwen --openai-api-key=secret":                         "the command line --openai-api-key true",
		"codex --oss":                                          "the command line --oss true",
	} {
		command := wordsOf(line)
		if strings.ContainsAny(line, `"`) {
			command = strings.Fields(line)
		}
		p, err := profile.ForCommand(profile.NewCommand(command...))
		if err != nil {
			t.Fatal(err)
		}
		if p.Name == "any-command" {
			p = agenttest.Profile(t, "claude-code")
		}
		var got []string
		for _, c := range p.Scan(profile.Place{Files: disk, Home: "/home/me", Project: "/proj", OS: "linux", Command: profile.NewCommand(command...)}) {
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
		"sh -c 'if ANTHROPIC_BASE_URL=secret claude; then :; fi'":        "ANTHROPIC_BASE_URL routes",
		"sh -c 'export \"ANTHROPIC_BASE_URL=secret\"; ! claude'":         "ANTHROPIC_BASE_URL routes",
		"bash -c 'declare -x ANTHROPIC_BASE_URL=secret; claude'":         "ANTHROPIC_BASE_URL routes",
		"sh -c '(export ANTHROPIC_BASE_URL=secret); claude'":             "",
		"sh -c 'export ANTHROPIC_BASE_URL; claude'":                      "",
		"sh -c 'U=$AMBIT_GATEWAY_URL; ANTHROPIC_BASE_URL=$U claude'":     "",
		"sh -c 'U=secret; ANTHROPIC_BASE_URL=$U claude'":                 "ANTHROPIC_BASE_URL routes",
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
		p, err := profile.ForCommand(profile.NewCommand(command...))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "./wrapped") {
			p = agenttest.Profile(t, "claude-code")
		}
		var got []string
		for _, c := range p.Scan(profile.Place{Files: files{}, Home: "/home/me", Project: "/proj", OS: "linux", Command: profile.NewCommand(command...)}) {
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
		p, err := profile.ForCommand(profile.NewCommand(command...))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Offline(profile.NewCommand(command...)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if own := agenttest.Profile(t, "claude-code"); !own.Offline(profile.NewCommand("./wrapped", "--version")) || own.Offline(profile.Command{}) {
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

// A program is known by what it is a link to, through other links and directories, where it stands
// in the search path and in a line of shell, too.
func TestProgramBehindLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700), os.WriteFile(filepath.Join(dir, name), nil, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	write("share/versions/2.1.197")
	write("lib/node_modules/@openai/codex/bin/start.js")
	write("other")
	link("share/versions/2.1.197", "claude")
	link("claude", "cc")
	link("lib/node_modules/@openai/codex", "current")
	link("current/bin/start.js", "cx")
	link("other", "ot")
	link("loop", "loop")
	t.Setenv("PATH", dir)
	for line, want := range map[string]string{
		dir + "/cc -p hi":                "claude-code",
		"cc -p hi":                       "claude-code",
		"timeout 9 cc -p hi":             "claude-code",
		"sh -c 'if cc -p hi; then :;fi'": "claude-code",
		"cx exec hi":                     "codex",
		"ot":                             "any-command",
		"loop":                           "any-command",
		"none":                           "any-command",
	} {
		p, err := profile.ForCommand(profile.Disk{}.Command(wordsOf(line)...))
		if err != nil || p.Name != want {
			t.Errorf("%s: %s %v", line, p.Name, err)
		}
	}
	codex := agenttest.Profile(t, "codex")
	if at := profile.ArgumentsAt(codex, profile.Disk{}.Command("nice", "cx", "exec")); at != 2 {
		t.Errorf("arguments at %d", at)
	}
}
