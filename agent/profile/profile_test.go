package profile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/yamlfile"
)

func TestProfileForCommand(t *testing.T) {
	for command, want := range map[string]string{
		"claude": "claude-code", "/usr/local/bin/claude": "claude-code", `C:\tools\claude.exe`: "claude-code", "claude.CMD": "claude-code",
		"codex": "codex", "curl": "any-command", "claudette": "any-command", "": "any-command", "*": "any-command",
	} {
		p, err := profile.ForCommand(command)
		if err != nil || p.Name != want {
			t.Errorf("%q: %v, %v; want %s", command, p, err, want)
		}
	}
	_, err := profile.ByName("clod")
	if err == nil || err.Error() != `unknown agent "clod": known are any-command, claude-code, codex` {
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
logins:
  - {path: a, keychain: b}
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
		`dir/mine.yaml:4:1: unknown key "sett" in an agent's file (allowed: label, commands, packages, drop, set, retries_401, credential_headers, directories, settings, keys, flags, logins, logout, precedence); did you mean "set"?`,
		`dir/mine.yaml:6:3: "A B" cannot be the name of a variable`,
		`dir/mine.yaml:7:6: a variable's value is text, not the number 1: put it between quotes`,
		`dir/mine.yaml:8:3: "C" appears twice in set`,
		`dir/mine.yaml:10:14: unknown source "everyone" (allowed: managed, local, project, user)`,
		`dir/mine.yaml:10:42: unknown format "ini" (allowed: json, toml)`,
		`dir/mine.yaml:11:5: a settings file is missing "source"`,
		`dir/mine.yaml:11:24: counts is true or false, not the text "perhaps"`,
		`dir/mine.yaml:13:5: a login has a path or a keychain, and not both`,
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
