package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/zalando/go-keyring"
)

// TestLoginWithSecretFromKeyring logs in with a client whose secret the user put into the system's keyring. It
// writes there, so it runs only where every part is wanted, as in .ci/run, whose keyring is nobody's.
func TestLoginWithSecretFromKeyring(t *testing.T) {
	if os.Getenv("AMBIT_TEST_PARTS") != "all" || runtime.GOOS != "linux" {
		t.Skip("AMBIT_TEST_PARTS=all writes into the keyring of this session")
	}
	box := startBox(t, sandbox.Options{Grant: "all", Misbehave: []string{"secret-post"}})
	issuer, home := box.Ready().Issuer, t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file"}
	run := func(client string) string {
		manifest := filepath.Join(home, "scopes.yaml")
		text := fmt.Sprintf("version: 1\nname: tool\nprovider: {servers: {one: {issuer: %s, api: %s}}%s}\nscopes:\n  - {scope: \"user:read\", level: required, why: who}\n", issuer, issuer, client)
		if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &out, Env: env}
		c.Main(t.Context(), []string{"login", "-f", manifest, "--trust-host", strings.TrimPrefix(issuer, "http://"), "--browser", visitCommand(t)})
		return out.String()
	}
	if out := run(""); !strings.Contains(out, "granted") {
		t.Fatal(out)
	}
	registered, err := store.LoadRegistration(t.Context(), ambit.FileStore(env), store.RegistrationKey(issuer, "tool"))
	if err != nil || registered.Secret.Empty() {
		t.Fatalf("%+v, %v", registered, err)
	}
	back, err := url.Parse(registered.RedirectURIs[0])
	if err != nil {
		t.Fatal(err)
	}
	const service = "ambit-client"
	account := "test " + registered.ID
	if err := keyring.Set(service, account, registered.Secret.Reveal()); err != nil {
		testkit.Lacks(t, "no usable keyring: "+err.Error())
	}
	t.Cleanup(func() { _ = keyring.Delete(service, account) }) // where a fatal error left it
	client := fmt.Sprintf(", client: {id: %q, secret: {keyring: %q}, redirect: {host: 127.0.0.1, path: %s, ports: [%s]}}", registered.ID, account, back.Path, back.Port())
	if out := run(client); !strings.Contains(out, "granted") || strings.Contains(out, registered.Secret.Reveal()) {
		t.Errorf("with the secret in the keyring:\n%s", out)
	}
	if err := keyring.Delete(service, account); err != nil {
		t.Fatal(err)
	}
	if out := run(client); strings.Contains(out, "granted") || !strings.Contains(out, account) {
		t.Errorf("without it:\n%s", out)
	}
}
