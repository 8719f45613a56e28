//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/sandbox"
)

// Somebody at a terminal is asked which service it is: each answer is tried at once, Enter alone is none,
// and whoever goes away leaves nothing behind.
func TestInitAsks(t *testing.T) {
	issuer := startBox(t, sandbox.Options{}).Ready().Issuer
	const which, shop = "Which service are the scopes of? ", "What is shop in https://{shop}? "
	away := "http://127.0.0.1:1"
	for name, tt := range map[string]struct {
		typed    [][2]string // a question, and what is typed then
		code     int
		shows    []string
		declares string // a line of the file; "" for none
	}{
		"an issuer": {[][2]string{{which, issuer + "\r"}}, 0, []string{"to choose from, as comments", "ambit plan"}, `provider: "` + issuer + `"`},
		"a second try": {
			[][2]string{{which, "\r"}, {which, "gitlb\r"}, {which, "gmail\r"}, {which, "zzz\r"}, {which, away + "\r"}, {which, "  GitHub \r"}},
			0,
			[]string{`no service "gitlb" is built in`, "did you mean github or gitlab?", "did you mean google?", "name it by its issuer's URL", `cannot reach "127.0.0.1:1"`, "wrote "},
			"  use: github  # ",
		},
		"a page of a built-in one": {[][2]string{{which, "https://github.com\r"}}, 0, []string{"https://github.com is built in as github"}, "  use: github  # "},
		"a host":                   {[][2]string{{which, "github.com\r"}}, 0, []string{"https://github.com is built in as github"}, "  use: github  # "},
		"a parameter": {
			[][2]string{{which, "shopify\r"}, {shop, "a/b\r"}, {shop, "acme.myshopify.com\r"}},
			0,
			[]string{`the parameter "shop" is a host`, "wrote "},
			"    shop: acme.myshopify.com",
		},
		"no parameter": {[][2]string{{which, "shopify\r"}, {shop, "\x04"}}, 2, []string{"nothing was written"}, ""},
		"Ctrl-C":       {[][2]string{{which, "\x03"}}, 130, []string{"interrupted"}, ""},
		"Ctrl-D":       {[][2]string{{which, "gitlb\r"}, {which, "\x04"}}, 2, []string{"no service was named: nothing was written", "ambit init --from PROVIDER"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			file := filepath.Join(home, "scopes.yaml")
			asked, seen := 0, 0
			watch := func(screen []byte, keyboard io.Writer) {
				if asked == len(tt.typed) {
					return
				}
				if at := bytes.Index(screen[seen:], []byte(tt.typed[asked][0])); at >= 0 {
					seen += at + len(tt.typed[asked][0])
					asked++
					io.WriteString(keyboard, tt.typed[asked-1][1])
				}
			}
			out, code := onTerminal(t, home, watch, "HTTPS_PROXY=http://127.0.0.1:1", "init", "-f", file)
			screen := strings.Join(strings.Fields(string(out)), " ")
			if code != tt.code || asked != len(tt.typed) {
				t.Errorf("exit code %d, %d answers of %d", code, asked, len(tt.typed))
			}
			for _, want := range tt.shows {
				if !strings.Contains(screen, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			text, err := os.ReadFile(file)
			if tt.declares == "" && err == nil || tt.declares != "" && !strings.Contains(string(text), "\n"+tt.declares) {
				t.Errorf("%v\n%s", err, text)
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
		})
	}
}
