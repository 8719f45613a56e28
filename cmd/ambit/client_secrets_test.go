package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/oauth/store"
)

// TestNoClientSecretInAnyOutput runs every command that meets a client with a secret, one that was
// registered by hand and one that registered itself, and searches all that it wrote, and all that a
// child of it sees, for the secret.
func TestNoClientSecretInAnyOutput(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all", Misbehave: []string{"secret-post"}})
	issuer, home := box.Ready().Issuer, t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file"}
	host := strings.TrimPrefix(issuer, "http://")
	write := func(name, client string) string {
		path := filepath.Join(t.TempDir(), name+".yaml")
		text := "version: 1\nname: " + name + "\nprovider: {servers: {one: {issuer: " + issuer + ", api: " + issuer + "}}" + client + "}\nscopes:\n  - {scope: \"user:read\", level: required, why: who}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(file string, args ...string) string {
		var out bytes.Buffer
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: env}
		all := append([]string{args[0], "-f", file, "-v", "--trust-host", host, "--log-file", filepath.Join(home, "log.json")}, args[1:]...)
		c.Main(t.Context(), all)
		return out.String()
	}
	itself := write("itself", "")
	visit := visitCommand(t)
	if out := run(itself, "login", "--browser", visit); !strings.Contains(out, "granted") {
		t.Fatal(out)
	}
	kept, err := store.LoadRegistration(t.Context(), ambit.FileStore(env), store.RegistrationKey(issuer, "itself"))
	if err != nil || kept.Secret.Empty() {
		t.Fatalf("%+v, %v", kept, err)
	}
	secrets := []string{kept.Secret.Reveal()}
	// The same client, as one that somebody registered by hand.
	registered, err := url.Parse(kept.RedirectURIs[0])
	if err != nil {
		t.Fatal(err)
	}
	named := write("named", fmt.Sprintf(", client: {id: %q, secret: {variable: APP_SECRET}, redirect: {host: 127.0.0.1, path: %s, ports: [%s]}}", kept.ID, registered.Path, registered.Port()))
	for _, file := range []string{itself, named} {
		if file == named {
			env = append(env, "APP_SECRET="+secrets[0])
		}
		for _, format := range []string{"text", "json"} {
			for _, args := range [][]string{
				{"plan"}, {"status"}, {"check"}, {"token", "--min-ttl", "100h"}, {"doctor"}, {"login", "--browser", visit}, {"logout"}, {"login", "--browser", visit},
			} {
				out := run(file, append(args, "-o", format)...)
				expectNone(t, filepath.Base(file)+": "+strings.Join(args, " ")+" -o "+format, out, secrets)
				if args[0] == "login" && !strings.Contains(out, "granted") {
					t.Fatalf("%s: %s", file, out)
				}
			}
		}
		expectNone(t, "the child's environment", run(file, "run", "--start-anyway", "--", "env"), secrets)
	}
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "credentials") {
			return err
		}
		text, err := os.ReadFile(path)
		expectNone(t, path, string(text), secrets)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
