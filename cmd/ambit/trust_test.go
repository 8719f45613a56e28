package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/rogpeppe/go-internal/testscript"
)

// collectors counts the connections to the collector of each script.
var collectors sync.Map // of *atomic.Int64, by *testscript.TestScript

// startCollector is "collector": someone on this machine waits for credentials. It sets
// COLLECTOR to the address; every connection counts, and none gets an answer.
func startCollector(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	count := new(atomic.Int64)
	collectors.Store(ts, count)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			c.Close()
		}
	}()
	ts.Setenv("COLLECTOR", l.Addr().String())
}

// arrived is "arrived N": that many connections were made to the collector so far; with !,
// another number.
func arrived(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	count, _ := collectors.Load(ts)
	if got := count.(*atomic.Int64).Load(); (got == want) == neg {
		ts.Fatalf("%d connections were made", got)
	}
}

// TestTrustInMetadata names hosts that stand in no file, only in the server's metadata: the
// yes to one of them is kept, and that to a host which nobody names is not.
func TestTrustInMetadata(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		issuer := "http://" + r.Host
		fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "code_challenge_methods_supported": ["S256"], "token_endpoint": "https://token.example.net/t",
			"revocation_endpoint": "https://revoke.example.net/r", "response_types_supported": ["code"], "scopes_supported": ["a"]}`, issuer, issuer+"/a")
	}))
	defer server.Close()
	home := t.TempDir()
	manifest := filepath.Join(home, "scopes.yaml")
	text := "version: 1\nname: far\nprovider: " + server.URL + "\nscopes:\n  - {scope: a, level: required, why: b}\n"
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home}
	c.Args = []string{"ambit", "login", "-f", manifest, "--browser", os.Args[0], "--store", "memory", "--trust-host", "token.example.net", "--trust-host", "slip.example.net"}
	out, _ := c.CombinedOutput()
	if !strings.Contains(string(out), `the host "revoke.example.net"`) || c.ProcessState.ExitCode() != 2 {
		t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), out)
	}
	if kept, err := os.ReadFile(filepath.Join(home, "ambit", "trusted-hosts")); string(kept) != "token.example.net\n" {
		t.Errorf("%v: kept are %q", err, kept)
	}
}

// TestTrustInUse renews a token at a host that only the metadata names: the yes to it is kept
// once it is used, so that the next renewal needs none.
func TestTrustInUse(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "one-of-many", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "again"}`)
	}))
	defer tokens.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		issuer := "http://" + r.Host
		if r.URL.Path == "/a" {
			q := r.URL.Query()
			http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {"a-code-that-nobody-guesses"}}.Encode(), http.StatusFound)
			return
		}
		fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "code_challenge_methods_supported": ["S256"], "token_endpoint": %q, "response_types_supported": ["code"], "scopes_supported": ["a"]}`,
			issuer, issuer+"/a", tokens.URL+"/t")
	}))
	defer server.Close()
	home := t.TempDir()
	manifest := filepath.Join(home, "scopes.yaml")
	text := "version: 1\nname: apart\nprovider: {servers: {own: {issuer: " + server.URL + "}}, client: {id: me}}\nscopes:\n  - {scope: a, level: required, why: b}\n"
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tools := filepath.Join(home, "bin")
	os.MkdirAll(tools, 0o700)
	if err := os.Symlink(os.Args[0], filepath.Join(tools, "visit")); err != nil {
		testkit.Lacks(t, "no links here: "+err.Error())
	}
	kept := func(args ...string) string {
		t.Helper()
		c := exec.Command(os.Args[0])
		c.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + tools}
		c.Args = append([]string{"ambit", "-f", manifest, "--store", "file"}, args...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		hosts, _ := os.ReadFile(filepath.Join(home, "ambit", "trusted-hosts"))
		return string(hosts)
	}
	host := strings.TrimPrefix(tokens.URL, "http://")
	page := strings.TrimPrefix(server.URL, "http://")
	if hosts := kept("login", "--browser", "visit", "--trust-host", page+"="+host); hosts != "" {
		t.Errorf("after a login without a yes: %q", hosts)
	}
	if hosts := kept("token", "--trust-host", host); hosts != "" {
		t.Errorf("after a yes to a host that was not used: %q", hosts)
	}
	if hosts := kept("token", "--min-ttl", "2h", "--trust-host", host); hosts != host+"\n" {
		t.Errorf("after a renewal there: %q", hosts)
	}
}
