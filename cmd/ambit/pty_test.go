//go:build !windows

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestSilentTerminal runs commands on a terminal that answers nothing. None may ask
// it anything, nor wait: a program that queries a terminal's colors stands still
// for seconds on one that does not know the question.
func TestSilentTerminal(t *testing.T) {
	s, err := sandbox.Start(t.Context(), sandbox.Options{Grant: "all", Manifest: ambit.ExampleManifest, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	manifest := s.Ready().Manifest
	home := t.TempDir()
	tools := filepath.Join(home, "tools.json")
	if err := os.WriteFile(tools, []byte(`{"first": {"required_scopes": ["user:read"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	silent := func(watch func([]byte, io.Writer), args ...string) {
		t.Helper()
		out, code := onTerminal(t, home, watch, args...)
		if args[0] == "demo" && code != 0 {
			t.Errorf("the README's first command ends with %d on a terminal: %s", code, out)
		}
		if len(out) == 0 {
			t.Errorf("%v wrote nothing", args)
		}
		if asked := onlyText(out); asked != nil {
			t.Errorf("%v wrote %q to the terminal", args, asked)
		}
	}
	ran := map[string]bool{"help": true} // as --help
	for _, args := range [][]string{
		{"version"},
		{"--help"},
		{"completion", "bash"},
		{"schema", "profile"},
		{"init", "-f", filepath.Join(home, "new.yaml"), "--from", s.Ready().Issuer},
		{"plan", "-f", manifest},
		{"status", "-f", manifest},
		{"login", "-f", manifest, "--browser", "visit", "--store", "file"},
		{"status", "-f", manifest},
		{"check", "-f", manifest},
		{"explain", "-f", manifest, "user:read"},
		{"scopes", "-f", manifest},
		{"export", "-f", manifest},
		{"audit", "-f", manifest, "--mcp-tools", tools},
		{"run", "-f", manifest, "--", "ambit", "version"},
		{"doctor", "-f", manifest},
		{"token", "-f", manifest},
		{"logins"},
		{"logout", "-f", manifest},
		{"demo"},
	} {
		silent(nil, args...)
		ran[args[0]] = true
	}
	interrupt := func(text []byte, keyboard io.Writer) {
		if bytes.Contains(text, []byte("manifest")) { // it is ready
			io.WriteString(keyboard, "\x03")
		}
	}
	silent(interrupt, "sandbox")
	ran["sandbox"] = true
	for _, command := range commandsInHelp(t, home) {
		if !ran[command] {
			t.Errorf("%s was not run", command)
		}
	}
}

// commandsInHelp are the commands that the help lists.
func commandsInHelp(t *testing.T, home string) []string {
	t.Helper()
	out, _ := onTerminal(t, home, nil, "--help")
	_, list, found := strings.Cut(string(out), "\r\nBegin:\r\n")
	list, _, ended := strings.Cut(list, "Flags:")
	if !found || !ended {
		t.Fatalf("no list of commands: %s", out)
	}
	var names []string
	for line := range strings.Lines(list) {
		if words := strings.Fields(line); len(words) > 1 && strings.HasPrefix(line, "  "+words[0]) { // not a title
			names = append(names, words[0])
		}
	}
	return names
}

// TestStorePrompt answers the question whether a file may keep the login: Ctrl-C is
// neither a yes nor a no, and a yes counts for the next login too.
func TestStorePrompt(t *testing.T) {
	home, manifest := t.TempDir(), startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	for _, c := range []struct {
		answer, want string
		code         int
	}{
		{"\x03", "interrupted", 130},
		{"n\n", "--store file keeps credentials", 2},
		{"y\n", "scopes granted", 0},
		{"", "scopes granted", 0},
	} {
		out, code := onTerminal(t, home, answering(c.answer), "login", "-f", manifest, "--browser", "visit")
		if asked := bytes.Contains(out, []byte("[y/N]")); asked != (c.answer != "") || code != c.code || !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("after %q: asked is %t, exit code %d\n%s", c.answer, asked, code, out)
		}
	}
}

// TestProgress has a server that answers only when the person has read that it is being
// asked: the line is there in time, and gone afterwards. Without a terminal there is none.
func TestProgress(t *testing.T) {
	seen := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-seen
		issuer := "http://" + r.Host
		fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "code_challenge_methods_supported": ["S256"], "token_endpoint": %q, "response_types_supported": ["code"]}`, issuer, issuer+"/a", issuer+"/t")
	}))
	defer server.Close()
	home := t.TempDir()
	manifest := filepath.Join(home, "scopes.yaml")
	text := "version: 1\nname: slow\nprovider: " + server.URL + "\nscopes:\n  - {scope: a, level: required, why: b}\n"
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	asking := "asking " + strings.TrimPrefix(server.URL, "http://") + " …"
	answer := sync.OnceFunc(func() { close(seen) })
	defer answer() // or the server would wait for ever
	watch := func(text []byte, _ io.Writer) {
		if bytes.Contains(text, []byte(asking)) {
			answer()
		}
	}
	out, code := onTerminal(t, home, watch, "plan", "-f", manifest)
	if _, after, found := strings.Cut(string(out), asking); code != 0 || !found || !strings.Contains(after, "\r\x1b[K") || strings.Contains(after, "asking") {
		t.Errorf("exit code %d: %q", code, out)
	}
	os.RemoveAll(filepath.Join(home, ".cache"))
	c := exec.Command(os.Args[0])
	c.Args, c.Env = []string{"ambit", "plan", "-f", manifest}, []string{"HOME=" + home}
	if piped, err := c.CombinedOutput(); err != nil || bytes.Contains(piped, []byte("asking")) {
		t.Errorf("%v without a terminal: %q", err, piped)
	}
}

