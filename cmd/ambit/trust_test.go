package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
		fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "token_endpoint": "https://token.example.net/t",
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
