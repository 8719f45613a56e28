package house_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is how long a line of a document may be.
const maxColumns = 120

// tooLong returns the lines of a document that are longer: only tables, URLs and what a
// program printed (a block of text) cannot be broken.
func tooLong(page string) []int {
	var lines []int
	printed, number := false, 0
	for line := range strings.Lines(page) {
		number++
		if strings.HasPrefix(line, "```") {
			printed = strings.HasPrefix(line, "```text")
		}
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > maxColumns && !printed && !strings.HasPrefix(line, "|") && !strings.Contains(line, "://") {
			lines = append(lines, number)
		}
	}
	return lines
}

func TestLinesOfDocuments(t *testing.T) {
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		pages, _ := filepath.Glob(filepath.Join(root, pattern)) // the pattern is right
		if len(pages) == 0 {
			t.Errorf("no document is named %s", pattern)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range tooLong(string(text)) {
				t.Errorf("%s:%d is longer than %d characters", page, line, maxColumns)
			}
		}
	}
	long := strings.Repeat("ü ", maxColumns/2)
	if got := tooLong(long + "\n" + long + "x\n| " + long + "\n```text\n" + long + "x\n```\n" + long + "https://a.example\n"); len(got) != 1 || got[0] != 2 {
		t.Errorf("too long are the lines %v", got)
	}
}

// unpublished returns the lines that send a reader, or a machine, to an address of this
// project. Nothing is published: its name may only stand as the path of an import.
func unpublished(text string) []int {
	owner, _, _ := strings.Cut(strings.TrimPrefix(module, "github.com/"), "/")
	importPath := regexp.MustCompile(`(^|[^\w./:@])` + regexp.QuoteMeta(module) + `((/[a-z]+)*)([^\w@/:-]|$)`)
	fetched := regexp.MustCompile(`(go (get|install)|git clone) \S*` + owner)
	var lines []int
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.Contains(importPath.ReplaceAllString(line, "$1$2$4"), owner+"/") || fetched.MatchString(line) {
			lines = append(lines, number)
		}
	}
	return lines
}

func TestNothingLeadsToWhatIsUnpublished(t *testing.T) {
	tree := os.DirFS(root)
	files := 0
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir() || path.Dir(name) == "internal/house":
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		files++
		for _, line := range unpublished(string(text)) {
			t.Errorf("%s:%d leads to an address where nothing is published: say how it is done from a checkout", name, line)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files: %v", files, err)
	}
	for line, wrong := range map[string]bool{
		"\t\"" + module + "/oauth/store\"":                   false,
		"module " + module:                                   false,
		"go doc " + module:                                   false,
		"`go doc " + module + "`":                            false,
		"go install " + module + "/cmd/ambit@latest":         true,
		"go install " + module + "/cmd/ambit":                true,
		"uses: ambit-auth/ambit@main":                        true,
		"https://" + module:                                  true,
		"https://raw.githubusercontent.com/ambit-auth/ambit": true,
		"git@github.com:ambit-auth/ambit.git":                true,
		"docker run ghcr.io/ambit-auth/ambit":                true,
		"go run " + module + "/cmd/ambit@v1":                 true,
	} {
		if got := unpublished(line); (len(got) == 1) != wrong {
			t.Errorf("%s: %v", line, got)
		}
	}
}
