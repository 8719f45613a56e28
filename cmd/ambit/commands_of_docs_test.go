package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
)

// TestCommandsOfDocs compares each "ambit COMMAND --flag" in the documents with the help of that command: a page
// names no command and no flag that does not exist.
func TestCommandsOfDocs(t *testing.T) {
	var everywhere bytes.Buffer // the flags of all commands
	c := cli.Command{Stdin: eof{}, Stdout: &everywhere, Stderr: &everywhere, Env: []string{"HOME=" + t.TempDir()}}
	c.Main(t.Context(), []string{"help", "flags"})
	help := make(map[string]string)
	helpOf := func(command string) string {
		if help[command] == "" {
			var out bytes.Buffer
			c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: []string{"HOME=" + t.TempDir()}}
			c.Main(t.Context(), append(strings.Fields(command), "--help"))
			help[command] = out.String()
		}
		return help[command]
	}
	fence := regexp.MustCompile("(?ms)^```(console|sh|text)[^\n]*\n(.*?)^```")
	fencedLine := regexp.MustCompile(`(?m)^(?:\$ )?ambit ([a-z][^\n]*)`)
	inline := regexp.MustCompile("`ambit ([a-z][^`]*)`")
	flags := regexp.MustCompile(`(?:^|[\s\[])(--?[a-z][a-z-]*)`)
	seen := 0
	for _, page := range pagesOf(t) {
		text := read(t, page)
		shown := inline.FindAllStringSubmatch(regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(text, ""), -1)
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			for _, line := range fencedLine.FindAllStringSubmatch(m[2], -1) {
				if m[1] != "text" || strings.HasPrefix(line[0], "$ ") { // other lines are what was printed
					shown = append(shown, line)
				}
			}
		}
		for _, m := range shown {
			line, _, _ := strings.Cut(strings.Join(strings.Fields(m[1]), " "), " -- ") // what runs behind it has flags of its own
			line, _, _ = strings.Cut(line, " #")
			words := strings.Fields(line)
			command := words[0]
			if command == "export" && len(words) > 1 {
				command += " " + strings.Replace(words[1], "KIND", "slack", 1) // any one
			}
			said := helpOf(command)
			if !strings.Contains(said, "\n  ambit "+command) {
				t.Errorf("%s: there is no command in %q", page, line)
				continue
			}
			seen++
			quoted := regexp.MustCompile(`'[^']*'|\S*\|.*`).ReplaceAllString(line, "")
			for _, f := range flags.FindAllStringSubmatch(quoted, -1) {
				if !regexp.MustCompile(regexp.QuoteMeta(f[1]) + `\b`).MatchString(said + everywhere.String()) {
					t.Errorf("%s: %q has no flag %s", page, line, f[1])
				}
			}
		}
	}
	if seen < 150 {
		t.Errorf("only %d commands were found", seen)
	}
}
