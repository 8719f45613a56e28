package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/ambit-auth/ambit/oauth/store/storetest"
)

// shell is a store whose program is a line of shell: $1 is the operation, and standard input the
// request.
func shell(t *testing.T, line string) *store.Exec {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		testkit.Lacks(t, "no sh on this machine")
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return &store.Exec{Command: "sh '" + path + "'", LeaseTime: 300 * time.Millisecond}
}

var execKey = store.Key{Issuer: "https://auth.example.com", ClientID: "cli", Manifest: "tool"}

// What a program does instead of answering is one clear error, whose words are fit for a line and
// hold nothing of a record.
func TestExecMisbehaves(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"it fails":              {"echo 'no such \033[31mhost' >&2; exit 3", `exit status 3: no such \x1b[31mhost`},
		"it says nothing":       {"cat >/dev/null", "it wrote no answer"},
		"it speaks":             {"echo hello", "not the JSON of the protocol"},
		"it repeats":            {"cat", "neither"},
		"both":                  {`echo '{"v":1,"ok":true,"error":{"code":"not_found"}}'`, "both"},
		"another version":       {`echo '{"v":2,"ok":true}'`, "version 2 of the protocol"},
		"an array":              {`echo '[]'`, "not the JSON of the protocol"},
		"two answers":           {`echo '{"v":1,"ok":true} {"v":1,"ok":true}'`, "not the JSON of the protocol"},
		"deep":                  {`head -c 200000 /dev/zero | tr '\0' '['`, "not the JSON of the protocol"},
		"it echoes the record":  {"cat >&2; exit 1", "is left out"},
		"it echoes the secrets": {"sed 's/.*\"access\":\"\\([^\"]*\\)\".*/token \\1/' >&2; exit 1", "token ***"},
		"it tells the secrets":  {`a=$(sed 's/.*"access":"\([^"]*\)".*/\1/'); echo '{"v":1,"error":{"code":"odd","message":"no '$a'"}}'`, "no ***"},
		"no room":               {`echo '{"v":1,"error":{"code":"too_large","message":""}}'`, "has no room for the credential"},
		"an odd code":           {`echo '{"v":1,"error":{"code":"o\u001bdd"}}'`, `"o\x1bdd"`},
		"it kills itself":       {"kill -9 $$", "signal: killed"},
	} {
		err := shell(t, c.line).Save(t.Context(), execKey, storetest.FullCredential())
		if err == nil || !strings.Contains(err.Error(), c.want) || storetest.Leaks(err.Error()) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A program that does not end is killed with what it started, and the wait has a limit.
func TestExecHangs(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	if err := exec.Command("mkfifo", alive).Run(); err != nil {
		testkit.Lacks(t, "no named pipes on this machine: "+err.Error())
	}
	s := shell(t, fmt.Sprintf("(exec >'%s' 2>&1; sleep 1000) & sleep 1000", alive))
	s.Timeout = time.Second / 2
	ended := make(chan error, 1)
	go func() { _, err := s.Load(t.Context(), execKey); ended <- err }()
	pipe, err := os.Open(alive) // open for as long as what the program started lives
	if err != nil {
		t.Fatal(err)
	}
	err = <-ended
	if e, ok := errors.AsType[*store.HelperError](err); !ok || !errors.Is(err, context.DeadlineExceeded) || e.Operation != "get" {
		t.Errorf("err = %v", err)
	}
	over := make(chan struct{})
	go func() { _, _ = pipe.Read(make([]byte, 1)); close(over) }()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Error("what the program started lives on")
	}
}

