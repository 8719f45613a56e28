package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// TestReadmeCommands runs each command block of the README. The test command is
// this very run: it is compared with the one that CI runs instead.
func TestReadmeCommands(t *testing.T) {
	ci := read(t, ".ci/run")
	blocks := fenced(read(t, "README.md"), "sh")
	if len(blocks) < 2 {
		t.Fatalf("the README has %d command blocks", len(blocks))
	}
	for _, block := range blocks {
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			if !strings.Contains(ci, line) {
				t.Errorf(".ci/run does not run %q", line)
			}
			if line == "go test ./..." {
				continue
			}
			c := exec.Command("sh", "-c", line)
			c.Dir, c.Env = root, append(os.Environ(), "GOBIN="+t.TempDir())
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		}
	}
}

// TestReadmeManifest decodes the manifest that the README shows.
func TestReadmeManifest(t *testing.T) {
	for _, block := range fenced(read(t, "README.md"), "yaml") {
		if _, err := manifest.Decode("README.md", []byte(block), nil); err != nil {
			t.Error(err)
		}
		if n := strings.Count(block, "\n"); n > 15 {
			t.Errorf("the manifest in fifteen lines has %d", n)
		}
	}
}

// TestDocsManifests decodes the manifests and provider files that the docs show.
func TestDocsManifests(t *testing.T) {
	for _, block := range fenced(read(t, "docs/manifest.md"), "yaml") {
		if _, err := manifest.Decode("docs/manifest.md", []byte(block), nil); err != nil {
			t.Error(err)
		}
	}
	for i, block := range fenced(read(t, "docs/provider-file.md"), "yaml") {
		if _, err := provider.Decode("docs/provider-file.md", []byte(block)); err != nil {
			t.Errorf("block %d: %v", i+1, err)
		}
	}
}

// TestDocsClients decodes what the page about clients shows, and compares the document that an author
// publishes with the id and the redirect URI by which it is used.
func TestDocsClients(t *testing.T) {
	page := read(t, "docs/clients.md")
	var ids []string
	for i, block := range fenced(page, "yaml") {
		if !strings.Contains(block, "servers:") {
			block = "servers: {us: {issuer: https://us.example}, eu: {issuer: https://eu.example}}\n" + block
		}
		p, err := provider.Decode("docs/clients.md", []byte(block))
		if err != nil {
			t.Fatalf("block %d: %v", i+1, err)
		}
		ids = append(ids, p.Client.ID)
	}
	for _, block := range fenced(page, "json") {
		var document struct {
			ID        string   `json:"client_id"`
			Redirects []string `json:"redirect_uris"`
			Method    string   `json:"token_endpoint_auth_method"`
		}
		if err := json.Unmarshal([]byte(block), &document); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ids, document.ID) || !provider.IsDocument(document.ID) || document.Method != "none" || !slices.Contains(document.Redirects, "http://127.0.0.1/callback") {
			t.Errorf("%+v", document)
		}
	}
}

// TestExampleTranscript compares the transcript of the worked example with what the demo
// prints as its result, up to the login's: what comes after shows the same needs again.
func TestExampleTranscript(t *testing.T) {
	var out bytes.Buffer
	env := []string{"HOME=" + t.TempDir(), "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: io.Discard, Env: env}
	if code := c.Main(context.Background(), []string{"demo"}); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	told, _, ok := strings.Cut(steady(out.String()), "\nRun an agent. ")
	if !ok {
		t.Fatalf("the demo does not come to its last step:\n%s", out.String())
	}
	transcript(t, "docs/example.md", "$ ambit demo\n"+told)
}

// TestRunTranscript does the same with the page on run, and the demo's refused agent.
func TestRunTranscript(t *testing.T) {
	var out bytes.Buffer
	env := []string{"HOME=" + t.TempDir(), "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: env}
	if code := c.Main(context.Background(), []string{"demo"}); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	told := steady(out.String())
	told = strings.Replace(told, "agent: call 2 of 2 was answered with 401\n", "", 1) // it may be ended before it says so
	told, _, ok := strings.Cut(told[max(0, strings.LastIndex(told, "$ ambit run ")):], "\nDone: ")
	if !ok {
		t.Fatalf("the demo does not come to its end:\n%s", out.String())
	}
	transcript(t, "docs/run.md", told)
}

// TestAuditTranscript audits a real program, as the page on audit shows it.
func TestAuditTranscript(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/music")); err != nil {
		t.Fatal(err)
	}
	audit := func(more ...string) string {
		var out, story bytes.Buffer
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &story, Env: []string{"HOME=" + dir, "AMBIT_STORE=memory"}}
		if code := c.Main(t.Context(), append([]string{"audit", "-f", dir + "/scopes.yaml", "--openapi", dir + "/api.yaml", "--calls", dir + "/calls.txt"}, more...)); code != 0 {
			t.Fatalf("exit code %d\n%s", code, story.String())
		}
		return strings.ReplaceAll(out.String(), dir+"/", "")
	}
	found := audit()
	fixed := audit("--prune")
	at := strings.LastIndex(fixed, "\n\n") + 2
	if again := audit("--prune"); !strings.HasSuffix(again, "scopes.yaml stays as it is\n") {
		t.Errorf("a second time:\n%s", again)
	}
	const command = "$ ambit audit --openapi api.yaml --calls calls.txt"
	transcript(t, "docs/audit.md", command+"\n"+found+command+" --prune\n…\n"+fixed[at:])
}

