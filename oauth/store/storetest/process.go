package storetest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/oauth/store"
)

// jobVariable makes a process of the test's program one of [Run]'s.
const jobVariable = "AMBIT_STORETEST_JOB"

// What such a process does.
const (
	roleSwap  = "swap"
	roleCount = "count"
	roleHold  = "hold"
	roleSave  = "save"
)

// A job is what a process is told.
type job struct {
	Kind, Place, Locks, Role string
	Key                      store.Key
	Args                     []string
}

// Main is for the TestMain of a program that calls [Run]: it does the job of a process that Run
// has started, and ends it. Everywhere else it does nothing.
func Main(kinds ...Kind) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(Helper(os.Args, os.Stdin, os.Stdout))
	}
	text := os.Getenv(jobVariable)
	if text == "" {
		return
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for _, kind := range kinds {
		if kind.Name == j.Kind {
			f := &fixture{kind: kind, place: j.Place, locks: j.Locks, key: j.Key, store: kind.Open(j.Place)}
			if err := f.do(j); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	fmt.Println("no kind", j.Kind)
	os.Exit(2)
}

func (f *fixture) do(j job) error {
	ctx, heard := context.Background(), bufio.NewScanner(os.Stdin)
	switch j.Role {
	case roleSwap:
		fmt.Println("ready")
		heard.Scan()
		won, err := f.swap(ctx, f.store, secrets("old"), j.Args[0])
		if err == nil && won {
			fmt.Println(j.Args[0])
		} else if err == nil {
			fmt.Println("changed")
		}
		return err
	case roleCount:
		return f.count(ctx, j.Args[0], j.Args[1])
	case roleHold:
		lease, err := f.store.Lease(ctx, f.key, f.claim())
		if err != nil {
			return err
		}
		fmt.Println(lease.Number())
		heard.Scan()
		err = f.store.Swap(ctx, f.key, lease, secrets("old"), secrets("of one who slept"))
		if _, fenced := errors.AsType[*store.FencedError](err); fenced {
			fmt.Println("fenced")
			return nil
		}
		return fmt.Errorf("not fenced: %w", err)
	case roleSave:
		for n := 1; ; n++ {
			fmt.Println("writing")
			if err := f.store.Save(ctx, f.key, whole(n, 4<<10)); err != nil {
				return err
			}
		}
	}
	return errors.ErrUnsupported
}

// count adds to the number in a file, under the lease.
func (f *fixture) count(ctx context.Context, path, rounds string) error {
	n, err := strconv.Atoi(rounds)
	for range n {
		lease, leaseErr := f.store.Lease(ctx, f.key, f.claim())
		if leaseErr != nil {
			return leaseErr
		}
		data, readErr := os.ReadFile(path)
		number, parseErr := strconv.Atoi(string(data))
		writeErr := os.WriteFile(path, []byte(strconv.Itoa(number+1)), 0o600)
		lease.Release()
		err = errors.Join(err, readErr, parseErr, writeErr)
	}
	if err == nil {
		fmt.Println("done")
	}
	return err
}

// whole is a credential whose two secrets are the same, so that a mixture of two shows.
func whole(n, size int) *credential.Credential {
	text := strings.Repeat(strconv.Itoa(n%10), size)
	return &credential.Credential{Access: credential.NewSecret(text), Refresh: credential.NewSecret(text)}
}

// A process does one job.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func (f *fixture) start(t *testing.T, role string, args ...string) *process {
	t.Helper()
	text, err := json.Marshal(job{f.kind.Name, f.place, f.locks, role, f.key, args})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	p := &process{t, cmd, in, bufio.NewScanner(out)}
	t.Cleanup(p.kill)
	return p
}

// line is what the process says next; "" where it has ended.
func (p *process) line() string {
	p.out.Scan()
	return p.out.Text()
}

// number is the fencing number that it says.
func (p *process) number() int64 {
	p.t.Helper()
	text := p.line()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.t.Fatalf("a process has no lease: %q", text)
	}
	return n
}

func (p *process) say(line string) { _, _ = io.WriteString(p.in, line+"\n") }

// kill ends it as a crash does, with the store's program that it is waiting for.
func (p *process) kill() {
	p.killPrograms()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
