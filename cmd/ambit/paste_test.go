package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// A personAt is someone at a machine without a browser: the real program, as a
// process, with a pipe to type into.
type personAt struct {
	*exec.Cmd
	types  io.WriteCloser
	reads  *bufio.Scanner // standard error, where the story is
	stdout strings.Builder
	home   string
}

func sitDown(t *testing.T, manifest string) *personAt {
	t.Helper()
	return sitDownAt(t, t.TempDir(), manifest)
}

func sitDownAt(t *testing.T, home, manifest string) *personAt {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &personAt{Cmd: exec.CommandContext(t.Context(), self), home: home}
	p.Args = []string{"ambit", "login", "-f", manifest, "--no-browser", "--store", "file"}
	p.Env = []string{"HOME=" + p.home}
	p.Stdout = &p.stdout
	p.types, err = p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	story, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.reads = bufio.NewScanner(story)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// readUntil reads the story up to a line that begins so, and gives that.
func (p *personAt) readUntil(t *testing.T, begin string) string {
	t.Helper()
	for p.reads.Scan() {
		if strings.HasPrefix(p.reads.Text(), begin) {
			return p.reads.Text()
		}
	}
	t.Fatalf("no line begins with %q", begin)
	return ""
}

func (p *personAt) exit(t *testing.T) int {
	t.Helper()
	for p.reads.Scan() { // what is left of the story
	}
	var ended *exec.ExitError
	if err := p.Wait(); errors.As(err, &ended) {
		return ended.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

// consentElsewhere opens the URL on another machine: the browser there ends at an
// address that it cannot load, and that is what the person copies.
func consentElsewhere(t *testing.T, authorizationURL string) *url.URL {
	t.Helper()
	var last *url.URL
	client := &http.Client{CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		last = next.URL
		if next.URL.Query().Has("code") || next.URL.Query().Has("error") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := client.Get(authorizationURL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return last
}

// TestPaste logs in from a machine without a browser, in each form that may be pasted,
// after pastes that were something else.
func TestPaste(t *testing.T) {
	for name, form := range map[string]func(*url.URL) string{
		"the whole URL": (*url.URL).String,
		"its query":     func(u *url.URL) string { return u.RawQuery },
		"the bare code": func(u *url.URL) string { return u.Query().Get("code") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sitDown(t, startBox(t, sandbox.Options{Grant: "all"}).Ready().Manifest)
			ended := consentElsewhere(t, p.readUntil(t, "http://"))
			for _, wrong := range []string{"help", "http://localhost/callback?code=wrong&state=wrong", "a-code-of-another-login"} {
				io.WriteString(p.types, wrong+"\n")
				p.readUntil(t, "note: what was pasted is not")
			}
			io.WriteString(p.types, form(ended)+"\n")
			p.types.Close()
			if code := p.exit(t); code != 0 || !strings.Contains(p.stdout.String(), "scopes granted") {
				t.Errorf("exit code %d\n%s", code, p.stdout.String())
			}
		})
	}
}

// TestInterrupt presses Ctrl-C while a login waits: it ends, says so, and leaves
// nothing behind.
func TestInterrupt(t *testing.T) {
	manifest, home := startBox(t, sandbox.Options{}).Ready().Manifest, t.TempDir()
	interrupted(t, sitDownAt(t, home, manifest))
	interrupted(t, sitDownAt(t, home, manifest)) // what the server says of itself is in the cache now: no request goes out
}

func interrupted(t *testing.T, p *personAt) {
	t.Helper()
	login, err := url.Parse(p.readUntil(t, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(login.Query().Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		testkit.Lacks(t, "this system cannot press Ctrl-C for another program: "+err.Error())
	}
	p.readUntil(t, "error: interrupted")
	if code := p.exit(t); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if _, err := http.Get("http://" + back.Host + "/"); err == nil {
		t.Error("something still listens")
	}
	kept, _ := filepath.Glob(filepath.Join(p.home, ".local/state/ambit/credentials/*"))
	if len(kept) > 0 {
		t.Errorf("it left %v", kept)
	}
}
