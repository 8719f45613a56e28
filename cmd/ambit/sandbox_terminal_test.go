//go:build !windows

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestSandboxOnATerminal shows a person what a first try takes, and a line for each request as it
// comes, in which nothing of a path reaches the terminal as it is.
func TestSandboxOnATerminal(t *testing.T) {
	asked, struck := false, false
	watch := func(text []byte, keyboard io.Writer) {
		issuer := regexp.MustCompile(`issuer +(http://\S+)`).FindSubmatch(text)
		switch {
		case !asked && issuer != nil && bytes.Contains(text, []byte("Requests:")):
			asked = true
			for _, path := range []string{"/.well-known/openid-configuration", "/%1b%5b2J"} {
				response, err := http.Get(string(issuer[1]) + path)
				if err != nil {
					t.Error(err)
					break
				}
				response.Body.Close()
			}
		case !struck && bytes.Contains(text, []byte("2J")):
			struck = true
			io.WriteString(keyboard, "\x03") // Ctrl-C
		}
	}
	out, code := onTerminal(t, t.TempDir(), watch, "NO_COLOR=1", "sandbox", "--grant", "all")
	for _, want := range []string{
		`The sandbox is ready\.`, `  manifest  /\S+/scopes\.yaml`, `  keys      full        phx_\S+`, `            no_gateway  phx_`, `            read_only   phx_`,
		`In another terminal: ambit login -f /\S+/scopes\.yaml`, `Ctrl-C ends it`,
		`\d\d:\d\d:\d\d   200 GET 127\.0\.0\.1:\d+/\.well-known/openid-configuration \(metadata\)`, `\d\d:\d\d:\d\d x 404 GET 127\.0\.0\.1:\d+/\S*2J \(api\)`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("no %s:\n%s", want, out)
		}
	}
	if bytes.Contains(out, []byte("\x1b")) || bytes.Contains(out, []byte("schema")) {
		t.Errorf("a control sequence, or JSON:\n%q", out)
	}
	for line := range strings.Lines(string(out)) {
		if len(strings.TrimSpace(line)) > 80 && !strings.Contains(line, "GET") {
			t.Errorf("a line of %d: %s", len(line), line)
		}
	}
	if code != 130 { // as of every command, though that is how it is meant to end
		t.Errorf("Ctrl-C ends it with %d", code)
	}
}

// On a terminal too, -o json is the one line.
func TestSandboxJSONOnATerminal(t *testing.T) {
	struck := false
	watch := func(text []byte, keyboard io.Writer) {
		if !struck && bytes.HasSuffix(text, []byte("\n")) {
			struck = true
			io.WriteString(keyboard, "\x03")
		}
	}
	out, _ := onTerminal(t, t.TempDir(), watch, "sandbox", "-o", "json")
	line, _, _ := bytes.Cut(out, []byte("\n"))
	var ready struct{ Schema string }
	if err := json.Unmarshal(line, &ready); err != nil || ready.Schema != "ambit.sandbox/v1" {
		t.Errorf("%v: %q", err, out)
	}
}
