package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// A link stays a link, over several too, and the file behind it gets the text and keeps
// its mode. Nothing else is left in either directory.
func TestUpdateThroughLinks(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	file, link := filepath.Join(there, "file"), filepath.Join(here, "link")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(there, "first")); err != nil {
		testkit.Lacks(t, "this system makes no links")
	}
	if err := os.Symlink(filepath.Join(there, "first"), link); err != nil {
		t.Fatal(err)
	}
	if err := files.Update(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != filepath.Join(there, "first") {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("the file says %q: %v", text, err)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v: %v", info.Mode(), err)
	}
	for directory, n := range map[string]int{here: 1, there: 2} {
		if names, _ := filepath.Glob(filepath.Join(directory, "*")); len(names) != n {
			t.Errorf("%s holds %q", directory, names)
		}
	}
}

func TestUpdateDangling(t *testing.T) {
	directory := t.TempDir()
	link := filepath.Join(directory, "link")
	if err := os.Symlink("gone", link); err != nil {
		testkit.Lacks(t, "this system makes no links")
	}
	err := files.Update(link, []byte("new"))
	if err == nil || !strings.HasSuffix(err.Error(), "link is a link to gone, and nothing is there") {
		t.Errorf("%v", err)
	}
	names, _ := os.ReadDir(directory)
	if to, err := os.Readlink(link); len(names) != 1 || err != nil || to != "gone" {
		t.Errorf("%v, and the link leads to %q: %v", names, to, err)
	}
}

// A report that goes to a device takes nothing's place.
func TestUpdateDevice(t *testing.T) {
	before, err := os.Stat(os.DevNull)
	if err != nil || before.Mode().IsRegular() {
		testkit.Lacks(t, "this system has no such device")
	}
	link := filepath.Join(t.TempDir(), "nowhere")
	if err := os.Symlink(os.DevNull, link); err != nil {
		testkit.Lacks(t, "this system makes no links")
	}
	if err := files.Update(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link became a file: %v", err)
	}
}
