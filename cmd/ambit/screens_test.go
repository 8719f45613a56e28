//go:build !windows

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/testkit"
)

// An outcome is a world in which every command is run.
type outcome struct {
	name  string
	key   func(sandbox.Ready) string // of the variable; nil for none
	grant string                     // what a person consents to; "" where nobody would
	edit  func(manifest string) string
	down  bool // nothing responds
	reads bool // a command that asks the server without a credential would reach beyond this machine
}

const granted = "user:read project:read llm_gateway:read query:read event_definition:write organization:read dashboard:write insight:write notebook:write health_issue:read wizard_session:write"

func outcomes() []outcome {
	return []outcome{
		{name: "all is well", key: func(r sandbox.Ready) string { return r.Keys.Full }, grant: "all"},
		{name: "required missing", key: func(r sandbox.Ready) string { return r.Keys.NoGateway }, grant: strings.ReplaceAll(granted, " llm_gateway:read", "")},
		{name: "recommended missing", key: func(r sandbox.Ready) string { return r.Keys.ReadOnly }, grant: strings.ReplaceAll(granted, " query:read", "")},
		{name: "no credential"},
		{name: "wrong kind", key: func(r sandbox.Ready) string { return r.MoreKeys["project"] }},
		{name: "other region", key: func(r sandbox.Ready) string { return r.Keys.OtherRegion }},
		{name: "server down", key: func(r sandbox.Ready) string { return r.Keys.Full }, down: true},
		{name: "untrusted", key: func(r sandbox.Ready) string { return r.Keys.Full }, reads: true, edit: func(m string) string {
			return regexp.MustCompile(`(?m)^provider:.*$`).ReplaceAllString(m, "provider: {servers: {main: {issuer: https://id.example.invalid, api: https://api.example.invalid, gateway: https://api.example.invalid}}}")
		}},
		{name: "mistakes", key: func(r sandbox.Ready) string { return r.Keys.Full }, edit: func(m string) string {
			return strings.Replace(strings.Replace(m, "level: required", "level: requird", 1), "why: ", "wy: ", 1)
		}},
	}
}

// A screened command is run in each outcome.
type screened struct {
	name  string
	args  []string
	plain bool     // without a credential in the environment
	first []string // run before it, unseen
	net   bool     // it asks the server even where no credential may go there
	once  bool     // it shows the same in every outcome
	wide  bool     // it tells of seconds, which would break lines now here, now there
	makes string   // the file that it writes
}

func screenedCommands() []screened {
	return []screened{
		{name: "plan", args: []string{"plan"}, net: true},
		{name: "login", args: []string{"login", "--browser", "visit"}, plain: true},
		{name: "status", args: []string{"status"}},
		{name: "check", args: []string{"check"}},
		{name: "token", args: []string{"token"}, plain: true, first: []string{"login", "--browser", "visit"}},
		{name: "run", args: []string{"run", "--no-input", "--", "ambit", "version"}},
		{name: "doctor", args: []string{"doctor"}, net: true},
		{name: "explain", args: []string{"explain", "llm_gateway:read"}, net: true},
		{name: "scopes", args: []string{"scopes", "llm"}, net: true},
		{name: "audit", args: []string{"audit", "--calls", "calls.txt"}, net: true},
		{name: "logins", args: []string{"logins"}, plain: true, wide: true, first: []string{"login", "--browser", "visit"}},
		{name: "init", args: []string{"init", "--from", "./provider.yaml", "-f", "made.yaml"}, makes: "made.yaml", net: true},
		{name: "export", args: []string{"export", "markdown"}, net: true},
		{name: "schema", args: []string{"schema", "verdikt"}, once: true},
		{name: "version", args: []string{"version"}, once: true},
		{name: "logout", args: []string{"logout"}, plain: true, first: []string{"login", "--browser", "visit"}},
	}
}

// A screen is where a command runs.
type screen struct {
	name    string
	columns int // of the terminal; 0 for a pipe
	env     []string
	args    []string
	only    string // the one outcome that looks different here
}

var screens = []screen{
	{name: "terminal, 80 columns", columns: 80},
	{name: "terminal, 120 columns", columns: 120},
	{name: "pipe"},
	{name: "GitHub Actions", env: []string{"CI=true", "GITHUB_ACTIONS=true"}},
	{name: "GitLab CI", env: []string{"CI=true", "GITLAB_CI=true"}},
	{name: "GitHub Actions, a fork", env: []string{"CI=true", "GITHUB_ACTIONS=true", "GITHUB_EVENT_PATH=event.json"}, only: "no credential"},
	{name: "GitLab CI, a fork", env: []string{"CI=true", "GITLAB_CI=true", "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=them/tool", "CI_MERGE_REQUEST_PROJECT_PATH=us/tool", "CI_PROJECT_PATH=us/tool"}, only: "no credential"},
}

