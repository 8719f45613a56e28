package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sections are those of the two RFCs that ask something, by number.
var sections = map[string][]string{
	"RFC 9700": {
		"2.1", "2.1.1", "2.1.2", "2.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6",
		"4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13", "4.14", "4.15", "4.16", "4.17",
	},
	"RFC 8252": {
		"6", "7.1", "7.2", "7.3", "8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "8.7", "8.8", "8.9", "8.10", "8.11", "8.12",
	},
}

// SECURITY.md has a row for each section, in order, with a test of it or with why there is none.
func TestSecurityKnowsEachSection(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	for rfc, want := range sections {
		_, table, _ := strings.Cut(string(page), "\n| "+rfc+" | how | tests |\n| --- | --- | --- |\n")
		table, _, _ = strings.Cut(table, "\n\n")
		var got []string
		for row := range strings.Lines(table) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), " | ")
			number, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(cells[0]), "§"), " ")
			if !ok || len(cells) != 3 {
				t.Errorf("%s: no row of three cells: %s", rfc, row)
				continue
			}
			got = append(got, number)
			tested := regexp.MustCompile(`Test[A-Z]\w+|\w[\w-]*\.txtar`).MatchString(cells[2])
			if without := strings.HasPrefix(cells[1], "Does not apply: "); tested == without {
				t.Errorf("%s §%s has a test or says why it does not apply: %s", rfc, number, row)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: the table has %v, want %v", rfc, got, want)
		}
	}
}

// SECURITY.md names the test of each point: each is there, and each script.
func TestSecurityNamesTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, "_test.go") {
			text, readErr := os.ReadFile(path)
			tests.Write(text)
			return readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range regexp.MustCompile(`[\w-]+\.txtar`).FindAllString(string(page), -1) {
		if _, err := os.Stat(filepath.Join(root, "cmd/ambit/testdata", script)); err != nil {
			t.Error(err)
		}
	}
	names := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(page), -1)
	if len(names) < 30 {
		t.Errorf("it names %d tests", len(names))
	}
	for _, name := range names {
		if !strings.Contains(tests.String(), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
}
