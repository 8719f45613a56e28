package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/helper"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The formats in which a token is printed.
const (
	formatEnv        = "env"
	formatHeader     = "header"
	formatJSON       = "json"
	formatKubernetes = "exec-credential"
	formatGit        = "git-credential"
	formatDocker     = "docker"
)

func tokenFormats() []string {
	return []string{formatEnv, formatHeader, formatJSON, formatKubernetes, formatGit, formatDocker}
}

// takesOperation reports whether the tool behind a format says what it wants as an argument.
func takesOperation(format string) bool { return format == formatGit || format == formatDocker }

// defaultUsername stands beside a token where a password is expected. Servers that take a token so
// either do not look at it, or want this word.
const defaultUsername = "oauth2"

// A recipient is another tool that is handed a token.
type recipient struct {
	url     string                                        // where it will send it; "" where it does not say
	foreign error                                         // what it gets where the credential is not for that
	as      func(h *ambit.Held) func(helper.Token) string // the form in which it takes one; nil: the token alone
}

// An answered is the end of a command that has said all, or has nothing to say; nothing is added.
type answered int

// Error implements the interface; nobody reads it.
func (a answered) Error() string { return fmt.Sprintf("ended with %d", int(a)) }

// handOver prints the token in the form that a tool takes.
func (r *invocation) handOver(cmd *cobra.Command, f tokenFlags, args []string) error {
	operation := "get"
	if len(args) > 0 {
		operation = args[0]
	}
	if !slices.Contains(tokenFormats(), f.format) {
		return failure.New(failure.ExitUsage, fmt.Sprintf("--format: unknown format %q", f.format), text.AllowedHint(f.format, tokenFormats()))
	}
	if !text.IsUnbroken(f.username) {
		return failure.New(failure.ExitUsage, "--username is one word, without control characters", "")
	}
	if r.settings.Output != "" && r.settings.Output != f.format && r.settings.FromFlag("output") {
		return failure.New(failure.ExitUsage, fmt.Sprintf("--format %s and --output %s exclude each other", f.format, r.settings.Output), "")
	}
	if r.settings.Output = "text"; f.format == formatJSON {
		r.settings.Output = "json"
	}
	do := map[string]func(context.Context, tokenFlags, string) (view.View, error){
		formatEnv: r.tokenForShell, formatHeader: r.tokenForCurl, formatJSON: r.tokenAsJSON, formatKubernetes: r.tokenForKubernetes, formatGit: r.tokenForGit, formatDocker: r.tokenForDocker,
	}[f.format]
	return r.action(func(ctx context.Context) (view.View, error) { return do(ctx, f, operation) })(cmd, args)
}

func (r *invocation) tokenAsJSON(ctx context.Context, f tokenFlags, _ string) (view.View, error) {
	return runToken(ctx, r, f, recipient{})
}

func (r *invocation) tokenForCurl(ctx context.Context, f tokenFlags, _ string) (view.View, error) {
	return runToken(ctx, r, f, recipient{as: always(helper.Header)})
}

func (r *invocation) tokenForShell(ctx context.Context, f tokenFlags, _ string) (view.View, error) {
	return runToken(ctx, r, f, recipient{as: view.Env})
}

func (r *invocation) tokenForKubernetes(ctx context.Context, f tokenFlags, _ string) (view.View, error) {
	asked, err := helper.ReadKubernetes(r.env.Get(helper.KubernetesVariable))
	if err != nil {
		return nil, failure.New(failure.ExitUsage, helper.KubernetesVariable+": "+text.Printable(err.Error()), "")
	}
	return runToken(ctx, r, f, recipient{url: asked.Server, foreign: foreignTo(asked.Server), as: always(asked.Answer)})
}

// foreignTo is the failure of a tool that would send the credential to another server.
func foreignTo(server string) error {
	return failure.New(failure.ExitUsage, fmt.Sprintf("%s is not one of the hosts that the credential is for", text.Quote(guard.ShownURL(server))),
		"see the servers in the manifest's provider: ambit plan -v")
}

// tokenForGit says nothing about another host: git goes on to its next helper. It wants the same for
// operations that are not known yet.
func (r *invocation) tokenForGit(ctx context.Context, f tokenFlags, operation string) (view.View, error) {
	if operation != "get" && operation != "erase" {
		return nil, nil // what git stores is what it got from here, or another host's
	}
	asked, err := helper.ReadGit(r.Stdin)
	if err != nil {
		return nil, failure.New(failure.ExitUsage, "what git asks cannot be read: "+text.Printable(err.Error()), "")
	}
	if asked.URL == "" {
		return nil, nil
	}
	if operation == "erase" {
		return nil, r.refusedByGit(ctx, f, asked)
	}
	answer := func(t helper.Token) string { return asked.Answer(f.username, t) }
	return runToken(ctx, r, f, recipient{url: asked.URL, foreign: answered(failure.ExitOK), as: always(answer)})
}

