//go:build unix

package files_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// A file that another user owns is not trusted, whatever its mode: the owner can change it. One of
// root's is.
func TestForeignOwner(t *testing.T) {
	const mine, others, variable = 65534, 1234, "FILES_TEST_DIR"
	if dir := os.Getenv(variable); dir != "" { // as another user
		for name, foreign := range map[string]bool{"mine": false, "root": false, "others": true} {
			_, err := files.Read(filepath.Join(dir, name), files.Rule{Limit: 10, Forbidden: files.OthersWrite})
			if unsafe, is := errors.AsType[*files.UnsafeError](err); is != foreign || !is && err != nil {
				t.Errorf("%s: %v", name, err)
			} else if is && unsafe.Problem != "belongs to another user (user id 1234; this is 65534)" {
				t.Error(unsafe)
			}
		}
		return
	}
	testkit.AsRoot(t)
	dir, err := os.MkdirTemp("/tmp", "files-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, uid := range map[string]int{"mine": mine, "root": 0, "others": others} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o644), os.Chown(path, uid, uid)); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "test")
	data, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(program, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(program, "-test.run=^TestForeignOwner$")
	child.Dir, child.Env = dir, []string{variable + "=" + dir}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: mine, Gid: mine}}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// What is obeyed can be written and replaced by nobody else, whoever reads it, root included. Where a link
// leads counts as where it stands.
func TestObeyed(t *testing.T) {
	const other = 1234
	for name, c := range map[string]struct {
		folder, mode       os.FileMode
		owner, folderOwner int
		link               bool
		wants              string // in the error; "" for none
	}{
		"mine":                       {0o755, 0o644, 0, 0, false, ""},
		"mine, by a link":            {0o755, 0o644, 0, 0, true, ""},
		"another's":                  {0o755, 0o644, other, 0, false, "belongs to another user (user id 1234; this is "},
		"another's, read by all":     {0o755, 0o444, other, 0, false, "belongs to another user"},
		"another's, by a link":       {0o755, 0o644, other, 0, true, "belongs to another user"},
		"for all to write":           {0o755, 0o666, 0, 0, false, "is open to other users (mode 0666)"},
		"for a group to write":       {0o755, 0o664, 0, 0, false, "is open to other users (mode 0664)"},
		"in a folder for all":        {0o777, 0o644, 0, 0, false, "who could replace \"config\""},
		"in a folder for a group":    {0o775, 0o644, 0, 0, false, "(mode 0775), who could replace"},
		"in another's folder":        {0o755, 0o644, 0, other, false, "belongs to another user"},
		"linked into a folder":       {0o777, 0o644, 0, 0, true, "who could replace"},
		"linked, another's folder":   {0o755, 0o644, 0, other, true, "belongs to another user"},
		"in a sticky folder for all": {os.ModeSticky | 0o777, 0o644, 0, 0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.owner+c.folderOwner != 0 {
				testkit.AsRoot(t)
			}
			own := t.TempDir()
			folder, named := filepath.Join(own, "folder"), filepath.Join(own, "config")
			path := filepath.Join(folder, "config")
			err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(path, []byte("x"), 0o600), os.Chmod(path, c.mode), os.Chmod(folder, c.folder), os.Symlink(path, named))
			if c.owner+c.folderOwner != 0 {
				err = errors.Join(err, os.Chown(path, c.owner, c.owner), os.Chown(folder, c.folderOwner, c.folderOwner), os.Chmod(folder, c.folder))
			}
			if err != nil {
				t.Fatal(err)
			}
			if !c.link {
				named = path
			}
			_, err = files.Read(named, files.Rule{Limit: 10, Forbidden: files.OthersWrite, Links: true, Obeyed: true})
			_, unsafe := errors.AsType[*files.UnsafeError](err)
			if unsafe != (c.wants != "") || !unsafe && err != nil || unsafe && !strings.Contains(err.Error(), c.wants) {
				t.Errorf("%v, want %q", err, c.wants)
			}
		})
	}
}
