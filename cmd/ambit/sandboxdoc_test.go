package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// TestSandboxPage keeps the list of misbehaviors on the sandbox's page.
func TestSandboxPage(t *testing.T) {
	page := read(t, "docs/sandbox.md")
	before, rest, ok1 := strings.Cut(page, "<!-- kinds -->\n")
	got, after, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok1 || !ok2 {
		t.Fatal("the page has no marks for the kinds")
	}
	want := "| kind | what goes wrong |\n| --- | --- |\n"
	for _, line := range sandbox.Kinds() {
		name, does, _ := strings.Cut(line, " - ")
		want += "| `" + name + "` | " + does + " |\n"
	}
	if got == want {
		return
	}
	if !testkit.Updating() {
		t.Fatal("docs/sandbox.md lists other kinds than there are (go test ./cmd/ambit -update)")
	}
	if err := os.WriteFile(filepath.Join(root, "docs/sandbox.md"), []byte(before+"<!-- kinds -->\n"+want+"<!-- end -->"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