// TestScreens is the product's whole face: what each command shows in each outcome, in terminals of two
// widths, in a pipe, in two pipelines and as JSON. testdata/screens has a file a command, to be read;
// a screen that looks like an earlier one of the same outcome is left out. -update writes the files anew.
func TestScreens(t *testing.T) {
	for _, command := range screenedCommands() {
		t.Run(command.name, func(t *testing.T) {
			t.Parallel()
			var text, asJSON strings.Builder
			told := make(map[string]string) // by all screens of an outcome, its name
			for _, o := range outcomes() {
				if command.once && len(told) > 0 || o.reads && command.net || command.plain && o.grant == "" && o.edit == nil && !o.down {
					continue
				}
				w := newWorld(t, o)
				var seen []string
				var all strings.Builder
				for _, s := range screens {
					if s.only != "" && s.only != o.name || command.wide && s.columns == 80 {
						continue
					}
					now := w.shown(t, command, s)
					if !slices.Contains(seen, now) {
						fmt.Fprintf(&all, "=== %s: %s (%s)\n%s\n", command.name, o.name, s.name, now)
					}
					if s.only == "" || !slices.Contains(seen, now) {
						seen = append(seen, now)
					}
				}
				if same := told[strings.Join(seen, "")]; same != "" {
					fmt.Fprintf(&text, "=== %s: %s: as %s\n\n", command.name, o.name, same)
					continue
				}
				told[strings.Join(seen, "")] = o.name
				text.WriteString(all.String())
				fmt.Fprintf(&asJSON, "=== %s: %s\n%s\n", command.name, o.name, w.shown(t, command, screen{args: []string{"-o", "json"}}))
			}
			testkit.Golden(t, filepath.Join("testdata", "screens", command.name+".txt"), text.String())
			testkit.Golden(t, filepath.Join("testdata", "screens", "json", command.name+".txt"), asJSON.String())
		})
	}
}

// A world is a directory with a manifest, and a sandbox that it leads to.
type world struct {
	outcome outcome
	box     *sandbox.Sandbox
	dir     string
}

func newWorld(t *testing.T, o outcome) *world {
	t.Helper()
	w := &world{outcome: o, dir: t.TempDir()}
	box := filepath.Join(w.dir, "box")
	err := os.Mkdir(box, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	w.box, err = sandbox.Start(t.Context(), sandbox.Options{Grant: o.grant, Manifest: ambit.ExampleManifest, Dir: box})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.box.Close() })
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest, err := os.ReadFile(w.box.Ready().Manifest)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := os.ReadFile(w.box.Ready().Provider)
	if err != nil {
		t.Fatal(err)
	}
	if o.down {
		if err := w.box.Misbehave("close"); err != nil {
			t.Fatal(err)
		}
	}
	text := regexp.MustCompile(`(?m)^# yaml-language-server.*\n`).ReplaceAllString(string(manifest), "")
	text = regexp.MustCompile(`(?m)^provider:.*$`).ReplaceAllString(text, "provider: ./provider.yaml")
	if o.edit != nil {
		text = o.edit(text)
	}
	put("scopes.yaml", text)
	put("provider.yaml", string(provider))
	put("event.json", `{"pull_request": {"head": {"repo": {"full_name": "them/tool"}}, "base": {"repo": {"full_name": "us/tool"}}}}`)
	put("calls.txt", "GET {api}/api/users/@me/\nPOST {gateway}/v1/messages\n")
	return w
}

// shown is what a command writes on a screen, and its exit code.
func (w *world) shown(t *testing.T, command screened, s screen) string {
	t.Helper()
	home := filepath.Join(w.dir, "home")
	os.RemoveAll(home)
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if command.makes != "" {
		os.Remove(filepath.Join(w.dir, command.makes))
	}
	args := append([]string{"PWD=" + w.dir, "AMBIT_STORE=file"}, s.env...)
	if w.outcome.key != nil && !command.plain {
		args = append(args, "POSTHOG_PERSONAL_API_KEY="+w.outcome.key(w.box.Ready()))
	}
	if command.first != nil {
		onTerminal(t, home, answering("n\n"), append([]string{"PWD=" + w.dir, "AMBIT_STORE=file"}, command.first...)...)
	}
	args = append(append(args, command.args[0]), append(s.args, command.args[1:]...)...)
	var out []byte
	var code int
	if s.columns > 0 {
		out, code = onTerminal(t, home, answering("n\n"), append([]string{fmt.Sprintf("COLUMNS=%d", s.columns)}, args...)...)
	} else {
		out, code = inPipe(t, home, args...)
	}
	return w.steady(string(out), home) + fmt.Sprintf("[%d]\n", code)
}

// inPipe runs ambit with what it writes in one pipe.
func inPipe(t *testing.T, home string, args ...string) ([]byte, int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Args = append([]string{"ambit"}, args...)
	c.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(home, "bin"), "DBUS_SESSION_BUS_ADDRESS=unix:path=" + home + "/no-bus"}
	linkPrograms(t, home)
	for strings.Contains(c.Args[1], "=") {
		if dir, ok := strings.CutPrefix(c.Args[1], "PWD="); ok {
			c.Dir = dir
		}
		c.Env, c.Args = append(c.Env, c.Args[1]), append(c.Args[:1], c.Args[2:]...)
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	_ = c.Run() // the exit code is shown
	return out.Bytes(), c.ProcessState.ExitCode()
}

// steady replaces what differs from run to run, by words of the same length where that matters.
func (w *world) steady(text, home string) string {
	text = regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]|\r`).ReplaceAllString(text, "")
	text = strings.NewReplacer(home, "~", w.dir, ".").Replace(text)
	text = regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`).ReplaceAllString(text, "$1:40000")
	text = regexp.MustCompile(`(oauth/authorize/\?)\S+`).ReplaceAllString(text, "${1}…")
	text = regexp.MustCompile(`"port": \d+|"pid": \d+|"took_ms": \d+`).ReplaceAllString(text, `"n": 0`)
	text = regexp.MustCompile(`pha_[A-Za-z0-9]{20,}`).ReplaceAllString(text, "pha_made-up")
	text = regexp.MustCompile(`\d seconds? old; good for \d\d minutes`).ReplaceAllString(text, "1 second old; good for 60 minutes")
	text = regexp.MustCompile(`runs/[\w.-]+\.jsonl`).ReplaceAllString(text, "runs/20260501T120000.000-1.jsonl")
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(text, "2026-05-01T12:00:00Z")
	text = regexp.MustCompile(`go1\.[0-9.]+ \w+/\w+`).ReplaceAllString(text, "go1.26 linux/amd64")
	return strings.TrimLeft(text, "\n")
}
