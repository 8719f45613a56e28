package profile_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/yamlfile"
)

func TestProfileForCommand(t *testing.T) {
	for command, want := range map[string]string{
		"claude": "claude-code", "/usr/local/bin/claude": "claude-code", `C:\tools\claude.exe`: "claude-code", "claude.CMD": "claude-code",
		"codex": "codex", "gemini": "gemini-cli", "opencode": "opencode", "qwen": "qwen-code", "curl": "any-command", "claudette": "any-command", "": "any-command", "*": "any-command",
	} {
		p, err := profile.ForCommand(command)
		if err != nil || p.Name != want {
			t.Errorf("%q: %v, %v; want %s", command, p, err, want)
		}
	}
}

func TestProfileByName(t *testing.T) {
	for _, word := range []string{"claude", "claude-code"} {
		if p, err := profile.Find(word); err != nil || p.Name != "claude-code" {
			t.Errorf("%q: %v, %v", word, p, err)
		}
	}
	for word, want := range map[string]string{
		"claud": `unknown agent "claud" (allowed: `, "codexx": `did you mean "codex"?`, "*": `unknown agent "*"`,
	} {
		if _, err := profile.Find(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", word, err, want)
		}
	}
}

// A word with a slash, or the ending of YAML, is a file.
func TestProfileOfOnesOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{"quill.yaml", "quill.yml", "quill"} {
		if err := os.WriteFile(file, []byte("label: Quill\ncommands: [quill]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, word := range []string{"quill.yaml", "quill.yml", "./quill"} {
		if p, err := profile.Find(word); err != nil || p.Name != "quill" || p.Label != "Quill" {
			t.Errorf("%q: %v, %v", word, p, err)
		}
	}
	if _, err := profile.Find("quill"); err == nil || !strings.Contains(err.Error(), "unknown agent") {
		t.Errorf("a name is not a file: %v", err)
	}
	if _, err := profile.Find("none.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestProfileMistakesAreAllTold(t *testing.T) {
	text := `label: 7
commands: [a]
drop: A_*
sett: {}
set:
  "A B": x
  C: 1
  C: "2"
settings:
  - {source: everyone, path: /x, format: ini}
  - {path: /y, counts: perhaps}
keys:
  - {key: a.b, effect: perhaps}
logins:
  - {path: a, keychain: b}
precedence: {arguments: [-s, "{file}"], sources: [user], file: "{a"}
`
	_, err := profile.Decode("dir/mine.yaml", []byte(text))
	var mistakes yamlfile.Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mistakes {
		got = append(got, m.Error())
	}
	want := []string{
		`dir/mine.yaml:1:8: label is text, not the number 7: put it between quotes`,
		`dir/mine.yaml:3:7: drop is a list, not the text "A_*"`,
		`dir/mine.yaml:4:1: unknown key "sett" in an agent's file (allowed: label, commands, packages, drop, set, retries_401, refusal_status, origins, credential_headers, credential_schemes, credential_query, passing_headers, directories, settings, keys, flags, offline, logins, logout, precedence); did you mean "set"?`,
		`dir/mine.yaml:6:3: "A B" cannot be the name of a variable`,
		`dir/mine.yaml:7:6: a variable's value is text, not the number 1: put it between quotes`,
		`dir/mine.yaml:8:3: "C" appears twice in set`,
		`dir/mine.yaml:10:14: unknown source "everyone" (allowed: managed, local, project, user)`,
		`dir/mine.yaml:10:42: unknown format "ini" (allowed: json, toml)`,
		`dir/mine.yaml:11:5: a settings file is missing "source"`,
		`dir/mine.yaml:11:24: counts is true or false, not the text "perhaps"`,
		`dir/mine.yaml:13:24: unknown effect "perhaps" (allowed: routes, replaces, dropped, none)`,
		`dir/mine.yaml:15:5: a login has a path or a keychain, and not both`,
		`dir/mine.yaml:16:64: file is a settings file in JSON: it is not JSON: see line 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProfileThatIsNoYAML(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "tab": "\ta: b", "two documents": "label: a\n---\nlabel: b\n", "alias": "label: &a x\ncommands: [*a]\n",
		"large": "# " + strings.Repeat("x", 300<<10),
	} {
		if p, err := profile.Decode("x.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:") {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
