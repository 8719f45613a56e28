package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// herd is how many processes want the same credential at once.
const herd = 20

// TestOneRefreshForTwentyProcesses starts twenty "run" and "token" at the same moment
// with a login that is at its end, against a server that ends a session whose refresh
// token is used twice: one of them renews, and all go on.
func TestOneRefreshForTwentyProcesses(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all", Misbehave: []string{"short-lived"}})
	home := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	caller := filepath.Join(home, "caller")
	if err := os.Symlink(self, caller); err != nil {
		lacks(t, "this system makes no symbolic links: "+err.Error())
	}
	ambit := func(args ...string) ([]byte, error) {
		c := exec.CommandContext(t.Context(), self)
		c.Args = append([]string{"ambit"}, args...)
		c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + box.Ready().Manifest}
		return c.CombinedOutput()
	}
	if out, err := ambit("login", "--browser", visitCommand(t)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The login's token lives for a second; whatever comes of a renewal lives for an hour.
	before := refreshes(box)
	var wait sync.WaitGroup
	for i := range herd {
		wait.Go(func() {
			args := []string{"token", "--min-ttl", "30m"}
			if i%2 == 0 {
				args = []string{"run", "--", caller, "POST gateway/v1/messages"}
			}
			out, err := ambit(args...)
			if err != nil || !bytes.Contains(out, []byte("pha_")) && !bytes.Contains(out, []byte("messages 200")) {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		})
	}
	wait.Wait()
	if n := refreshes(box) - before; n != 1 {
		t.Errorf("%d refresh requests", n)
	}
}

// refreshes counts what the token endpoint was asked.
func refreshes(box *sandbox.Sandbox) int {
	n := 0
	for _, r := range box.Requests() {
		if strings.HasSuffix(r.Path, "/oauth/token/") {
			n++
		}
	}
	return n
}
