package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
)

func sandboxCommand(r *invocation) *cobra.Command {
	var o sandbox.Options
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "run the sandbox servers alone, for tests of your own",
		Long: `sandbox runs an authorization server, an API, an LLM gateway and an MCP server on this
machine, until it is interrupted. They behave as the real ones do, and misbehave on
request: ambit help misbehavior. Standard output says where they are, with -o json or in
a pipe as one line of JSON. A browser shows at the issuer's address the keys, the
switches for misbehavior and the requests.`,
		Example: "  ambit sandbox --grant all\n  ambit sandbox --misbehave reject",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.watchSignals()
			o.Manifest, o.Reasons = ambit.ExampleManifest, exampleReasons()
			person := !r.wantsJSON() && console.IsTerminal(r.Stdout)
			if person {
				o.Log = r.tellRequest
			}
			s, err := sandbox.Start(cmd.Context(), o)
			if err != nil {
				return failure.New(failure.ExitUsage, text.Printable(err.Error()), "see: ambit sandbox --help")
			}
			if err := r.tellReady(s.Ready(), person); err != nil {
				return errors.Join(err, s.Close())
			}
			<-cmd.Context().Done()
			err = s.Close()
			if end, ok := signals.EndOf(cmd.Context()); ok && err == nil {
				return childExit(end.ExitCode()) // as it was told to end, without a word
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "the `ADDRESS` of the first server; loopback only")
	f.StringVar(&o.Grant, "grant", "", "consent without a click to these `SCOPES`: \"scope scope\", all, or none to deny")
	f.StringSliceVar(&o.Misbehave, "misbehave", nil, "misbehave in this way: a `KIND` of ambit help misbehavior (repeatable)")
	f.StringVar(&o.Region, "region", "", "the `NAME` of the region in which the person who consents lives")
	return cmd
}

// tellReady says where the sandbox is: to a person what a first try takes, to a program everything.
func (r *invocation) tellReady(ready sandbox.Ready, person bool) error {
	if !person {
		return json.NewEncoder(r.Stdout).Encode(ready)
	}
	paint := view.Palette{On: r.colors(r.Stdout)}
	var out strings.Builder
	fact := func(name, value string) { fmt.Fprintf(&out, "  %-9s %s\n", name, text.Printable(value)) }
	out.WriteString(paint.Bold("The sandbox is ready.") + "\n\n")
	fact("issuer", ready.Issuer)
	fact("manifest", ready.Manifest)
	fact("keys", "full        "+ready.Keys.Full)
	fact("", "no_gateway  "+ready.Keys.NoGateway)
	fact("", "read_only   "+ready.Keys.ReadOnly)
	out.WriteString("\nIn another terminal: " + paint.Bold("ambit login -f "+advice.ShellWord(text.Printable(ready.Manifest))) + "\n")
	out.WriteString("In a browser:        " + ready.Issuer + "/ (switches, more keys, requests)\n")
	out.WriteString("Ctrl-C ends it. Requests:\n\n")
	return r.print(out.String())
}

// tellRequest is a line for each request, as it is answered. What fails is marked, and not by color alone.
func (r *invocation) tellRequest(q sandbox.Request) {
	paint := view.Palette{On: r.colors(r.Stdout)}
	status, mark := strconv.Itoa(q.Status), " "
	if q.Status == 0 {
		status = "---"
	}
	if !scopes.Succeeded(q.Status) && (q.Status < 300 || q.Status >= 400) {
		status, mark = paint.Red(status), paint.Red("x")
	}
	_ = r.print(fmt.Sprintf("%s %s %s %s %s %s\n", paint.Dim(q.Time.Format(time.TimeOnly)), mark, status, q.Method, text.Printable(q.Host+q.Path), paint.Dim("("+q.Part+")")))
}

// kindRows are the kinds of misbehavior, each with what goes wrong.
func kindRows() (rows [][2]string) {
	for _, k := range sandbox.Kinds() {
		kind, about, _ := strings.Cut(k, " - ")
		rows = append(rows, [2]string{kind, about})
	}
	return rows
}

// exampleReasons are why the example's manifest needs each scope, for the page of a person who consents.
func exampleReasons() map[string]string {
	reasons := make(map[string]string)
	m, err := manifest.Decode(ambit.ManifestName, ambit.ExampleManifest, nil)
	if err != nil { // it is our own; without reasons the page names the scopes
		return reasons
	}
	needs, _ := m.Select(m.ProgramNames()...)
	for _, need := range needs {
		for _, scope := range need.AnyOf {
			reasons[scope] = need.Why
		}
	}
	return reasons
}
