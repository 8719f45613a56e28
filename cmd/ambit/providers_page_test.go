package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/internal/testkit/replay"
)

// TestProvidersPageFromNothing does what docs/providers.md does: it writes each file of the page at its
// place, or the sections of one that is there already, and runs each command, which prints what the
// page says.
func TestProvidersPageFromNothing(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		testkit.Lacks(t, "no sh on this machine")
	}
	page, _ := fromNothing(t)
	dir := t.TempDir()
	files, commands := 0, 0
	for _, b := range blocksOf(t, page) {
		if b.file == "" {
			commands++
			prints(t, dir, b.text)
			continue
		}
		files++
		writeSections(t, filepath.Join(dir, b.file), b.text)
	}
	if files < 8 || commands < 3 {
		t.Errorf("%d files and %d commands: the page is read wrongly", files, commands)
	}
}

// fromNothing is the section of the page that makes a provider, and what builds it in.
func fromNothing(t *testing.T) (steps, buildIn string) {
	t.Helper()
	_, page, _ := strings.Cut(read(t, "docs/providers.md"), "\n## From nothing\n")
	page, _, _ = strings.Cut(page, "\n## ")
	steps, buildIn, ok := strings.Cut(page, "\n### 7. Build it in\n")
	if !ok {
		t.Fatal("the page does not build the provider in")
	}
	return steps, buildIn
}

// A block of the page is a command with what it prints, or the text of a file.
type block struct{ file, text string }

func blocksOf(t *testing.T, page string) (list []block) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+) ?(\\S*)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		if (m[1] == "console") != (m[2] == "") {
			t.Errorf("a block has no file: %s", m[3])
		}
		list = append(list, block{filepath.FromSlash(m[2]), m[3]})
	}
	return list
}

// TestProvidersPageBuildItIn builds the page's provider into a copy of ambit, which is compiled for that.
func TestProvidersPageBuildItIn(t *testing.T) {
	if os.Getenv("AMBIT_TEST_PARTS") != "all" {
		t.Skip("AMBIT_TEST_PARTS=all compiles ambit with one provider more")
	}
	steps, buildIn := fromNothing(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocksOf(t, steps) {
		if b.file != "" {
			writeSections(t, filepath.Join(dir, b.file), b.text)
		}
	}
	commands := 0
	for _, b := range blocksOf(t, buildIn) {
		if b.file != "" {
			writeSections(t, filepath.Join(dir, b.file), b.text)
			continue
		}
		commands++
		command, expected, _ := strings.Cut(strings.TrimPrefix(b.text, "$ "), "\n")
		c := exec.CommandContext(t.Context(), "sh", "-c", command)
		c.Dir, c.Env = dir, append(os.Environ(), "AMBIT_TEST_PARTS=")
		out, err := c.CombinedOutput()
		if succeeds := !strings.Contains(expected, "no exchange shows"); (err == nil) != succeeds {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		printsAll(t, b.text, string(out), expected)
	}
	if commands != 4 {
		t.Errorf("%d commands: the page is read wrongly", commands)
	}
}

// The exchanges that the page shows in its reference are some.
func TestProvidersPageExchanges(t *testing.T) {
	shown := 0
	for _, block := range fenced(read(t, "docs/providers.md"), "text") {
		if !strings.Contains(block, "\n> ") {
			continue
		}
		list, err := replay.Parse("docs/providers.md", []byte(block))
		if err != nil {
			t.Error(err)
		}
		shown += len(list)
	}
	if shown != 2 {
		t.Errorf("%d exchanges are shown", shown)
	}
}

// prints runs the command of a block, and compares its lines, up to an …, with what is printed. The
// tests that the command names are those of this program.
func prints(t *testing.T, dir, block string) {
	t.Helper()
	command, expected, _ := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
	command, isTest := strings.CutSuffix(command, "go test ./cmd/ambit -run TestExchanges/acme")
	if !isTest {
		t.Fatalf("the page has another command: %s", command)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", command+` sh -c 'cd "$1" && "$2" -test.run TestExchanges/acme && echo ok' sh "$HERE" "$PROGRAM"`)
	c.Dir = dir
	c.Env = append(os.Environ(), "HERE="+here, "PROGRAM="+program, "PWD="+dir)
	out, _ := c.CombinedOutput() // what it says is compared
	printsAll(t, block, string(out), expected)
}

// printsAll compares the lines that a block expects, each up to an …, with what was printed, in their order.
func printsAll(t *testing.T, block, out, expected string) {
	t.Helper()
	at := 0
	for line := range strings.Lines(expected) {
		want, _, _ := strings.Cut(strings.TrimSpace(line), "…")
		want = strings.TrimSpace(want)
		if want == "ok" { // and no part of a word
			want = "\nok"
		}
		found := strings.Index("\n"+out[at:], want)
		if found < 0 {
			t.Fatalf("%s\nprints\n%s\nand not %q", block, out, want)
		}
		at += max(found-1, 0)
	}
}

var member = regexp.MustCompile(`(?m)^[a-z_]+:`)

// writeSections writes a file. A YAML file that is there keeps its top-level members, but for those that text has.
func writeSections(t *testing.T, file, text string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err == nil {
		members := sectionsOf(string(before))
		maps.Copy(members, sectionsOf(text))
		text = ""
		for _, name := range slices.Sorted(maps.Keys(members)) {
			text += members[name]
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sectionsOf(text string) map[string]string {
	members := make(map[string]string)
	begins := member.FindAllStringIndex(text, -1)
	for i, at := range begins {
		end := len(text)
		if i+1 < len(begins) {
			end = begins[i+1][0]
		}
		members[text[at[0]:at[1]]] = text[at[0]:end]
	}
	return members
}
