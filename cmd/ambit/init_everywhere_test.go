package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/ambit-auth/ambit/internal/testkit/replay"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// What init writes for a service, plan takes as it is, and with each of its comments uncommented: for every
// built-in one, and for those of them that describe themselves also where nothing but the issuer is known.
func TestInitEverywhere(t *testing.T) {
	filled := map[string]string{"shop": "acme.myshopify.com", "host": "acme.okta.com"}
	for _, name := range provider.BuiltinNames() {
		documents, err := filepath.Glob(filepath.Join(root, "scopes/provider/providers", name, "metadata*.http"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { beginThere(t, documents, name, filled) })
		if p := providerOf(t, name); len(documents) > 0 && len(p.Servers) > 0 {
			server := p.Servers[0]
			alone := filepath.Join(t.TempDir(), "alone.yaml")
			if err := os.WriteFile(alone, fmt.Appendf(nil, "servers: {main: {issuer: %q}}\n", server.Issuer), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Run(name+" by its issuer", func(t *testing.T) { beginThere(t, documents, alone, filled) })
		}
	}
}

func beginThere(t *testing.T, documents []string, from string, filled map[string]string) {
	service, err := replay.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := replay.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Expect(list); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	ca, file := filepath.Join(home, "ca.pem"), filepath.Join(home, "scopes.yaml")
	if err := os.WriteFile(ca, replay.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	ambit := func(args ...string) string {
		t.Helper()
		c := exec.Command(os.Args[0])
		c.Args = append([]string{"ambit"}, append(args, "-f", file)...)
		c.Env = []string{"HOME=" + home, "HTTPS_PROXY=" + service.Proxy(), "AMBIT_CA_FILE=" + ca}
		out, err := c.CombinedOutput()
		if err != nil {
			text, _ := os.ReadFile(file)
			t.Fatalf("%v: %v\n%s\n%s", args, err, out, text)
		}
		return string(out)
	}
	rewrite := func(what, by string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, regexp.MustCompile(what).ReplaceAll(text, []byte(by)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ambit("init", "--from", from)
	for word, value := range filled {
		rewrite(word+": null  # FILL IN.*", word+": "+value)
	}
	rewrite(`# (client: \{.*pkce: S256)`, "$1") // it is for a person to say
	ambit("plan")
	rewrite(`(?m)^  # (- \{scope: )`, "  $1")
	ambit("plan")
	t.Logf("%s", ambit("plan"))
}