// answering types an answer, once a question is there.
func answering(answer string) func([]byte, io.Writer) {
	return func(text []byte, keyboard io.Writer) {
		if answer != "" && bytes.Contains(text, []byte("[y/N] ")) {
			io.WriteString(keyboard, answer)
			answer = ""
		}
	}
}

// TestRunForOnce logs in for one run, and keeps nothing: the child gets what was granted.
func TestRunForOnce(t *testing.T) {
	home, manifest := t.TempDir(), startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	out, code := onTerminal(t, home, nil, "BROWSER=visit", "run", "-f", manifest, "--store", "memory", "--", "ambit", "version")
	if code != 0 || !bytes.Contains(out, []byte("nobody is logged in yet")) || !bytes.Contains(out, []byte("ambit devel")) {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if kept, _ := filepath.Glob(filepath.Join(home, ".local/state/ambit/credentials/*")); len(kept) > 0 {
		t.Errorf("it kept %v", kept)
	}
}

// onTerminal runs ambit on a pseudo-terminal of 80 columns, and gives what it wrote. The
// arguments may begin with variables (COLUMNS and PWD hold for the terminal and the program), and before these with < for no standard input, or 2>FILE. watch sees all that is there so far, and can type;
// nil where nobody does.
func onTerminal(t *testing.T, home string, watch func(text []byte, keyboard io.Writer), args ...string) (out []byte, code int) {
	t.Helper()
	return startedOnTerminal(t, home, nil, watch, args...)
}

var heading = regexp.MustCompile(`<h1.*</h1>`)

// TestLastPageIsLoadedAgain has a browser that loads the last page once more when the login is over: it is there
// for a moment.
func TestLastPageIsLoadedAgain(t *testing.T) {
	manifest := startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest
	page, pages := "", []string{}
	visit := func(url string) {
		response, err := http.Get(url)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body) // what came is compared
		page, pages = response.Request.URL.String(), append(pages, string(text))
	}
	watch := func(text []byte, _ io.Writer) {
		switch url := urlOnScreen.FindSubmatch(text); {
		case url != nil && len(pages) == 0:
			visit(string(url[1]))
		case bytes.Contains(text, []byte("logged in")) && len(pages) == 1:
			visit(page)
		}
	}
	out, code := onTerminal(t, t.TempDir(), watch, "login", "-f", manifest, "--store", "memory", "--no-browser")
	if code != 0 || len(pages) != 2 || !heading.MatchString(pages[1]) || heading.FindString(pages[0]) != heading.FindString(pages[1]) {
		t.Errorf("exit code %d, %d pages\n%s", code, len(pages), out)
	}
}

// linkPrograms puts the programs of the tests into a directory: under these names the test's own binary
// is each of them; see TestMain.
func linkPrograms(t *testing.T, home string) (directory string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	directory = filepath.Join(home, "bin")
	os.MkdirAll(directory, 0o700)
	for _, name := range []string{"ambit", "visit", "drawer", "caller", "xdg-open"} {
		os.Symlink(self, filepath.Join(directory, name))
	}
	return directory
}

