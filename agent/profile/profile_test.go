package profile_test

import (
	"errors"
	"fmt"
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
		p, err := profile.ForCommand(profile.NewCommand(command))
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
		`dir/mine.yaml:4:1: unknown key "sett" in a profile (allowed: label, commands, packages, drop, set, retries_401, refusal_status, origins, credential_headers, credential_schemes, credential_query, passing_headers, directories, settings, keys, flags, mcp_files, offline, logins, logout, precedence); did you mean "set"?`,
		`dir/mine.yaml:6:3: "A B" cannot be the name of a variable`,
		`dir/mine.yaml:7:6: a variable's value is text, not the number 1: put it between quotes`,
		`dir/mine.yaml:8:3: "C" appears twice in set`,
		`dir/mine.yaml:10:14: unknown source "everyone" (allowed: managed, local, project, user)`,
		`dir/mine.yaml:10:42: unknown format "ini" (allowed: json, toml)`,
		`dir/mine.yaml:11:5: a settings file is missing "source"`,
		`dir/mine.yaml:11:24: counts is true or false, not the text "perhaps"`,
		`dir/mine.yaml:13:24: unknown effect "perhaps" (allowed: routes, replaces, dropped, none)`,
		`dir/mine.yaml:15:15: a login has path or keychain, not both`,
		`dir/mine.yaml:16:64: file is a settings file in JSON: it is not JSON: see line 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What would pass in silence, and then do nothing or harm, is a mistake in its place.
func TestProfileMistakesInValues(t *testing.T) {
	for more, want := range map[string]string{
		`credential_headers: [X-Key, Host]`:                          `x.yaml:3:29: credential_headers: "Host" is a field of the connection, which the proxy sets itself`,
		`credential_headers: [content-length]`:                       `x.yaml:3:22: credential_headers: "content-length" is a field of the connection, which the proxy sets itself`,
		`credential_headers: ["bad header"]`:                         `x.yaml:3:22: credential_headers: "bad header" cannot be such a name: letters, digits, - and _ only`,
		`credential_headers: ["X-Schlüssel"]`:                        `x.yaml:3:22: credential_headers: "X-Schlüssel" cannot be such a name: letters, digits, - and _ only`,
		`passing_headers: [TE]`:                                      `x.yaml:3:19: passing_headers: "TE" is a field of the connection, which the proxy sets itself`,
		`passing_headers: ["a:b"]`:                                   `x.yaml:3:19: passing_headers: "a:b" cannot be such a name: letters, digits, - and _ only`,
		`credential_schemes: ["Key x"]`:                              `x.yaml:3:22: credential_schemes: "Key x" cannot be such a name: letters, digits, - and _ only`,
		`set: {A: "{Lease}"}`:                                        `x.yaml:3:10: "{Lease}" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: "x{{lease}}"}`:                                     `x.yaml:3:10: "{{lease}}" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: "{ gateway }"}`:                                    `x.yaml:3:10: "{ gateway }" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: '{"a": {"b": "{lease}"}, "c": {}}'}`:               "",
		`set: {A: "{gateway/v1"}`:                                    `x.yaml:3:10: "{gateway" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: "{lease {gateway}"}`:                               `x.yaml:3:10: "{lease" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: "{gateway}/lease}"}`:                               `x.yaml:3:10: "lease}" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`set: {A: 'x={name="{lease}", y={}}'}`:                       "",
		`settings: [{source: user, path: "{home/.x"}]`:               `x.yaml:3:33: "{home" is not a directory (allowed: home, project); did you mean "home"?`,
		`set: {ambit_api_url: x}`:                                    `x.yaml:3:7: "ambit_api_url" is a variable that ambit run sets itself`,
		`precedence: {arguments: [-x], sources: [user], file: "{}"}`: `x.yaml:3:13: the program would not find the file: one of the arguments names it as {file}`,
		`precedence: {arguments: ["{File}"], sources: [user]}`:       `x.yaml:3:26: "{File}" is not known: write {lease}, or the name of a base as in {api}, in lower case and in one pair of braces`,
		`settings: [{source: user, path: "{hom}/x"}]`:                `x.yaml:3:33: {hom} is not a directory (allowed: home, project); did you mean "home"?`,
		`settings: [{source: user, path: "{Home}/x"}]`:               `x.yaml:3:33: "{Home}" is not a directory (allowed: home, project)`,
		`settings: [{os: win, source: user, path: /x}]`:              `x.yaml:3:17: unknown os "win" (allowed: darwin, freebsd, linux, netbsd, openbsd, windows)`,
		`logins: [{path: "{config}/x"}]`:                             `x.yaml:3:17: {config} is not a directory (allowed: home, project)`,
		"logins: [{path: \"{config}/x\"}]\ndirectories: {config: {env: A, else: \"{data}\"}, data: {env: B, else: /b}}": `x.yaml:4:38: {data} is not a directory (allowed: home, project)`,
		"logins: [{path: \"{config}/x\"}]\ndirectories: {config: {env: A, else: \"{home}/a\"}}":                         "",
	} {
		_, err := profile.Decode("x.yaml", []byte("label: a\ncommands: [a]\n"+more+"\n"))
		if got := fmt.Sprint(err); want != "" && got != want || want == "" && err != nil {
			t.Errorf("%s\n got %s\nwant %s", more, got, want)
		}
	}
	for more, want := range map[string]string{
		"commands: []":        `x.yaml:2:11: commands is empty`,
		"commands: [./quill]": `x.yaml:2:12: "./quill" is a path: a command is the name of a program`,
	} {
		if _, err := profile.Decode("x.yaml", []byte("label: a\n"+more+"\n")); err == nil || err.Error() != want {
			t.Errorf("%s: %v", more, err)
		}
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
