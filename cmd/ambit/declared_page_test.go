package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/declared"
)

// TestDeclaredPage holds docs/declared.md to what is known of each kind, and runs its examples: the file differs from
// the manifest, is written as the page shows, and then differs no more.
func TestDeclaredPage(t *testing.T) {
	page := read(t, "docs/declared.md")
	dir := t.TempDir()
	manifest := fenced(page, "yaml")
	shown := regexp.MustCompile("(?s)### `(\\w+)`: `([^`]+)`\n.*?```\\w+\n(.*?)```\n\n`ambit (export [^`]+)` makes of it:\n\n```\\w+\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(manifest) < 2 || len(shown) != len(declared.Kinds()) {
		t.Fatalf("%d blocks of YAML, %d examples for %d kinds", len(manifest), len(shown), len(declared.Kinds()))
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	manifestPath := write("scopes.yaml", manifest[1])
	for i, k := range declared.Kinds() {
		var files, places []string
		for _, f := range k.Files {
			files = append(files, "`"+f+"`")
		}
		for _, p := range k.Places {
			var levels []string
			for _, l := range p.Levels {
				levels = append(levels, l.String())
			}
			places = append(places, fmt.Sprintf("`%s`: %s", strings.ReplaceAll(strings.Join(p.Path, "."), "*", "NAME"), strings.Join(levels, ", ")))
		}
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", k.Name, strings.Join(files, ", "), strings.Join(places, "; ")); !strings.Contains(page, row) {
			t.Errorf("docs/declared.md lacks the row\n%s", row)
		}
		kind, file, before, command, after := shown[i][1], shown[i][2], shown[i][3], shown[i][4], shown[i][5]
		if kind != k.Name || command != "export "+kind+" --into "+file {
			t.Errorf("%s: the page shows %s with %q", k.Name, kind, command)
			continue
		}
		path := write(file, before)
		for _, step := range []struct {
			args []string
			code int
		}{
			{[]string{"check", "--matches", path}, 5},
			{[]string{"export", kind, "--into", path}, 0},
			{[]string{"check", "--matches", path}, 0},
		} {
			var out bytes.Buffer
			c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: []string{"HOME=" + t.TempDir()}}
			if code := c.Main(t.Context(), append(step.args, "-f", manifestPath)); code != step.code {
				t.Errorf("%s: %v ends with %d, want %d\n%s", kind, step.args, code, step.code, out.String())
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != after {
			t.Errorf("%s: the page shows\n%s\nand the file is\n%s", kind, after, got)
		}
	}
}
