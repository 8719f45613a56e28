//go:build unix

package child_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/child"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/creack/pty"
)

func shell(script string) child.Command {
	return child.Command{Args: []string{"sh", "-c", script}, Env: os.Environ()}
}

// A pipe in the place of a settings file would never end.
func TestDiskReadsNoPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "settings.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		testkit.Lacks(t, "no pipe can be made here: "+err.Error())
	}
	if _, err := (profile.Disk{}).ReadFile(pipe, 4); err == nil {
		t.Error("a pipe was read")
	}
}

func TestChildExitCode(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -9 $$": 137} {
		if code, err := shell(script).Run(t.Context()); code != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", script, code, err, want)
		}
	}
}

func TestChildThatCannotStart(t *testing.T) {
	_, err := child.Command{Args: []string{"/no/such/program"}}.Run(t.Context())
	var e *child.StartError
	if !errors.As(err, &e) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("%v", err)
	}
	if _, err := (child.Command{}).Start(); !errors.As(err, &e) {
		t.Errorf("no program: %v", err)
	}
}

// started runs a script until it has said ready; what holds its output holds the pipe.
func started(t *testing.T, c child.Command) (*child.Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	c.Out = w
	child, err := c.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(r)
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return child, out
}

func TestChildIsStoppedPolitely(t *testing.T) {
	child, out := started(t, shell(`trap 'echo saved; exit 7' TERM; sleep 100 & echo ready; wait`))
	child.Stop()
	if code, err := child.Wait(); code != 7 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	if rest, err := io.ReadAll(out); string(rest) != "saved\n" || err != nil {
		t.Errorf("said %q, %v", rest, err)
	}
	child.Stop() // again is no harm
}

// A whole group that does not listen is gone when Stop returns: nobody holds the pipe.
func TestChildIsStoppedFirmly(t *testing.T) {
	for name, script := range map[string]string{
		"leader":     `trap '' TERM; echo ready; while :; do sleep 100; done`,
		"grandchild": `(trap '' TERM; echo ready; while :; do sleep 100; done) & wait`,
	} {
		c := shell(script)
		c.Grace = 50 * time.Millisecond
		child, out := started(t, c)
		child.Stop()
		if code, _ := child.Wait(); code != 137 && name == "leader" || code == 0 {
			t.Errorf("%s: code %d", name, code)
		}
		if rest, err := io.ReadAll(out); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", name, rest, err)
		}
	}
}

func TestChildEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w, _ := os.Pipe()
	c := shell(`trap 'exit 9' TERM; sleep 100 & echo ready; wait`)
	c.Out = w
	go func() {
		_, _ = bufio.NewReader(r).ReadString('\n')
		cancel()
	}()
	if code, err := c.Run(ctx); code != 9 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	w.Close()
	r.Close()
}

// A signal to us alone is the end of the child, and its code says which it was.
func TestChildEndsByTheSignal(t *testing.T) {
	for name, script := range map[string]string{
		"heeded":  `trap 'exit 9' TERM; echo ready; while :; do sleep 100; done`,
		"ignored": `trap '' INT; echo ready; while :; do sleep 100; done`,
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		r, w, _ := os.Pipe()
		c := shell(script)
		c.Out, c.Grace = w, 50*time.Millisecond
		go func() {
			_, _ = bufio.NewReader(r).ReadString('\n')
			cancel(signals.Ended{Signal: os.Interrupt})
		}()
		if code, err := c.Run(ctx); code != 130 || err != nil {
			t.Errorf("%s: %d, %v", name, code, err)
		}
		w.Close()
		r.Close()
	}
}

func TestChildGetsOurSignals(t *testing.T) {
	child, _ := started(t, shell(`trap 'exit 5' HUP; sleep 100 & echo ready; wait`))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if code, err := child.Wait(); code != 5 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

// Under this variable the test program is one that runs a child on its terminal.
const onTerminal = "AMBIT_TEST_ON_TERMINAL"

func TestMain(m *testing.M) {
	if os.Getenv(onTerminal) == "" {
		os.Exit(m.Run())
	}
	c := shell(`if read a b c d e f g front rest </proc/$$/stat; then [ "$front" = $$ ] || echo "child is not in front"; fi
read line; echo "child: $line"; kill -TSTP $$; echo "child goes on"`)
	c.In, c.Out, c.Err = os.Stdin, os.Stdout, os.Stderr
	code, err := c.Run(context.Background())
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n') // stops us where the terminal is not ours again
	os.Stdout.WriteString("parent: " + strings.TrimSpace(line) + "\n")
	if err != nil {
		code = 99
	}
	os.Exit(code)
}

// The child reads from the terminal, so it has the foreground; the parent reads after
// it, so that came back. In between the child stops, and there is no shell to go on for us.
func TestChildGetsTheTerminal(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), onTerminal+"=1")
	master, err := pty.Start(cmd)
	if err != nil {
		testkit.Lacks(t, "no terminal can be made here: "+err.Error())
	}
	defer master.Close()
	if _, err := master.WriteString("one\ntwo\n"); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	_, _ = io.Copy(&said, master) // ends with an error when the other side closes
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(said.String(), "not in front") {
		t.Error("the child had not the terminal from its start")
	}
	for _, want := range []string{"child: one", "child goes on", "parent: two"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q lacks %q", said.String(), want)
		}
	}
}
