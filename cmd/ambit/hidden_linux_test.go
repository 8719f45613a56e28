package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
)

// The child of a run is no user with rights over its parent: the key in the parent's environment and
// the credential in its memory are out of its reach. Root can read everything, so the test drops it.
func TestRunHidesItselfFromItsChild(t *testing.T) {
	home := openDirectory(t)
	box, err := sandbox.Start(t.Context(), sandbox.Options{Manifest: ambit.ExampleManifest, Dir: home, Grant: "all"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	program := filepath.Join(home, "ambit")
	copyOfTest(t, program)
	script := `for file in environ mem maps; do if cat /proc/$PPID/$file; then echo "$file is open"; fi; done 2>/dev/null; cat /proc/self/environ`
	c := exec.CommandContext(t.Context(), program, "run", "-f", box.Ready().Manifest, "--", "sh", "-c", script)
	m, err := ambit.Load(box.Ready().Manifest)
	if err != nil {
		t.Fatal(err)
	}
	c.Env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_API_KEY=" + box.Ready().Keys.Full,
		"AMBIT_TRUST_HOST=" + strings.Join(m.Provider.Hosts(), ","), // to nobody the sandbox is another user's
	}
	if os.Geteuid() == 0 {
		const nobody = 65534
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		chown(t, home, nobody)
	}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "AMBIT_LEASE=") {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "is open") || strings.Contains(string(out), box.Ready().Keys.Full) {
		t.Errorf("the child reads its parent:\n%q", out)
	}
}

// openDirectory is one that every user can enter, in contrast to [testing.T.TempDir].
func openDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "ambit-hidden-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}

// copyOfTest puts this binary where every user can run it.
func copyOfTest(t *testing.T, path string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

func chown(t *testing.T, directory string, user int) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, user, user)
	})
	if err != nil {
		t.Fatal(err)
	}
}
