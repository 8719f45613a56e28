package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

// TestLoginDuringRenewal logs in anew while another process renews the old login: whatever
// comes of the renewal, the new login is the one that stays.
func TestLoginDuringRenewal(t *testing.T) {
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	release := sync.OnceFunc(func() { close(answer) })
	defer release()
	var renewing atomic.Bool
	box := startBox(t, sandbox.Options{Grant: "all", Log: func(r sandbox.Request) {
		if !strings.HasSuffix(r.Path, "/oauth/token/") {
			return
		}
		asked <- struct{}{}
		if renewing.CompareAndSwap(true, false) {
			<-answer
		}
	}})
	home, visit := t.TempDir(), visitCommand(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), self)
		c.Args = append([]string{"ambit"}, args...)
		c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + box.Ready().Manifest}
		return c
	}
	ambit := func(args ...string) (string, error) {
		out, err := command(args...).CombinedOutput()
		return string(out), err
	}
	if out, err := ambit("login", "--browser", visit); err != nil {
		t.Fatal(out)
	}
	<-asked
	renewing.Store(true)
	var wait sync.WaitGroup
	var renewed []byte
	wait.Go(func() { renewed, _ = command("token", "--min-ttl", "100h").Output() })
	<-asked
	login := command("login", "--browser", visit)
	story, err := login.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := login.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked // it has its token, and would keep it
	waits := false
	for lines := bufio.NewScanner(story); !waits && lines.Scan(); {
		waits = strings.HasPrefix(lines.Text(), "another ambit is renewing this login")
	}
	if !waits {
		t.Error("the login did not wait for the renewal")
	}
	release()
	wait.Wait()
	if err := login.Wait(); err != nil {
		t.Error(err)
	}
	token, err := command("token").Output()
	if err != nil || len(token) == 0 || len(renewed) == 0 || bytes.Equal(token, renewed) {
		t.Errorf("%v: %q is the token of the login that was replaced, %q", err, token, renewed)
	}
}
