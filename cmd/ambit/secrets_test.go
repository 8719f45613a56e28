package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit/internal/cli"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// TestNoSecretInAnyOutput runs every command that meets a credential in every format,
// and searches all that it wrote for the credential: both streams, the log, the cache,
// the lock file, everything in the home. Only "token" shows one, and only the store
// keeps one.
func TestNoSecretInAnyOutput(t *testing.T) {
	box := startBox(t, sandbox.Options{Grant: "all"})
	manifest, home := box.Ready().Manifest, t.TempDir()
	secrets := []string{box.Ready().Keys.Full, box.Ready().Keys.NoGateway, box.Ready().Keys.OtherRegion, box.Ready().MoreKeys["project"]}
	run := func(key string, args ...string) (stdout, all string) {
		var out, story bytes.Buffer
		env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AMBIT_STORE=file", "GITHUB_STEP_SUMMARY=" + filepath.Join(home, "summary.md")}
		if key != "" {
			env = append(env, "AMBIT_API_KEY="+key)
		}
		c := cli.Command{Stdin: eof{}, Stdout: &out, Stderr: &story, Env: env}
		c.Main(context.Background(), append(args, "-f", manifest, "-v", "--log-file", filepath.Join(home, "log.json")))
		return out.String(), out.String() + story.String()
	}
	visitPath := visitCommand(t)
	if out, all := run("", "login", "--browser", visitPath); !strings.Contains(out, "granted") {
		t.Fatal(all)
	}
	token, _ := run("", "token")
	secrets = append(secrets, strings.TrimSpace(token))
	for _, key := range append([]string{""}, secrets...) {
		for _, args := range [][]string{
			{"plan"},
			{"plan", "--lock"},
			{"status"},
			{"check"},
			{"check", "--strict"},
			{"explain", "user:read"},
			{"status", "--api-key", secrets[0]},
			{"logins"},
			{"logout", "--help"},
			{"check", "--server", "eu"},
			{"login", "--no-input"},
		} {
			for _, format := range []string{"text", "json", "github", "sarif"} {
				_, all := run(key, append(args, "-o", format)...)
				expectNone(t, strings.Join(args, " ")+" -o "+format, all, secrets)
			}
		}
	}
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
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
	lock, err := os.ReadFile(filepath.Join(filepath.Dir(manifest), "scopes.lock"))
	if err != nil {
		t.Fatal(err)
	}
	expectNone(t, "scopes.lock", string(lock), secrets)
}

// expectNone fails where a secret, or a good part of one, stands in text.
func expectNone(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if part := secret[:min(len(secret), 12)]; strings.Contains(text, part) {
			t.Errorf("%s shows %s…", where, part)
		}
	}
}

// visitCommand is a command line that runs this binary as the scripts' browser.
func visitCommand(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "visit")
	if err := os.Symlink(self, path); err != nil {
		testkit.Lacks(t, "this system makes no symbolic links: "+err.Error())
	}
	return path
}
