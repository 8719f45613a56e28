package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/google/go-cmp/cmp"
)

// TestTroubleshootingPage runs each command of docs/troubleshooting.md that has an output, with the key of the sandbox
// that stands above it, and compares what it prints, or writes it with -update.
func TestTroubleshootingPage(t *testing.T) {
	ready := startBox(t, sandbox.Options{}).Ready()
	keys := map[string]string{
		"none": "", "empty": "", "expired": ready.Keys.Expired, "other_region": ready.Keys.OtherRegion,
		"no_gateway": ready.Keys.NoGateway, "project": ready.MoreKeys["project"],
	}
	page := read(t, "docs/troubleshooting.md")
	ran := 0
	want := regexp.MustCompile("(?s)<!-- with: (\\w+)(?:, (\\S+))? -->\n```text\n\\$ ambit ([^\n]*)\n.*?```\n").ReplaceAllStringFunc(page, func(block string) string {
		ran++
		head, _, _ := strings.Cut(block, "\n```text\n")
		words := strings.Fields(strings.NewReplacer("<!-- with:", "", "-->", "", ",", "").Replace(head))
		key, known := keys[words[0]]
		if !known {
			t.Fatalf("no key is called %s", words[0])
		}
		env := append([]string{"HOME=" + t.TempDir(), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + ready.Manifest}, words[1:]...)
		if words[0] != "none" {
			env = append(env, "POSTHOG_PERSONAL_API_KEY="+key)
		}
		_, line, _ := strings.Cut(block, "$ ambit ")
		line, _, _ = strings.Cut(line, "\n")
		var out bytes.Buffer
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: env}
		if code := c.Main(t.Context(), strings.Fields(line)); code == 0 {
			t.Errorf("%s: nothing is wrong", line)
		}
		told := strings.NewReplacer(" -f "+ready.Manifest, "", filepath.Dir(ready.Manifest)+"/", "").Replace(steady(out.String()))
		return head + "\n```text\n$ ambit " + line + "\n" + told + "```\n"
	})
	if ran != 7 {
		t.Errorf("the page has %d commands with an output", ran)
	}
	if testkit.Updating() {
		if err := os.WriteFile(filepath.Join(root, "docs/troubleshooting.md"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("docs/troubleshooting.md (go test ./cmd/ambit -run TestTroubleshootingPage -update):\n%s", diff)
	}
}
