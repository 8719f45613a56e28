package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
)

// TestScopesPage does what docs/scopes.md does: it writes the manifest of the page, and runs each command, which
// prints what the page says; … stands for any lines.
func TestScopesPage(t *testing.T) {
	page := read(t, "docs/scopes.md")
	home := t.TempDir()
	t.Chdir(home)
	ran := 0
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+) ?(\\S*)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		if m[1] == "yaml" {
			if err := os.WriteFile(filepath.Join(home, m[2]), []byte(m[3]), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		ran++
		line, want, _ := strings.Cut(m[3], "\n")
		args := strings.Fields(strings.TrimPrefix(line, "$ ambit "))
		var out bytes.Buffer
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: []string{"HOME=" + home}}
		c.Main(t.Context(), args)
		begin, end, cut := strings.Cut(want, "…\n")
		if got := out.String(); got != want && !(cut && strings.HasPrefix(got, begin) && strings.HasSuffix(got, end)) {
			t.Errorf("%s\n%s", line, got)
		}
	}
	if ran != 4 {
		t.Errorf("the page has %d commands", ran)
	}
}
