//go:build unix

package files_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/internal/files"
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
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of other users")
	}
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
