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

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth/store"
)

// A run is the state of one invocation: its settings, its voice, and whether the
// result was printed.
type run struct {
	Command
	env      settings.Environment
	settings settings.Settings
	voice    *voice
	schema   string // of the JSON that this command prints
	printed  bool
	prepared bool   // the settings were read
	unasking string // why this command never asks anything; "" where it may

	ctx      context.Context // of the whole invocation; see watchSignals
	cancel   context.CancelFunc
	watching atomic.Bool

	memory  store.Memory // of --store memory: it ends with the run
	http    *http.Client // see httpClient
	log     *slog.Logger // of --log-file; nil without
	logFile *os.File
	typed   <-chan string // see lines
}

// prepare reads the settings before any command runs.
func (r *run) prepare(cmd *cobra.Command, _ []string) error {
	r.schema = schemaOf(cmd.Name())
	var err error
	r.settings, err = settings.Load(cmd.Flags(), r.env)
	if r.prepared = true; err != nil {
		return settingsFailure(err)
	}
	r.voice.verbose = r.settings.Verbose
	r.voice.paint = palette{on: r.colours(r.Stderr)}
	if r.voice.live = isTerminal(r.Stderr); r.voice.live {
		r.voice.width = widthOf(r.Stderr)
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

func (r *run) checkFormat(cmd *cobra.Command) error {
	known := formatsFor(cmd)
	if r.settings.Output != "" && !slices.Contains(known, r.settings.Output) {
		return fail(exitUsage, fmt.Sprintf("%s: unknown output format %q", r.settings.Origin("output"), r.settings.Output), didYouMean(r.settings.Output, known))
	}
	return nil
}

func (r *run) wantsJSON() bool { return r.settings.Output == "json" }

// colours decides on colour for a stream: the flag, else NO_COLOR (no-color.org),
// else whether it is a terminal that can.
func (r *run) colours(stream any) bool {
	switch r.settings.Color {
	case "always":
		return true
	case "never":
		return false
	}
	return r.env.Get("NO_COLOR") == "" && r.env.Get("TERM") != "dumb" && isTerminal(stream)
}

// interactive reports whether someone is there to answer. Where nobody is, there is
// never a prompt, and never a browser that was not asked for.
func (r *run) interactive() bool {
	return !r.settings.NoInput && !r.env.InCI() && isTerminal(r.Stdin) && isTerminal(r.Stderr)
}

// A view is a result that can be shown: for people, or as the contract's JSON. Both
// render the same value.
type view interface {
	text(p *printer)
	json(e envelope) any
}

// An envelope is what every JSON answer has.
type envelope struct {
	Schema string     `json:"schema"`
	OK     bool       `json:"ok"`
	Error  *errorJSON `json:"error,omitempty"`

	Verdict *verdict `json:"verdict,omitempty"` // why a credential does not do
}

type errorJSON struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// show prints a result, and the failure that comes with it, which it returns. In
// JSON both are one object on stdout.
func (r *run) show(v view, err error) error {
	e := envelope{Schema: r.schema, OK: err == nil}
	if err != nil {
		f := asFailure(err)
		e.Error, e.Verdict = &errorJSON{f.Code, f.Message, f.Hint}, f.Verdict
	}
	if r.wantsJSON() {
		return cmp.Or(r.printJSON(v.json(e)), err)
	}
	switch report, _ := v.(reporter); r.settings.Output {
	case "github":
		r.summarize(report)
		return cmp.Or(r.print(githubText(report, r.env)), err)
	case "sarif":
		return cmp.Or(r.printJSON(sarifJSON(report)), err)
	default:
		p := &printer{paint: palette{on: r.colours(r.Stdout)}, width: widthOf(r.Stdout)}
		v.text(p)
		return cmp.Or(r.print(p.String()), err)
	}
}

// print writes the result. One that cannot be written was not given: a program that
// waits for it must hear of that.
func (r *run) print(out string) error {
	if _, err := io.WriteString(r.Stdout, out); err != nil {
		return fail(exitFault, "the result cannot be written: "+text.Printable(err.Error()), "")
	}
	return nil
}

// summarize adds the Markdown table to the page of a workflow's run.
func (r *run) summarize(report reporter) {
	path := r.env.Get("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	if err := appendSummary(path, summaryMarkdown(report)); err != nil {
		r.voice.note("the summary cannot be written: %s", text.Printable(err.Error()))
	}
}

// printJSON writes the one object of this invocation.
func (r *run) printJSON(object any) error {
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

// action makes a cobra function of one that returns what to show.
func (r *run) action(do func(ctx context.Context) (view, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		v, err := do(cmd.Context())
		if v == nil {
			return err
		}
		return r.show(v, err)
	}
}
