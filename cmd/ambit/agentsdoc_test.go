package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/google/go-cmp/cmp"
)

// TestAgentsPage does what docs/agents.md does: it writes the profile of the page, runs the
// commands of the page, and finds what the page says that they print.
func TestAgentsPage(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		testkit.Lacks(t, "no sh on this machine")
	}
	page := read(t, "docs/agents.md")
	ready := startBox(t, sandbox.Options{}).Ready()
	home, dir := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "quill.yaml"), fenced(page, "yaml")[0])
	blocks := fenced(page, "console")
	for i, block := range blocks {
		if i == len(blocks)-1 { // the page says what stands there by then
			write(filepath.Join(home, ".quill.json"), `{"url": "https://elsewhere.example"}`)
		}
		command, expected, _ := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
		c := exec.CommandContext(t.Context(), "sh", "-c", command)
		c.Dir = dir
		c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_MANIFEST=" + ready.Manifest, "AMBIT_API_KEY=" + ready.Keys.Full}
		out, _ := c.CombinedOutput() // what it says is compared
		got := strings.ReplaceAll(string(out), home, "~")
		for line := range strings.Lines(expected) {
			if want, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " …"); !strings.Contains(got, want) {
				t.Errorf("%s\nprints\n%sand not %q", command, got, want)
			}
		}
	}
}

// The page says what must be there, and which numbers are taken, as the program does.
func TestAgentsPageSaysWhatIsRequired(t *testing.T) {
	page := read(t, "docs/agents.md")
	_, err := profile.Decode("x.yaml", []byte("refusal_status: 200\n"))
	for _, m := range regexp.MustCompile(`missing "(\w+)"`).FindAllStringSubmatch(err.Error(), -1) {
		if row := rowOf(page, m[1]); !strings.Contains(row, "required") {
			t.Errorf("%s is required; the page says %q", m[1], row)
		}
	}
	m := regexp.MustCompile(`refusal_status is a number (from \d+ to \d+)`).FindStringSubmatch(err.Error())
	if row := rowOf(page, "refusal_status"); m == nil || !strings.Contains(row, m[1]) {
		t.Errorf("%v; the page says %q", err, row)
	}
	if strings.Count(page, "; required |") != 2 || strings.Count(err.Error(), "is missing") != 2 {
		t.Errorf("what is required: %v", err)
	}
}

// rowOf is the row of a page's table for a key.
func rowOf(page, key string) string {
	_, row, _ := strings.Cut(page, "\n| `"+key+"` |")
	row, _, _ = strings.Cut(row, "\n")
	return row
}

// The MCP file of docs/run.md is the one that the program writes.
func TestRunPageShowsTheMCPFile(t *testing.T) {
	var out bytes.Buffer
	c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: []string{"HOME=" + t.TempDir()}}
	if code := c.Main(t.Context(), []string{"export", "claude", "--for-run", "-f", filepath.Join(root, "scopes.yaml")}); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(out.Bytes(), &got), json.Unmarshal([]byte(fenced(read(t, "docs/run.md"), "json")[0]), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Every key of a profile stands in the page's table.
func TestAgentsPageNamesEveryKey(t *testing.T) {
	page := read(t, "docs/agents.md")
	_, err := profile.Decode("x.yaml", []byte("label: a\ncommands: [a]\nno_such_key: 1\n"))
	_, list, _ := strings.Cut(err.Error(), "(allowed: ")
	list, _, _ = strings.Cut(list, ")")
	for _, key := range strings.Split(list, ", ") {
		if !strings.Contains(page, "\n| `"+key+"` |") {
			t.Errorf("docs/agents.md does not explain %s", key)
		}
	}
}
