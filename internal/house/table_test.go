package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tableFile holds the only table of the packages and of what each may import.
const tableFile = "ARCHITECTURE.md"

// A table is that table, by package directory.
type table map[string]*room

// A room is a row of the table.
type room struct {
	imports []string // packages of ours that it may import
	used    []string // those that some file of it does import
}

var (
	row   = regexp.MustCompile("^\\| `([^`]+)` \\|.*\\|([^|]*)\\|$")
	quote = regexp.MustCompile("`([^`]+)`")
)

// readTable reads the table: a row a package, whose last cell names the imports.
func readTable(t *testing.T) table {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, tableFile))
	if err != nil {
		t.Fatal(err)
	}
	rooms := make(table)
	for line := range strings.Lines(string(text)) {
		cells := row.FindStringSubmatch(strings.TrimSpace(line))
		if cells == nil {
			continue
		}
		if rooms[cells[1]] != nil {
			t.Errorf("%s: %s appears twice in the table", tableFile, cells[1])
		}
		r := &room{}
		for _, name := range quote.FindAllStringSubmatch(cells[2], -1) {
			r.imports = append(r.imports, name[1])
		}
		rooms[cells[1]] = r
	}
	if len(rooms) < 10 {
		t.Fatalf("%s: the table of packages has %d rows", tableFile, len(rooms))
	}
	return rooms
}

// unused returns what the table allows and no file needs: a table that says more than is
// true hides the next arrow.
func (rooms table) unused() []string {
	var wrong []string
	for name, r := range rooms {
		for _, i := range r.imports {
			if !slices.Contains(r.used, i) {
				wrong = append(wrong, tableFile+": "+name+" is allowed to import "+i+", and does not")
			}
		}
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			wrong = append(wrong, tableFile+": there is no package "+name)
		}
	}
	slices.Sort(wrong)
	return wrong
}