// What is relative to the current directory is never run.
func TestExecIsNoNeighbour(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("helper", []byte("#!/bin/sh\ntouch '"+dir+"/ran'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "."+string(filepath.ListSeparator)+""+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, command := range []string{"helper", "./helper", "../" + filepath.Base(dir) + "/helper", "", "''", "'helper", "no/such/helper"} {
		err := (&store.Exec{Command: command}).Check()
		if e, ok := errors.AsType[*store.HelperError](err); !ok || !e.Missing() {
			t.Errorf("%q: %v", command, err)
		}
	}
	if _, err := os.Stat("ran"); err == nil {
		t.Error("it ran")
	}
}

// The program's environment has no key, its directory is not ours, and no argument is a secret.
func TestExecSees(t *testing.T) {
	t.Setenv("AMBIT_API_KEY", storetest.Marked)
	t.Setenv("MY_STORE", "redis://example.com")
	seen := filepath.Join(t.TempDir(), "seen")
	s := shell(t, fmt.Sprintf(`(pwd; env; echo "$@"; tr '\0' '\n' </proc/$$/cmdline) >'%s' 2>&1; echo '{"v":1,"ok":true}'`, seen))
	if err := s.Save(t.Context(), execKey, storetest.FullCredential()); err != nil {
		t.Fatal(err)
	}
	out := readFile(t, seen)
	here, _ := os.Getwd()
	if storetest.Leaks(out) || strings.HasPrefix(out, here+"\n") || !strings.Contains(out, "MY_STORE=redis://example.com\n") || !strings.Contains(out, "\nput\n") {
		t.Error(out)
	}
}

// What is told beside an answer is told once, and made fit.
func TestExecTells(t *testing.T) {
	var told []string
	s := shell(t, "echo 'the certificate \033[2Jexpires' >&2; echo >&2; echo '{\"v\":1,\"ok\":true}'").With(nil, func(line string) { told = append(told, line) })
	for range 2 {
		if err := s.Probe(t.Context(), execKey); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || told[0] != `the store exec:sh: the certificate \x1b[2Jexpires` {
		t.Errorf("%q", told)
	}
}

// All that a program writes for people is told, up to a limit, whether it does what it was asked for
// or not.
func TestExecTellsAll(t *testing.T) {
	for end, want := range map[string]struct {
		notes  int
		reason string
	}{
		`echo '{"v":1,"ok":true}'`:                                     {4, ""},
		`echo '{"v":1,"error":{"code":"unavailable","message":"no"}}'`: {4, "no"},
		`exit 3`:                {3, "line 4"},
		`seq 1 100 >&2; exit 3`: {19, "16"},
	} {
		var told []string
		s := shell(t, "seq -f 'line %g' 1 4 >&2; "+end).With(nil, func(line string) { told = append(told, line) })
		err := s.Probe(t.Context(), execKey)
		if len(told) != want.notes || told[0] != "the store exec:sh: line 1" || (err == nil) != (want.reason == "") || err != nil && !strings.HasSuffix(err.Error(), ": "+want.reason) {
			t.Errorf("%s: %v, %q", end, err, told)
		}
	}
}

// Without leases of its own, the lock of this machine serves, and its number is none of the
// program's.
func TestExecWithoutLeases(t *testing.T) {
	place := filepath.Join(t.TempDir(), "kept")
	full := storetest.HelperKind().Open(place).(*store.Exec)
	s := shell(t, `case $1 in lease|renew-lease|release|list) echo '{"v":1,"error":{"code":"unsupported"}}';; 
*) in=$(cat); case $in in *'"fence"'*) echo '{"v":1,"error":{"code":"fenced"}}';; *) printf %s "$in" | '`+os.Args[0]+`' "$1";; esac;; esac`)
	s.Env = full.Env
	old, dir := storetest.FullCredential(), t.TempDir()
	if err := s.Save(t.Context(), execKey, old); err != nil {
		t.Fatal(err)
	}
	// The program gave leases once: a number of the lock may not be taken for one of those.
	theirs, err := full.Lease(t.Context(), execKey, store.Claim{})
	if err != nil {
		t.Fatal(err)
	}
	theirs.Release()
	lease, err := s.Lease(t.Context(), execKey, store.Claim{LockDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	next := *old
	if err := s.Swap(t.Context(), execKey, lease, old, &next); err != nil {
		t.Error(err)
	}
	ctx, end := context.WithCancel(t.Context())
	if _, err := s.Lease(ctx, execKey, store.Claim{LockDir: dir, Waiting: end}); !errors.Is(err, context.Canceled) {
		t.Errorf("two have the lock: %v", err)
	}
	lease.Release()
	if _, err := s.Lease(t.Context(), execKey, store.Claim{}); err == nil {
		t.Error("a lock without a directory")
	}
	if _, err := s.List(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("List: %v", err)
	}
}

// A lease that passes to somebody else while it is held is known to be lost.
func TestExecLeaseLost(t *testing.T) {
	s := shell(t, `case $1 in lease) echo '{"v":1,"ok":true,"fence":7}';; *) echo '{"v":1,"error":{"code":"fenced"}}';; esac`)
	lease, err := s.Lease(t.Context(), execKey, store.Claim{})
	if err != nil || lease.Number() != 7 {
		t.Fatalf("%v, %v", lease, err)
	}
	defer lease.Release()
	for deadline := time.Now().Add(20 * time.Second); lease.Lost() == nil; {
		if time.Now().After(deadline) {
			t.Fatal("the loss is not noticed")
		}
	}
	err = s.Swap(t.Context(), execKey, lease, storetest.FullCredential(), storetest.FullCredential())
	if _, fenced := errors.AsType[*store.FencedError](err); !fenced {
		t.Errorf("err = %v", err)
	}
}

// Whether a lease can be had is not known where the program cannot tell: nobody waits for that.
func TestExecLeaseCannotBeTold(t *testing.T) {
	for name, line := range map[string]string{
		"away":     `echo '{"v":1,"error":{"code":"unavailable"}}'`,
		"silent":   "exit 0",
		"no fence": `echo '{"v":1,"ok":true}'`,
	} {
		_, err := shell(t, line).Lease(t.Context(), execKey, store.Claim{LockDir: t.TempDir()})
		if _, ok := errors.AsType[*store.HelperError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who waits takes what came meanwhile, without a turn at the lease.
func TestExecLeaseUnwanted(t *testing.T) {
	s := shell(t, `echo '{"v":1,"error":{"code":"held"}}'`)
	var once sync.Once
	told := 0
	_, err := s.Lease(t.Context(), execKey, store.Claim{Waiting: func() { told++ }, Over: func() (over bool) {
		over = true
		once.Do(func() { over = false })
		return over
	}})
	if !errors.Is(err, store.ErrUnwanted) || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
}

// A crowd that waits leaves the machine to the one that renews: each has the program run once between
// two pauses, which grow, and looks and asks in turn.
func TestExecWaitsCheaply(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	s := shell(t, `echo "$1" >>'`+ran+`'; case $1 in get) echo '{"v":1,"error":{"code":"not_found"}}';; *) echo '{"v":1,"error":{"code":"held"}}';; esac`)
	synctest.Test(t, func(t *testing.T) {
		_, err := s.Lease(t.Context(), execKey, store.Claim{Over: func() bool { _, _ = s.Load(t.Context(), execKey); return false }})
		if _, locked := errors.AsType[*store.LockError](err); !locked || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
	runs := strings.Fields(readFile(t, ran))
	for i, operation := range runs {
		if want := []string{"lease", "get"}[i%2]; operation != want {
			t.Fatalf("run %d is %s, want %s", i, operation, want)
		}
	}
	if len(runs) < 20 || len(runs) > 55 { // in 45 s, with pauses of one to two seconds
		t.Errorf("%d runs", len(runs))
	}
}

// A list is of keys that this program would look for, and no others.
func TestExecList(t *testing.T) {
	good := fmt.Sprintf(`{"id":%q,"issuer":"https://auth.example.com","client_id":"cli","manifest":"tool"}`, execKey.ID())
	s := shell(t, `echo '{"v":1,"ok":true,"keys":[`+good+`,{"id":"../../etc","issuer":"x"},{}]}'`)
	keys, err := s.List(t.Context())
	if err != nil || len(keys) != 1 || keys[0] != execKey {
		t.Errorf("%v, %v", keys, err)
	}
}
