package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/report"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/store"
	"github.com/spf13/cobra"
)

// An invocation is one call of the program: its settings, its console, and whether the
// result was printed.
type invocation struct {
	Command
	args     []string // of the program, as they came
	env      settings.Environment
	settings settings.Settings
	console  *console.Console
	input    *console.Input
	schema   string // of the JSON that this command prints
	printed  bool
	shown    bool   // a view for people was, which an error need not repeat
	prepared bool   // the settings were read
	mistaken error  // what is wrong with a command line that asks for a help
	unasking string // why this command never asks anything; "" where it may

	ctx      context.Context // of the whole invocation; see watchSignals
	cancel   context.CancelCauseFunc
	watching atomic.Bool
	watch    atomic.Pointer[signals.Watch]

	lingering <-chan struct{} // closes when the pages of a login end; nil where none are left

	memory  store.Memory // of --store memory: it ends with the run
	http    *http.Client // see httpClient
	log     *slog.Logger // of --log-file; nil without
	logFile *os.File
}

// prepare reads the settings before any command runs.
func (r *invocation) prepare(cmd *cobra.Command, _ []string) error {
	r.schema = schemaOf(cmd.Name())
	var err error
	r.settings, err = settings.Load(cmd.Flags(), r.env)
	if r.prepared = true; err != nil {
		return failure.OfSettings(err)
	}
	r.console.Verbose = r.settings.Verbose
	r.console.Paint = view.Palette{On: r.colors(r.Stderr)}
	if r.console.Live = console.IsTerminal(r.Stderr); r.console.Live {
		r.console.Columns = console.Width(r.Stderr)
	}
	if err := r.openLog(cmd); err != nil {
		return err
	}
	return r.checkFormat(cmd)
}

// schemaOf names the JSON form of a command (the contract).
func schemaOf(command string) string {
	switch command {
	case "login", "status", "check":
		return "ambit.grant/v1"
	}
	return "ambit." + command + "/v1"
}

// formatsOf is the annotation in which a command lists the formats that it offers
// beside text and json.
const formatsOf = "formats"

// formatsFor are the formats in which a command shows its result.
func formatsFor(cmd *cobra.Command) []string {
	return append([]string{"text", "json"}, strings.Fields(cmd.Annotations[formatsOf])...)
}

func (r *invocation) checkFormat(cmd *cobra.Command) error {
	known := formatsFor(cmd)
	if r.settings.Output != "" && !slices.Contains(known, r.settings.Output) {
		return failure.New(failure.ExitUsage, fmt.Sprintf("%s: unknown output format %q", r.settings.Origin("output"), r.settings.Output), text.AllowedHint(r.settings.Output, known))
	}
	return nil
}

func (r *invocation) wantsJSON() bool { return r.settings.Output == "json" }

// showsFindings reports whether the result is shown as findings at lines of files.
func (r *invocation) showsFindings() bool {
	return slices.Contains([]string{"github", "sarif", "markdown", "junit", "codequality"}, r.settings.Output)
}

// colors decides on color for a stream: the flag, else NO_COLOR (no-color.org),
// else whether it is a terminal that can.
func (r *invocation) colors(stream any) bool {
	switch r.settings.Color {
	case "always":
		return true
	case "never":
		return false
	}
	return r.env.Get("NO_COLOR") == "" && !r.dumb() && console.IsTerminal(stream)
}

// dumb reports whether the terminal knows no control sequences.
func (r *invocation) dumb() bool { return r.env.Get("TERM") == "dumb" }

// interactive reports whether someone is there to answer. Where nobody is, there is
// never a prompt, and never a browser that was not asked for.
func (r *invocation) interactive() bool {
	return !r.settings.NoInput && !r.env.InCI() && console.IsTerminal(r.Stdin) && console.IsTerminal(r.Stderr)
}

// watched reports whether someone sits at a terminal and sees what a child does there, though what
// ambit says may go into a file.
func (r *invocation) watched() bool {
	return !r.settings.NoInput && !r.env.InCI() &&
		(console.IsTerminal(r.Stdout) || console.IsTerminal(r.Stdin) && console.IsTerminal(r.Stderr))
}

// unattended reports whether nobody can log in where this runs, also not by hand: then the
// way out is a variable. Without a terminal, someone may have one beside this.
func (r *invocation) unattended() bool {
	return r.env.InCI() || r.settings.NoInput && r.unasking == ""
}

