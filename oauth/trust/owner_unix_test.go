//go:build unix

package trust_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/trust"
)

// Hosts that somebody else wrote, or could write, are not trusted, by root neither.
func TestTrustedHostsOfOthers(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"another's":    func(path string) error { testkit.AsRoot(t); return os.Chown(path, 1234, 1234) },
		"for a group":  func(path string) error { return os.Chmod(path, 0o620) },
		"a folder":     func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) },
		"their folder": func(path string) error { testkit.AsRoot(t); return os.Chown(filepath.Dir(path), 1234, 1234) },
		"a link":       func(path string) error { return errors.Join(os.Rename(path, path+"2"), os.Symlink(path+"2", path)) },
	} {
		file := trust.File{Path: filepath.Join(t.TempDir(), "trusted-hosts")}
		if err := file.Add("id.example"); err != nil {
			t.Fatal(err)
		}
		if hosts, err := file.Load(); err != nil || len(hosts) != 1 {
			t.Fatalf("%v, %v", hosts, err)
		}
		if err := change(file.Path); err != nil {
			t.Fatal(err)
		}
		hosts, err := file.Load()
		if _, unsafe := errors.AsType[*files.UnsafeError](err); !unsafe || hosts != nil {
			t.Errorf("%s: %v, %v", name, hosts, err)
		}
		if err := file.Add("other.example"); err == nil {
			t.Errorf("%s: it was added to", name)
		}
	}
}
