//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// urlOnScreen is the authorization URL on a line of its own.
var urlOnScreen = regexp.MustCompile(`(?m)^(http://\S+code_challenge\S+)\r?$`)

// pasting pastes, once the URL is on the screen, what form makes of the URL where it ends.
func pasting(t *testing.T, form func(ended string) string) func([]byte, io.Writer) {
	pasted := false
	return func(text []byte, keyboard io.Writer) {
		if url := urlOnScreen.FindSubmatch(text); url != nil && !pasted {
			pasted = true
			io.WriteString(keyboard, form(consentElsewhere(t, string(url[1])).String()))
		}
	}
}

// TestPasteOnTerminal has a browser that shows nothing, whatever opens it, and says that all is well:
// the URL is on the screen, and what is pasted is taken, broken over lines too.
func TestPasteOnTerminal(t *testing.T) {
	manifest := startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	whole := func(ended string) string { return ended + "\n" }
	for name, c := range map[string]struct {
		form func(ended string) string
		args []string
	}{
		"BROWSER":      {whole, []string{"BROWSER=/bin/true", "login", "-f", manifest, "--store", "memory"}},
		"--browser":    {whole, []string{"login", "-f", manifest, "--store", "memory", "--browser", "/bin/true"}},
		"a failing":    {whole, []string{"login", "-f", manifest, "--store", "memory", "--browser", "/bin/false"}},
		"--no-browser": {whole, []string{"login", "-f", manifest, "--store", "memory", "--no-browser"}},
		"for a run":    {whole, []string{"BROWSER=/bin/true", "run", "-f", manifest, "--store", "memory", "--", "ambit", "version"}},
		"broken": {func(ended string) string {
			return ended[:len(ended)/2] + "\n" + ended[len(ended)/2:] + "\n"
		}, []string{"login", "-f", manifest, "--store", "memory", "--no-browser"}},
		"in marks": {func(ended string) string {
			return "\x1b[200~" + ended[:40] + "\r" + ended[40:] + "\x1b[201~\r"
		}, []string{"login", "-f", manifest, "--store", "memory", "--no-browser"}},
		"mended": {func(ended string) string {
			return "wrong\x15" + ended + "x\x7f\r"
		}, []string{"login", "-f", manifest, "--store", "memory", "--no-browser"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := onTerminal(t, t.TempDir(), pasting(t, c.form), c.args...)
			want := "logged in"
			if c.args[1] == "run" {
				want = "ambit devel"
			}
			if code != 0 || !bytes.Contains(out, []byte(want)) || !bytes.Contains(out, []byte("open this URL")) {
				t.Errorf("exit code %d\n%s", code, out)
			}
			if bytes.Contains(out, []byte("what was pasted")) {
				t.Errorf("a part was sent alone\n%s", out)
			}
		})
	}
}

// TestLongPaste pastes a code of 10,000 characters before the state, where a terminal's own line ends
// within the code, and then the right one.
func TestLongPaste(t *testing.T) {
	manifest := startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	long := func(ended string) string {
		address, query, _ := strings.Cut(ended, "?")
		return address + "?code=" + strings.Repeat("0123456789", 1000) + "&" + strings.Replace(query, "code=", "was=", 1) + "\n"
	}
	ended, refused := "", false
	paste := pasting(t, func(url string) string { ended = url; return long(url) })
	watch := func(text []byte, keyboard io.Writer) {
		if paste(text, keyboard); !refused && bytes.Contains(text, []byte("invalid_grant")) {
			refused = true
			io.WriteString(keyboard, ended+"\n")
		}
	}
	out, code := onTerminal(t, t.TempDir(), watch, "login", "-f", manifest, "--store", "memory", "--no-browser")
	if code != 0 || bytes.Count(out, []byte("what was pasted")) != 1 || !bytes.Contains(out, []byte("logged in")) {
		t.Errorf("exit code %d\n%.2000s", code, out)
	}
}

// TestSuspendedLogin presses Ctrl-Z in a shell: its terminal shows what is typed again, and after fg a
// paste is taken as before; Ctrl-C ends the login with 130 and leaves the terminal as it was.
func TestSuspendedLogin(t *testing.T) {
	shell, err := exec.LookPath("dash") // which leaves the terminal as a job does
	if err != nil {
		testkit.Lacks(t, "dash is not here, whose jobs are stopped")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Symlink(self, home+"/ambit"); err != nil {
		t.Fatal(err)
	}
	manifest := startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	for name, last := range map[string]struct {
		form func(ended string) string
		want string
	}{
		"a paste": {func(ended string) string { return strings.Repeat("\x7f", 3) + ended + "\n" }, "ended with 0"},
		"Ctrl-C":  {func(string) string { return "\x03" }, "ended with 130"},
	} {
		c := exec.CommandContext(t.Context(), shell, "-i")
		c.Env = []string{"HOME=" + home, "PATH=" + home + ":/usr/bin:/bin", "TERM=xterm", "PS1=ready> "}
		terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 200})
		if err != nil {
			t.Fatal(err)
		}
		defer time.AfterFunc(hangs, func() { terminal.Close() }).Stop()
		var text bytes.Buffer
		expect := func(mark string) string {
			t.Helper()
			piece := make([]byte, 4096)
			for !strings.Contains(text.String(), mark) {
				n, err := terminal.Read(piece)
				if text.Write(piece[:n]); err != nil {
					t.Fatalf("%s: %q did not come: %v\n%s", name, mark, err, text.String())
				}
			}
			before, after, _ := strings.Cut(text.String(), mark)
			text.Reset()
			text.WriteString(after)
			return before
		}
		expect("ready> ")
		io.WriteString(terminal, "ambit login -f "+manifest+" --store memory --no-browser; echo ended 'with' $?; stty -a\n")
		expect("open this URL")
		expect("\r\nhttp://")
		url := "http://" + expect("\r\n")
		io.WriteString(terminal, "abc\x1a")
		expect("Stopped")
		expect("ready> ")
		io.WriteString(terminal, "stty -a\n")
		if modes := expect("ready> "); !strings.Contains(modes, " icanon") || !strings.Contains(modes, " echo ") {
			t.Errorf("%s: while it is stopped: %s", name, modes)
		}
		io.WriteString(terminal, "fg; echo ended 'with' $?; stty -a\n")
		expect("\x1b[?2004habc") // it shows what was typed before, once
		io.WriteString(terminal, last.form(consentElsewhere(t, url).String()))
		if shown := expect(last.want); strings.Contains(shown, "abc") {
			t.Errorf("%s: shown twice: %s", name, shown)
		}
		if modes := expect("ready> "); !strings.Contains(modes, " icanon") || !strings.Contains(modes, " echo ") {
			t.Errorf("%s: afterwards: %s", name, modes)
		}
		io.WriteString(terminal, "exit\n")
		terminal.Close()
		c.Wait()
	}
}
