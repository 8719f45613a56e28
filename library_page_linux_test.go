package ambit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// asBrowser makes this test the command that BROWSER names.
const asBrowser = "AMBIT_TEST_AS_BROWSER"

func TestMain(m *testing.M) {
	if os.Getenv(asBrowser) == "" {
		_ = os.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/no-bus") // nobody's own keyring is touched
		os.Exit(m.Run())
	}
	if err := visit(context.Background(), "", os.Args[len(os.Args)-1]); err != nil {
		os.Exit(1)
	}
}

// The first run of the program of docs/library.md, at a terminal: the browser opens, the person says
// where the login may be kept, and the call goes out. The second run asks nothing.
func TestPageProgramLogsInAtATerminal(t *testing.T) {
	first, _ := pagePrograms(t)
	program := built(t, first)
	defer aSandbox("all")()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct {
		what string
		said []string
	}{
		{"first", []string{"Keep the credential in a file that only you can read? [y/N]", "opening your browser", "200 OK"}},
		{"second", []string{"200 OK"}},
	} {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CI=") }), "BROWSER='"+self+"'", asBrowser+"=1")
		out := onTerminal(t, cmd)
		for _, sentence := range run.said {
			if !strings.Contains(out, sentence) {
				t.Errorf("%s run: %q is not in %s", run.what, sentence, out)
			}
		}
		if strings.Contains(out, "opening") != (run.what == "first") || !cmd.ProcessState.Success() {
			t.Errorf("%s run: %v: %s", run.what, cmd.ProcessState, out)
		}
	}
}

// onTerminal runs a command for a person who answers each question with yes.
func onTerminal(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var all bytes.Buffer
	text := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = terminal.Read(text) // its error is the end
		all.Write(text[:n])
		if bytes.HasSuffix(all.Bytes(), []byte("[y/N] ")) {
			_, _ = io.WriteString(terminal, "y\n")
		}
	}
	if err := cmd.Wait(); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			t.Fatal(err)
		}
	}
	return all.String()
}