// show prints a result, and the failure that comes with it, which it returns. In
// JSON both are one object on stdout.
func (r *invocation) show(v view.View, err error) error {
	e := view.Envelope{Schema: r.schema, OK: err == nil}
	if err != nil {
		f := failure.As(err)
		e.Error, e.Verdict = view.ErrorOf(f), f.Verdict
	}
	if r.wantsJSON() {
		return cmp.Or(r.printJSON(v.JSON(e)), err)
	}
	switch reporter, _ := v.(view.Reporter); r.settings.Output {
	case "github":
		r.shown = true
		found := reporter.Reports()
		r.summarize(report.Markdown(found))
		return cmp.Or(r.print(report.Annotations(found, r.env.Get("GITHUB_WORKSPACE"))), err)
	case "sarif":
		return cmp.Or(r.printJSON(report.SARIF(reporter.Reports(), view.ReadVersion().Version)), err)
	case "markdown":
		r.shown = true
		return cmp.Or(r.print(report.Comment(reporter.Reports())), err)
	case "junit":
		return cmp.Or(r.print(report.JUnit(reporter.Reports())), err)
	case "codequality":
		return cmp.Or(r.printJSON(report.CodeQuality(reporter.Reports(), r.env.Get("CI_PROJECT_DIR"))), err)
	default:
		r.shown = true
		p := &view.Printer{Paint: view.Palette{On: r.colors(r.Stdout)}, Width: console.Width(r.Stdout)}
		v.Text(p)
		return cmp.Or(r.print(p.String()), err)
	}
}

// print writes the result. One that cannot be written was not given: a program that
// waits for it must hear of that.
func (r *invocation) print(out string) error {
	if _, err := io.WriteString(r.Stdout, out); err != nil {
		return failure.New(failure.ExitFault, "the result cannot be written: "+text.Printable(err.Error()), "")
	}
	return nil
}

// summarize adds Markdown to the page of a workflow's run.
func (r *invocation) summarize(markdown string) {
	path := r.env.Get("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	if err := report.AppendSummary(path, markdown); err != nil {
		r.console.Note("the summary cannot be written: %s", text.Printable(err.Error()))
	}
}

// printJSON writes the one object of this invocation.
func (r *invocation) printJSON(object any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return err
	}
	r.printed = true
	return r.print(text.String())
}

// action makes a cobra function of one that returns what to show. A signal that came meanwhile
// ends the command although it came to its end: whoever sent it wants no result any more.
func (r *invocation) action(do func(ctx context.Context) (view.View, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		v, err := do(cmd.Context())
		if end, ok := signals.EndOf(cmd.Context()); ok {
			return cmp.Or(err, error(finished{end}))
		}
		if v == nil {
			return err
		}
		return r.show(v, err)
	}
}

// watchSignals ends the invocation's context at a signal that ends a program, so that what
// was begun is put away. It is called once there is something to put away: watching from the
// start costs every command a tenth of its time. Safe for concurrent use.
func (r *invocation) watchSignals() {
	if r.Signals && !r.watching.Swap(true) {
		r.watch.Store(signals.OnEnd(r.ctx, r.cancel))
	}
}

// leaveSignals leaves those to a child that it may have a use for.
func (r *invocation) leaveSignals() {
	if watch := r.watch.Load(); watch != nil {
		watch.LeaveToChild()
	}
}

// temporaryDirectory is one that only this user can look into.
func temporaryDirectory(prefix string) (string, error) {
	directory, err := files.MakeTemporaryDir(prefix)
	if err != nil {
		return "", failure.New(failure.ExitUsage, text.Printable(err.Error()), "set TMPDIR to a directory of yours")
	}
	return directory, nil
}

// openLog begins the file of --log-file: a JSON line an event, readable by the
// user alone, appended to what is there. No event holds a body, a query or a secret.
func (r *invocation) openLog(cmd *cobra.Command) error {
	if r.settings.LogFile == "" {
		return nil
	}
	f, err := os.OpenFile(r.settings.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return failure.New(failure.ExitUsage, "the log cannot be written: "+err.Error(), "")
	}
	r.logFile = f
	r.log = slog.New(slog.NewJSONHandler(f, nil))
	r.log.Info("start", "command", cmd.CommandPath(), "manifest", r.settings.Manifest, "server", guard.ShownURL(r.settings.Server))
	return nil
}

func (r *invocation) closeLog(code int) {
	if r.log != nil {
		r.log.Info("end", "exit", code)
		r.logFile.Close()
	}
}

// traced tells of each request that goes out: method, host and path, and how it
// was answered. A query may hold what is nobody's business, so it stays out.
type traced struct {
	next http.RoundTripper
	tell func(method, host, path string, status int, took time.Duration, err error)
}

// RoundTrip sends the request and tells of it.
func (t *traced) RoundTrip(request *http.Request) (*http.Response, error) {
	start := time.Now()
	answer, err := t.next.RoundTrip(request)
	status := 0
	if answer != nil {
		status = answer.StatusCode
	}
	t.tell(request.Method, request.URL.Host, request.URL.Path, status, time.Since(start), err)
	return answer, err
}

// detail tells those who asked with --verbose, and the log.
func (r *invocation) detail(sentence string) {
	if r.log != nil {
		r.log.Info("detail", "said", sentence)
	}
	r.console.Detail("%s", text.Printable(sentence))
}

func (r *invocation) trace(method, host, path string, status int, took time.Duration, err error) {
	if r.log != nil {
		r.log.Info("request", "method", method, "host", host, "path", path, "status", status, "ms", took.Milliseconds(), "failed", err != nil)
	}
	outcome := fmt.Sprint(status)
	if err != nil {
		outcome = "failed"
	}
	r.console.Detail("%s %s%s: %s, %d ms", method, text.Printable(host), text.Printable(path), outcome, took.Milliseconds())
}
