package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
)

// TestSandboxCommand uses the sandbox as other people's tests do: it waits for the
// one line, asks the server, and ends it.
func TestSandboxCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		c := cli.Command{Stdin: eof{}, Stdout: write, Stderr: io.Discard, Env: []string{"HOME=" + t.TempDir()}}
		ended <- c.Main(ctx, []string{"sandbox", "--grant", "all"})
	}()
	line, err := bufio.NewReader(read).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct {
		Schema, Issuer, API, Gateway, MCP, Manifest, Provider string
		OK                                                    bool
		Keys                                                  map[string]string
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if ready.Schema != "ambit.sandbox/v1" || !ready.OK {
		t.Errorf("the line begins with %q, ok %t", ready.Schema, ready.OK)
	}
	for _, name := range []string{"full", "no_gateway", "read_only", "expired", "other_region"} {
		if ready.Keys[name] == "" {
			t.Errorf("no key %q", name)
		}
	}
	for _, file := range []string{ready.Manifest, ready.Provider} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	answer, err := http.Get(ready.Issuer + "/.well-known/oauth-authorization-server")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the metadata is answered with %s", answer.Status)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(ready.Manifest); err == nil {
		t.Errorf("%s is still there", ready.Manifest)
	}
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