// startedOnTerminal is onTerminal; started gets the program's process, nil where nobody wants it.
func startedOnTerminal(t *testing.T, home string, started func(*os.Process), watch func(text []byte, keyboard io.Writer), args ...string) (out []byte, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tools := linkPrograms(t, home)
	c := exec.CommandContext(ctx, self)
	session := &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if args[0] == "<" { // standard input is the null device, and the terminal is there all the same
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		c.Stdin, args = null, args[1:]
	}
	if path, away := strings.CutPrefix(args[0], "2>"); away {
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		c.Stderr, args = file, args[1:]
	}
	c.Args = append([]string{"ambit"}, args...)
	c.Env = []string{"HOME=" + home, "TERM=xterm-256color", "PATH=" + tools, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + home + "/no-bus"}
	size := pty.Winsize{Rows: 24, Cols: 80}
	for strings.Contains(c.Args[1], "=") {
		name, value, _ := strings.Cut(c.Args[1], "=")
		switch name {
		case "COLUMNS":
			n, _ := strconv.ParseUint(value, 10, 16)
			size.Cols = uint16(n)
		case "PWD":
			c.Dir = value
		}
		c.Env, c.Args = append(c.Env, c.Args[1]), slices.Delete(c.Args, 1, 2)
	}
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if err := keepOutput(terminal); err != nil { // before the program looks at the terminal's modes
		t.Fatal(err)
	}
	if err := pty.Setsize(terminal, &size); err != nil {
		t.Fatal(err)
	}
	c.SysProcAttr, c.Stdout = session, tty
	if c.Stdin == nil {
		c.Stdin = tty
	}
	if c.Stderr == nil {
		c.Stderr = tty
	}
	err = c.Start()
	tty.Close()
	if err != nil {
		t.Fatal(err)
	}
	if started != nil {
		started(c.Process)
	}
	var text bytes.Buffer
	piece := make([]byte, 4096)
	for {
		n, err := terminal.Read(piece)
		text.Write(piece[:n])
		if watch != nil {
			watch(text.Bytes(), terminal)
		}
		if err == io.EOF || errors.Is(err, syscall.EIO) { // Linux ends a terminal whose program is gone with EIO
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c.Wait() // the exit code is told apart
	if ctx.Err() != nil {
		t.Fatalf("%v still ran after %s", args, hangs)
	}
	return text.Bytes(), c.ProcessState.ExitCode()
}

// onlyText finds the first control sequence that is not a color, the clearing of
// a progress line or of what a child left below its last one, or the wish to be told of pastes,
// which no terminal answers; nil where there is none.
func onlyText(out []byte) []byte {
	rest := regexp.MustCompile(`\x1b\[[0-9;]*m|\r\x1b\[K|\x1b\[J|\x1b\[\?2004[hl]`).ReplaceAll(out, nil)
	if at := bytes.IndexByte(rest, 0x1b); at >= 0 {
		return rest[at:min(len(rest), at+12)]
	}
	return nil
}

// TestTrustPrompt answers the question about an unknown host on a real terminal: a yes
// is remembered, a no is not, and where CI is set nobody is asked.
func TestTrustPrompt(t *testing.T) {
	home := t.TempDir()
	manifest := filepath.Join(home, "scopes.yaml")
	text := "version: 1\nname: asks\nprovider: https://auth.example.net\nscopes:\n  - {scope: a, level: required, why: b}\n"
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answer string
		env    []string
		want   string
	}{
		{"n\n", nil, "is not trusted with a credential"},
		{"", []string{"CI=1"}, "is not trusted with a credential"},
		{"y\n", nil, "no credential is stored"},
		{"", nil, "no credential is stored"}, // the yes was kept
	} {
		out := typing(t, home, c.answer, c.env, "status", "-f", manifest, "--store", "file")
		if !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("after %q with %v it says %q", c.answer, c.env, out)
		}
		if asked := bytes.Contains(out, []byte("[y/N]")); asked != (c.answer != "") {
			t.Errorf("after %q with %v: asked is %t", c.answer, c.env, asked)
		}
	}
}

// TestKeyPrompt asks whether a server of this machine may be sent the key in a variable that only the provider's
// file names, by the name of that variable, and once.
func TestKeyPrompt(t *testing.T) {
	home := t.TempDir()
	manifest := filepath.Join(home, "scopes.yaml")
	text := "version: 1\nname: asks\nprovider: {servers: {own: {issuer: \"http://127.0.0.1:9\"}}, credentials: [{prefix: frg_, kind: key, env: [FORGE_TOKEN]}]}\nscopes: []\n"
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"FORGE_TOKEN=frg_0123456789abcdef"}
	for _, c := range []struct{ answer, want string }{
		{"n\n", "is not trusted with the key in FORGE_TOKEN"}, {"y\n", "frg_0123456789abcdef"}, {"", "frg_0123456789abcdef"},
	} {
		out := typing(t, home, c.answer, env, "token", "-f", manifest, "--store", "file")
		if !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("after %q it says %q", c.answer, out)
		}
		if asked := bytes.Contains(out, []byte("May they be sent the key in FORGE_TOKEN?")); asked != (c.answer != "") {
			t.Errorf("after %q: asked is %t: %q", c.answer, asked, out)
		}
	}
}

// typing runs ambit on a terminal on which someone types.
func typing(t *testing.T, home, text string, env []string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(ctx, self)
	c.Args = append([]string{"ambit"}, args...)
	c.Env = append([]string{"HOME=" + home, "TERM=xterm"}, env...)
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	io.WriteString(terminal, text)
	var out bytes.Buffer
	io.Copy(&out, terminal) // ends with EIO when the program does
	c.Wait()
	return out.Bytes()
}
