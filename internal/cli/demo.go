package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/spf13/cobra"
)

func demoCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "try ambit against a sandbox on this machine: no account, no network",
		Long: `demo starts a sandbox server on this machine and runs the real commands against it: plan,
login, and run with a small agent. On a terminal, where there is a browser, you give the
consent; otherwise the demo consents by itself. It ends by itself and leaves nothing
behind.`,
		Args: noArguments,
		RunE: r.action(func(ctx context.Context) (view.View, error) { return runDemo(ctx, r) }),
	}
}

func runDemo(ctx context.Context, r *invocation) (view.View, error) {
	r.watchSignals()
	directory, err := temporaryDirectory("ambit-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	watched := r.interactive() && hasBrowser(r)
	grant := "all"
	if watched {
		grant = "" // the person says
	}
	d := &demo{invocation: r, directory: directory, watched: watched, out: r.Stdout}
	d.box, err = sandbox.Start(ctx, sandbox.Options{Grant: grant, Manifest: ambit.ExampleManifest, Reasons: exampleReasons(), Dir: directory, Log: d.served})
	if err != nil {
		return nil, err
	}
	defer d.box.Close()
	d.manifest = d.box.Ready().Manifest
	if r.wantsJSON() {
		d.out = io.Discard
	}
	return d.tell(ctx)
}

// A demo is the telling of the story.
type demo struct {
	*invocation
	directory string
	manifest  string
	watched   bool
	out       io.Writer
	steps     []view.DemoStep
	box       *sandbox.Sandbox
	takes     atomic.Pointer[scopes.Need] // what the server takes away at the next call that needs it
}

func (d *demo) tell(ctx context.Context) (view.View, error) {
	d.say("A sandbox runs on this machine: an authorization server, an API and a gateway.\n" +
		"What would a login request there?")
	if err := d.step(ctx, "plan"); err != nil {
		return nil, err
	}
	if d.watched {
		d.say("Log in: your browser opens. Leave a box unticked, if you like.")
	} else {
		d.say("Log in. No browser was found, so the demo consents by itself.")
	}
	if err := d.step(ctx, "login", "--store", "file"); err != nil {
		return nil, err
	}
	return view.Demo{Steps: d.steps}, d.lends(ctx)
}

// lends tells the second half: an agent runs well; then the grant shrinks.
func (d *demo) lends(ctx context.Context) error {
	need, use, err := demoNeed()
	if err != nil {
		return err
	}
	program, err := ownProgram(d.directory)
	if err != nil {
		return err
	}
	d.say("Run an agent. It gets a lease, and never sees the credential.\n" +
		"After its first call the server takes " + need.Name() + " away, and answers 401.")
	d.takes.Store(&need)
	// Stopped at the refusal also where someone watches, and run would else go on.
	return d.step(ctx, "run", "--store", "file", "--on-denied", "stop", "--", program, "demo-agent", use.Method, use.Base, use.Path)
}

// demoNeed is the required need that the demo loses, and the call that shows it.
func demoNeed() (need scopes.Need, use scopes.Operation, err error) {
	m, err := manifest.Decode(ambit.ManifestName, ambit.ExampleManifest, nil)
	if err != nil {
		return need, use, err
	}
	for _, e := range m.Scopes {
		if e.Level == scopes.Required && e.Unadvertised && len(e.UsedBy) > 0 {
			return e, e.UsedBy[0], nil
		}
	}
	return need, use, fmt.Errorf("no required scope of the manifest is unadvertised")
}

// served takes the scope away once a call that needs it was served.
func (d *demo) served(request sandbox.Request) {
	need := d.takes.Load()
	if need == nil || !strings.HasSuffix(request.Path, need.UsedBy[0].Path) || !d.takes.CompareAndSwap(need, nil) {
		return
	}
	d.box.Shrink(need.AnyOf...)
}

func (d *demo) say(text string) { fmt.Fprintf(d.out, "\n%s\n", d.console.Paint.Bold(text)) }

// step runs one command as the program itself would, in directories of its own. Only
// what nobody foresaw ends the story: a missing scope is part of it.
func (d *demo) step(ctx context.Context, args ...string) error {
	line := "ambit " + strings.ReplaceAll(strings.Join(args, " "), filepath.Join(d.directory, "ambit"), "ambit")
	fmt.Fprintf(d.out, "%s\n", d.console.Paint.Dim("$ "+line))
	var quiet bytes.Buffer
	c := Command{Stdin: d.Stdin, Stdout: d.out, Stderr: d.Stderr, Env: d.ownEnv()}
	if d.wantsJSON() {
		c.Stderr = &quiet
	}
	if !d.watched {
		c.visit = visitAsBrowser
	}
	code := c.Main(ctx, slices.Insert(slices.Clone(args), 1, "-f", d.manifest, "--color", d.colorWord()))
	d.steps = append(d.steps, view.DemoStep{Command: line, Exit: code})
	if code != failure.ExitOK && code != failure.ExitMissing && code != failure.ExitNoCredential {
		return failure.New(code, line+" failed in the demo", "")
	}
	return ctx.Err()
}

// ownEnv keeps the demo away from the person's settings, keys and stores.
func (d *demo) ownEnv() []string {
	env := []string{
		"HOME=" + d.directory, "XDG_CONFIG_HOME=" + filepath.Join(d.directory, "config"),
		"XDG_CACHE_HOME=" + filepath.Join(d.directory, "cache"), "XDG_STATE_HOME=" + filepath.Join(d.directory, "state"),
	}
	for _, name := range []string{"TERM", "NO_COLOR", "CI", "BROWSER"} {
		if value, ok := d.env.Lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func (d *demo) colorWord() string {
	if d.console.Paint.On {
		return "always"
	}
	return "never"
}

// hasBrowser reports whether opening a page would likely show one.
func hasBrowser(r *invocation) bool {
	switch {
	case r.env.Get("BROWSER") != "":
		return true
	case r.env.Remote() != "":
		return false
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		return true
	}
	for _, name := range []string{"xdg-open", "x-www-browser", "www-browser"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// visitTimeout bounds the demo's own browsing: every server is on this machine.
const visitTimeout = 5 * time.Second

// visitAsBrowser follows the login as a browser would: through the
// consent that gives itself, and back to the listener.
func visitAsBrowser(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client, err := guard.NewClient(guard.Options{})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// demoAgentCommand is the agent of the demo: it makes the same call twice, as any
// agent would, with nothing but what its environment says.
func demoAgentCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:    "demo-agent METHOD BASE PATH",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			for turn := 1; turn <= 2; turn++ {
				status, err := demoCall(cmd.Context(), r, args[0], args[1], args[2])
				if err != nil {
					return err
				}
				fmt.Fprintf(r.Stdout, "agent: call %d of 2 was answered with %d\n", turn, status)
				if status >= http.StatusBadRequest {
					return childExit(failure.ExitFault)
				}
			}
			return nil
		},
	}
}

// demoQuestion is what the demo's agent asks of the model.
const demoQuestion = `{"model": "demo", "max_tokens": 16, "messages": [{"role": "user", "content": "hello"}]}`

func demoCall(ctx context.Context, r *invocation, method, base, path string) (status int, err error) {
	url := r.env.Get("AMBIT_"+strings.ToUpper(base)+"_URL") + path
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(demoQuestion))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+r.env.Get("AMBIT_LEASE"))
	request.Header.Set("Content-Type", "application/json")
	client, err := guard.NewClient(guard.Options{Timeout: visitTimeout})
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_ = files.Head(answer.Body, maxDemoAnswer) // or the proxy would see a client that went away
	return answer.StatusCode, nil
}

// ownProgram is a path of this program under its own name.
func ownProgram(directory string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	link := filepath.Join(directory, "ambit")
	if os.Symlink(self, link) != nil {
		return self, nil // a system without links
	}
	return link, nil
}

// maxDemoAnswer bounds what the demo's agent reads of a response, in bytes.
const maxDemoAnswer = 1 << 20
