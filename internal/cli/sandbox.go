package cli

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/sandbox"
	"github.com/ambit-auth/ambit/internal/text"
)

func sandboxCommand(r *invocation) *cobra.Command {
	var o sandbox.Options
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "run the sandbox servers alone, for tests of your own",
		Long: `sandbox runs an authorization server, an API, an LLM gateway and an MCP server on
this machine. They behave as the real ones do, and misbehave on request. When they are
ready, one line of JSON on standard output says where. It runs until it is interrupted.

Kinds of misbehavior:
` + kindLines(),
		Example: "  ambit sandbox --grant all\n  ambit sandbox --misbehave reject",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.watchSignals()
			o.Manifest = ambit.ExampleManifest
			s, err := sandbox.Start(cmd.Context(), o)
			if err != nil {
				return failure.New(failure.ExitUsage, text.Printable(err.Error()), "see: ambit sandbox --help")
			}
			if err := json.NewEncoder(r.Stdout).Encode(s.Ready()); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return s.Close()
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "the `ADDRESS` of the first server; loopback only")
	f.StringVar(&o.Grant, "grant", "", "consent without a click to these `SCOPES`: \"scope scope\", all, or none to deny")
	f.StringSliceVar(&o.Misbehave, "misbehave", nil, "misbehave in this way: a `KIND` of the list above (repeatable)")
	f.StringVar(&o.Region, "region", "", "the `NAME` of the region in which the person who consents lives")
	return cmd
}

func kindLines() string {
	var b strings.Builder
	for _, k := range sandbox.Kinds() {
		b.WriteString("  " + k + "\n")
	}
	return b.String()
}