// transcript compares what was told with what a page has between its marks.
func transcript(t *testing.T, name, told string) {
	t.Helper()
	want := "```text\n" + told + "```\n"
	page := read(t, name)
	const begin, end = "<!-- transcript -->\n", "<!-- end -->"
	before, rest, ok1 := strings.Cut(page, begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no marks for the transcript", name)
	}
	if got == want {
		return
	}
	if testkit.Updating() {
		if err := os.WriteFile(filepath.Join(root, name), []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what the demo says (go test ./cmd/ambit -update):\n%s", name, cmp.Diff(got, want))
}

// steady replaces what differs from run to run: ports, directories and names of logs.
func steady(text string) string {
	text = regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`).ReplaceAllString(text, "$1:8010")
	text = regexp.MustCompile(`runs/[\w.-]+\.jsonl`).ReplaceAllString(text, "runs/20260501T120000.000-1.jsonl")
	return regexp.MustCompile(`\S*ambit-demo-\d+/`).ReplaceAllString(text, "")
}

// TestExitCodesPage compares the table of docs/outputs.md with the codes that there are.
func TestExitCodesPage(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "docs/outputs.md"), "## Exit codes")
	var want strings.Builder
	for _, code := range failure.Codes() {
		fmt.Fprintf(&want, "| %d | %s |\n", code.Code, code.Meaning)
	}
	if !strings.Contains(table, "| --- | --- |\n"+want.String()) {
		t.Errorf("docs/outputs.md has another table of exit codes than:\n%s", want.String())
	}
}

// TestSettingsPage compares the page of settings with the flags that there are.
func TestSettingsPage(t *testing.T) {
	page := read(t, "docs/settings.md")
	var help bytes.Buffer
	c := cli.Command{Stdin: eof{}, Stdout: &help, Stderr: &help, Env: []string{"HOME=" + t.TempDir()}}
	for _, args := range [][]string{{"login", "--help"}, {"help", "flags"}, {"help", "environment"}} {
		c.Main(context.Background(), args)
	}
	if !strings.Contains(help.String(), "--trust-host") {
		t.Error("the help does not name the flags of all commands")
	}
	for _, variable := range regexp.MustCompile(`(?m)^  ([A-Z_]{2,})  `).FindAllStringSubmatch(help.String(), -1) {
		if !strings.Contains(page, "`"+variable[1]+"`") && !strings.Contains(page, "$"+variable[1]+"/") && variable[1] != "AMBIT_JSON" {
			t.Errorf("docs/settings.md does not name %s", variable[1])
		}
	}
	for _, m := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(help.String(), -1) {
		if flag := m[1]; flag != "help" && !strings.Contains(page, "--"+flag) && !strings.HasPrefix(flag, "api-key") {
			t.Errorf("docs/settings.md does not name --%s", flag)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced are the code blocks of a language in a Markdown page.
func fenced(page, language string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// TestLinks follows every link of the documents to a file of this tree, and to a heading in it.
// The README leads to each page.
func TestLinks(t *testing.T) {
	pages, readme := pagesOf(t), read(t, "README.md")
	for _, page := range pages {
		if strings.HasPrefix(page, "docs/") && !strings.Contains(readme, "]("+page+")") {
			t.Errorf("README.md does not name %s", page)
		}
		prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(read(t, page), "") // a type argument is not a link
		for _, m := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`).FindAllStringSubmatch(prose, -1) {
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), m[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if m[2] != "" && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s: %s has no heading #%s", page, target, m[2])
			}
		}
	}
}

// pagesOf are the documents of the tree.
func pagesOf(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern)) // the pattern is right
		for _, name := range found {
			pages = append(pages, strings.TrimPrefix(filepath.ToSlash(name), root+"/"))
		}
	}
	if len(pages) < 20 {
		t.Fatalf("only %q", pages)
	}
	return pages
}

// anchors are the names that a page's headings have on the web.
func anchors(page string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// TestExampleScopes compares the table of scopes of the worked example with the manifest.
func TestExampleScopes(t *testing.T) {
	page := filepath.Join(t.TempDir(), "example.md")
	before := read(t, "docs/example.md")
	if err := os.WriteFile(page, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: []string{"HOME=" + t.TempDir()}}
	if code := c.Main(t.Context(), []string{"export", "markdown", "-f", filepath.Join(root, "scopes.yaml"), "--into", page}); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	if after, err := os.ReadFile(page); err != nil || string(after) != before {
		t.Errorf("the table is not the manifest's: ambit export markdown --into docs/example.md (%v)", err)
	}
}
