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
	"github.com/ambit-auth/ambit/internal/testkit"
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
		testkit.Lacks(t, "this system makes no symbolic links: "+err.Error())
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

// A renewal is one that a server does not answer yet, in a process of its own, and a
// login beside it.
type renewal struct {
	command func(args ...string) *exec.Cmd
	login   *exec.Cmd
	story   *bufio.Scanner // the login's
	release func()         // lets the server answer
	renewed func() []byte  // the token that came of it
}

// loginDuringRenewal logs in, begins to renew that login, and logs in anew: the new login
// has its token, and waits to keep it.
func loginDuringRenewal(t *testing.T) *renewal {
	t.Helper()
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	r := &renewal{release: sync.OnceFunc(func() { close(answer) })}
	t.Cleanup(r.release)
	var renewing atomic.Bool
	box := startBox(t, sandbox.Options{Grant: "all", Log: func(request sandbox.Request) {
		if !strings.HasSuffix(request.Path, "/oauth/token/") {
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
	r.command = func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), self)
		c.Args = append([]string{"ambit"}, args...)
		c.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "AMBIT_MANIFEST=" + box.Ready().Manifest}
		return c
	}
	if out, err := r.command("login", "--browser", visit).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	<-asked
	renewing.Store(true)
	token := make(chan []byte, 1)
	go func() {
		out, _ := r.command("token", "--min-ttl", "100h").Output()
		token <- out
	}()
	r.renewed = func() []byte { return <-token }
	<-asked
	r.login = r.command("login", "--browser", visit)
	story, err := r.login.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.login.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	r.story = bufio.NewScanner(story)
	if !r.tells("note: another process is renewing this login") {
		t.Error("the login did not wait for the renewal")
	}
	return r
}

// tells reads the login's story up to a line that begins so.
func (r *renewal) tells(begin string) bool {
	for r.story.Scan() {
		if strings.HasPrefix(r.story.Text(), begin) {
			return true
		}
	}
	return false
}

// TestLoginDuringRenewal logs in anew while another process renews the old login: whatever
// comes of the renewal, the new login is the one that stays.
func TestLoginDuringRenewal(t *testing.T) {
	r := loginDuringRenewal(t)
	r.release()
	renewed := r.renewed()
	if !r.tells("note: the login that this one replaces") {
		t.Error("nobody is told of the login that was replaced")
	}
	if err := r.login.Wait(); err != nil {
		t.Error(err)
	}
	token, err := r.command("token").Output()
	if err != nil || len(token) == 0 || len(renewed) == 0 || bytes.Equal(token, renewed) {
		t.Errorf("%v: %q is the token of the login that was replaced, %q", err, token, renewed)
	}
}

// TestInterruptBeforeKeeping presses Ctrl-C when a login has its token and waits to keep
// it: the token is revoked, and the login that was there stays.
func TestInterruptBeforeKeeping(t *testing.T) {
	r := loginDuringRenewal(t)
	if err := r.login.Process.Signal(os.Interrupt); err != nil {
		testkit.Lacks(t, "this system cannot press Ctrl-C for another program: "+err.Error())
	}
	if !r.tells("note: the token that came is not kept, and was revoked") || !r.tells("error: interrupted") {
		t.Error("the token lives on, or nothing is said")
	}
	if r.login.Wait(); r.login.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d", r.login.ProcessState.ExitCode())
	}
	r.release()
	renewed := r.renewed()
	if token, err := r.command("token").Output(); err != nil || !bytes.Equal(token, renewed) {
		t.Errorf("the login that was there is gone: %v", err)
	}
}
