//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/ambit-auth/ambit/scopes/provider"
)

// TestSandboxServesUntilItIsEnded asks the command's own sandbox for the page of a consent, which says why
// each scope is asked for, and ends it by each signal.
func TestSandboxServesUntilItIsEnded(t *testing.T) {
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		c := exec.Command(os.Args[0])
		c.Args, c.Env = []string{"ambit", "sandbox", "-o", "json"}, []string{"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var ready struct{ Issuer, Provider string }
		if err := json.NewDecoder(out).Decode(&ready); err != nil {
			t.Error(err)
		}
		if page := consentPage(t, ready.Issuer, ready.Provider); !strings.Contains(page, "every model call of the agent") {
			t.Errorf("the page says of no scope why:\n%s", page)
		}
		_ = c.Process.Signal(signal)
		_ = c.Wait() // its exit code counts
		if code := c.ProcessState.ExitCode(); code != want {
			t.Errorf("%s ends it with %d", signal, code)
		}
	}
}

// consentPage is what a person sees who is asked for the scope of the gateway.
func consentPage(t *testing.T, issuer, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.Decode(file, text)
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {p.Client.IDFor("us")}, "redirect_uri": {fmt.Sprintf("http://localhost:%d/callback", p.Client.Redirect.Ports[0])}, "scope": {"llm_gateway:read"}, "state": {"a-state"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	response, err := http.Get(issuer + "/oauth/authorize/?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return html.UnescapeString(string(page))
}
