package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/go-jose/go-jose/v4"
)

// TestDocsOwnClient runs the examples of the page about clients in which a client gets tokens for
// itself, as a pipeline would.
func TestDocsOwnClient(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	report := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/token" {
			fmt.Fprintf(w, `{"issuer":"http://%[1]s","token_endpoint":"http://%[1]s/token","grant_types_supported":["client_credentials"],"response_types_supported":[]}`, r.Host)
			return
		}
		id, secret, _ := r.BasicAuth()
		if r.PostFormValue("client_assertion") != "" {
			if signed, err := jose.ParseSigned(r.PostFormValue("client_assertion"), []jose.SignatureAlgorithm{jose.EdDSA}); err == nil && signed.Signatures[0].Protected.KeyID == "2026-05" {
				if _, err := signed.Verify(key.Public()); err == nil {
					id, secret = r.PostFormValue("client_id"), "s3cret"
				}
			}
		}
		if r.PostFormValue("grant_type") != "client_credentials" || id != "nightly-report" || secret != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		asked++
		fmt.Fprint(w, `{"access_token":"tok","scope":"report:read","expires_in":3600}`)
	}))
	defer server.Close()
	ran := 0
	for _, block := range fenced(read(t, "docs/clients.md"), "yaml") {
		if !strings.Contains(block, "grant: client_credentials") {
			continue
		}
		ran++
		dir := t.TempDir()
		provider := strings.NewReplacer("https://id.example", server.URL, "https://api.example", server.URL).Replace(block)
		manifest := "version: 1\nname: report\nprovider: ./provider.yaml\nscopes:\n  - {scope: \"report:read\", level: required, why: the report}\n"
		for name, text := range map[string]string{"provider.yaml": provider, "scopes.yaml": manifest, "report.pem": report} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{{"check"}, {"token"}} {
			var out, problems bytes.Buffer
			c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &problems, Env: []string{
				"HOME=" + dir, "CI=true", "AMBIT_STORE=file", "REPORT_SECRET=s3cret", "AMBIT_TRUST_HOST=" + strings.TrimPrefix(server.URL, "http://"),
			}}
			if code := c.Main(t.Context(), append(args, "-f", filepath.Join(dir, "scopes.yaml"))); code != 0 || args[0] == "token" && out.String() != "tok\n" {
				t.Errorf("%v: %d\n%s%s", args, code, &out, &problems)
			}
		}
	}
	if ran != 2 || asked != ran {
		t.Errorf("%d examples, %d tokens", ran, asked)
	}
}
