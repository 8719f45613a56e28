//go:build !windows

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// TestProgressOfLogin has a person at a terminal wait for what a login asks beside the
// consent: what the token holds, where the answer did not say, and a client id.
func TestProgressOfLogin(t *testing.T) {
	t.Run("inspection", func(t *testing.T) {
		t.Parallel()
		manifest := startBox(t, sandbox.Options{Grant: "all", Misbehave: []string{"no-scope", "timeout@inspect"}}).Ready().Manifest
		watch := func(text []byte, keyboard io.Writer) {
			if waits(text) {
				io.WriteString(keyboard, "\x03")
			}
		}
		out, _ := onTerminal(t, t.TempDir(), watch, "login", "-f", manifest, "--browser", "visit", "--store", "memory")
		if !waits(out) {
			t.Errorf("nothing tells that it waits: %q", out)
		}
	})
	t.Run("registration", func(t *testing.T) {
		t.Parallel()
		seen := make(chan struct{})
		answer := sync.OnceFunc(func() { close(seen) })
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			issuer := "http://" + r.Host
			if r.URL.Path == "/r" {
				<-seen
				http.Error(w, `{"error": "invalid_client_metadata"}`, http.StatusBadRequest)
				return
			}
			fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "code_challenge_methods_supported": ["S256"], "token_endpoint": %q, "registration_endpoint": %q,
				"response_types_supported": ["code"], "scopes_supported": ["a"]}`, issuer, issuer+"/a", issuer+"/t", issuer+"/r")
		}))
		defer server.Close()
		defer answer() // or the server would wait for ever
		home := t.TempDir()
		manifest := filepath.Join(home, "scopes.yaml")
		text := "version: 1\nname: slow\nprovider: " + server.URL + "\nscopes:\n  - {scope: a, level: required, why: b}\n"
		if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		watch := func(text []byte, _ io.Writer) {
			if waits(text) {
				answer()
			}
		}
		out, code := onTerminal(t, home, watch, "login", "-f", manifest, "--browser", "visit", "--store", "memory")
		if !waits(out) || code != 4 {
			t.Errorf("exit code %d: %q", code, out)
		}
	})
}

// waits reports whether a terminal shows that a server is being asked.
func waits(text []byte) bool {
	_, after, found := bytes.Cut(text, []byte("asking 127.0.0.1:"))
	return found && bytes.Contains(after, []byte(" …"))
}