// refusedByGit renews a token that the server refused, so that git gets another when it asks again.
// The login stays: a server of git refuses what lacks a right in the same way.
func (r *invocation) refusedByGit(ctx context.Context, f tokenFlags, asked helper.Git) error {
	s, err := r.open(f.keys)
	if err != nil || !s.Names(asked.URL) {
		return err
	}
	h, err := s.Find(ctx)
	if err != nil {
		return r.failure(s, err)
	}
	if !h.MayGoTo(asked.URL) || !asked.Refused(h.Credential.Access.Reveal()) {
		return nil // another helper's, or one that was renewed meanwhile
	}
	if !h.IsLogin() {
		r.console.Note("the server refused the API key from %s; git asks for it again", text.Printable(h.Credential.Source))
		return nil
	}
	if err := h.Renew(ctx); err != nil {
		return failure.Of(s.For(h), err)
	}
	tellLost(r, s, h)
	return nil
}

func (r *invocation) tokenForDocker(ctx context.Context, f tokenFlags, operation string) (view.View, error) {
	none := answered(failure.ExitNoCredential)
	switch operation {
	case "get":
		asked, err := helper.ReadDocker(r.Stdin)
		if err != nil || asked.Server == "" {
			return nil, failure.New(failure.ExitUsage, "docker names no server", "")
		}
		answer := func(t helper.Token) string { return asked.Answer(f.username, t) }
		return runToken(ctx, r, f, recipient{url: asked.URL(), foreign: none, as: always(answer)})
	case "list":
		return r.listForDocker(ctx, f)
	case "store":
		return nil, r.keepForDocker(ctx, f)
	case "erase":
		r.console.Note("docker keeps nothing here; to end the login: ambit logout")
		return nil, nil
	}
	return nil, failure.New(failure.ExitUsage, fmt.Sprintf("unknown operation %q", operation), text.AllowedHint(operation, []string{"get", "store", "erase", "list"}))
}

// listForDocker lists the hosts for which a get has an answer.
func (r *invocation) listForDocker(ctx context.Context, f tokenFlags) (view.View, error) {
	s, err := r.open(f.keys)
	if err != nil {
		return nil, err
	}
	h, err := s.Find(ctx)
	switch {
	case errors.Is(err, ambit.ErrNoCredential):
		return view.Text{Content: helper.DockerList(f.username, nil)}, nil
	case err != nil:
		return nil, r.failure(s, err)
	}
	return view.Text{Content: helper.DockerList(f.username, h.Hosts())}, nil
}

// keepForDocker takes what docker got from here, and refuses what would be lost.
func (r *invocation) keepForDocker(ctx context.Context, f tokenFlags) error {
	stored, secret, err := helper.ReadDockerStore(r.Stdin)
	if err != nil {
		return failure.New(failure.ExitUsage, "what docker stores cannot be read: "+text.Printable(err.Error()), "")
	}
	s, err := r.open(f.keys)
	if err != nil {
		return err
	}
	hint := "in docker's config.json name ambit under credHelpers, for its own servers alone"
	if s.Names(stored.URL()) {
		h, err := s.Find(ctx)
		if err == nil && h.Credential.Access.Equal(credential.NewSecret(secret)) {
			return nil
		}
		hint = "docker takes the token of the login from ambit: " + failure.LoginAgain(s)
	}
	return failure.New(failure.ExitUsage, "ambit keeps no password for "+text.Quote(guard.ShownURL(stored.Server)), hint)
}

// toolFormat is the format in which a command line wants a token, also one that is not right in the
// rest; "" for none.
func toolFormat(args []string) string {
	if schemaIn(args) != schemaOf("token") {
		return ""
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	format := flags.String("format", "", "")
	settings.Skim(flags, args)
	return *format
}

// refuse prints what a tool reads on standard output where it gets no token, whatever the failure (nil:
// there is none for it), and reports whether it reads anything. A shell evaluates what it gets, and sees
// no exit code; docker reads what went wrong, and for a server without a credential goes on without one.
func (r *invocation) refuse(format string, f *view.Failure) bool {
	switch {
	case r.printed:
		return false
	case format == formatEnv:
		_ = r.print(helper.NoEnv)
	case format == formatDocker && (f == nil || errors.Is(f, ambit.ErrNoCredential)):
		_ = r.print(helper.DockerNotFound + "\n")
	case format == formatDocker:
		_ = r.print(f.Message + "\n")
	default:
		return false
	}
	return true
}

// always is a form that is the same for each credential.
func always(form func(helper.Token) string) func(*ambit.Held) func(helper.Token) string {
	return func(*ambit.Held) func(helper.Token) string { return form }
}
