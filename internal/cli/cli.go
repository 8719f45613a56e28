// Package cli is the command line of ambit: a file for each command, and glue only. The
// front door (the root package) finds and obtains credentials, and scopes decides. A command
// reads its flags, calls these in order, and shows the value that comes out.
//
// A [Command] is one invocation. Each command returns a view, which package view renders as
// text or as the JSON of the contract, and maybe a failure, which knows its exit code and the
// way out. Results go to standard output; everything else goes to standard error, through
// package console. Text from outside is made fit for a terminal where it is shown.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/signals"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/spf13/cobra"
)

// A Command is one invocation of the program. Its streams and environment are
// values, so that a test or the demo can run it inside another process. The zero
// value reads nothing and has nowhere to write; set all fields.
type Command struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Env    []string // KEY=value, as os.Environ gives it

	// Signals says that Ctrl-C and SIGTERM are this invocation's to handle.
	Signals bool

	// visit stands in for a browser that ambit would choose: the demo's own.
	visit func(ctx context.Context, url string) error
}

// Main runs the command line args (without the program's name) and returns the
// exit code of the contract. It ends soon after ctx is done. It never panics: a
// fault of ambit is told on Stderr, and is exit code 1.
func (c Command) Main(ctx context.Context, args []string) (code int) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.Stdout, c.Stderr = console.InTurn(c.Stdout, c.Stderr)
	r := &invocation{Command: c, args: args, ctx: ctx, cancel: cancel, env: settings.Environment(c.Env), console: &console.Console{Out: c.Stderr}}
	r.input = &console.Input{From: c.Stdin, Console: r.console, Ending: ctx, Nobody: r.nobodyTypes, Waiting: r.watchSignals, Dumb: r.dumb}
	defer r.input.Rest()
	defer func() {
		if p := recover(); p != nil {
			// The value of a panic may hold what was being worked on: only its type is told.
			f := failure.New(failure.ExitFault, fmt.Sprintf("ambit itself failed (%T)", p), "please report it with the command that you ran")
			r.refuse(toolFormat(args), f)
			r.console.Failed(f)
			if r.settings.Verbose {
				r.console.Detail("%s", stackPlaces(debug.Stack()))
			}
			code = failure.ExitFault
		}
	}()
	root := root(r, args)
	root.SetArgs(args)
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	err := cmp.Or(root.ExecuteContext(ctx), r.mistaken)
	code = r.end(ctx, args, err)
	r.closeLog(code)
	if r.lingering != nil {
		select {
		case <-r.lingering:
		case <-ctx.Done():
		}
	}
	return code
}

// stackPlaces keeps the file and line of each frame and drops the arguments, which
// may be addresses of secrets.
func stackPlaces(stack []byte) string {
	var places []string
	for line := range strings.Lines(string(stack)) {
		if strings.HasPrefix(line, "\t") {
			places = append(places, strings.TrimSpace(line))
		}
	}
	return strings.Join(places, "\n")
}

// end tells what went wrong, once, in the form that was asked for.
func (r *invocation) end(ctx context.Context, args []string, err error) int {
	if err == nil {
		return failure.ExitOK
	}
	if child, ok := errors.AsType[childExit](err); ok {
		return int(child)
	}
	format := toolFormat(args)
	if code, ok := errors.AsType[answered](err); ok {
		r.refuse(format, nil)
		return int(code)
	}
	f := failure.As(err)
	if end, ok := signals.EndOf(ctx); ok {
		f = interrupted(end, f, err)
	} else if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		f = &view.Failure{Code: failure.ExitNoCredential, Message: "interrupted", Err: err}
	}
	if !r.prepared {
		r.guessFormat(args)
	}
	if format == formatJSON {
		r.settings.Output = "json"
	} else if r.refuse(format, f) {
		r.settings.Output = "text" // what the tool reads is no place for an object
	}
	switch {
	case !r.wantsJSON() && r.shown:
		if r.settings.Output != "github" { // the annotation says it
			r.console.Failed(f.Beside())
		}
	case !r.wantsJSON():
		r.console.Failed(f)
	case !r.printed:
		r.printJSON(view.Envelope{Schema: r.schema, Error: view.ErrorOf(f), Verdict: f.Verdict})
	}
	return f.Code
}

// A finished is the end of a command by a signal that came when its work was as good as done:
// nothing of that is undone, and no result is shown.
type finished struct{ signals.Ended }

// interrupted is the end of a command by a signal: its exit code, whatever else the command
// would have said, and the words of a failure that has another cause.
func interrupted(end signals.Ended, f *view.Failure, err error) *view.Failure {
	g := &view.Failure{Code: end.ExitCode(), Message: "interrupted", Err: err}
	if end.Signal != os.Interrupt {
		g.Message = "ended by a signal: " + end.Signal.String()
	}
	if _, done := errors.AsType[finished](err); done {
		g.Message += "; what was under way was finished first"
	} else if !errors.Is(err, context.Canceled) {
		g.Message, g.Hint = g.Message+"; "+f.Message, f.Hint
	}
	return g
}

// A maker makes a command, which stands in a group of the help.
type maker struct {
	group string
	make  func(*invocation) *cobra.Command
}

// commands is every command, each in a file of its own. One that is not called is
// not made: all of them together are a good part of what a short command costs.
func commands() map[string]maker {
	return map[string]maker{
		"demo": {"begin", demoCommand}, "init": {"begin", initCommand}, "plan": {"begin", planCommand}, "scopes": {"begin", scopesCommand},
		"explain": {"use", explainCommand}, "login": {"use", loginCommand}, "logins": {"use", loginsCommand}, "logout": {"use", logoutCommand},
		"run": {"use", runCommand}, "status": {"use", statusCommand}, "token": {"use", tokenCommand},
		"check": {"pipelines", checkCommand}, "export": {"pipelines", exportCommand},
		"audit": {"audit", auditCommand}, "doctor": {"audit", doctorCommand},
		"completion": {"more", completionCommand}, "sandbox": {"more", sandboxCommand}, "schema": {"more", schemaCommand}, "version": {"more", versionCommand},
		"demo-agent": {"", demoAgentCommand},
	}
}

// add makes a command and puts it below the root.
func (m maker) add(r *invocation, root *cobra.Command) {
	cmd := m.make(r)
	cmd.GroupID = m.group
	root.AddCommand(cmd)
}

// firstWord is the first argument: the command, unless flags come before it.
func firstWord(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// root assembles the commands that args can mean: the one that they begin with, or
// all, for a list of them, a flag before the command or a word that is none.
func root(r *invocation, args []string) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "ambit",
		Short: "request OAuth scopes, check what was granted, and name the missing one",
		Long: `List the OAuth scopes that your program needs, and why, in scopes.yaml. ambit requests
them, checks what was granted, and names the missing scope when a call is refused.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: r.prepare,
		Args:              noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !version {
				return cmd.Help()
			}
			r.schema = schemaOf("version")
			return r.show(view.ReadVersion(), nil)
		},
	}
	settings.CommonFlags(root.PersistentFlags())
	root.Flags().BoolVar(&version, versionFlag, false, "print the version")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failure.New(failure.ExitUsage, flagProblem(err), flagHint(cmd, err))
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(r.help(args))
	if completes(args) {
		offerValues(r, root)
	}
	root.AddGroup(groups()...)
	commands := commands()
	if wanted, known := commands[firstWord(args)]; known {
		wanted.add(r, root)
	} else if firstWord(args) != "--"+versionFlag {
		for _, name := range slices.Sorted(maps.Keys(commands)) {
			commands[name].add(r, root)
		}
	}
	if completes(args) {
		offerFlagValues(r, root)
	}
	help := helpCommand(r)
	help.GroupID = "more"
	root.SetHelpCommand(help)
	return root
}

// guessFormat finds out how something is to be told where the settings were not read: a
// mistake in the command line, or a help.
func (r *invocation) guessFormat(args []string) {
	r.schema = schemaIn(args)
	r.settings.Output = settings.Guess(args, r.env).Output
}

// schemaIn is the schema of the command that args name.
func schemaIn(args []string) string {
	commands := commands()
	named := slices.IndexFunc(args, func(arg string) bool { return commands[arg].make != nil })
	if named < 0 {
		return schemaOf("ambit")
	}
	return schemaOf(args[named])
}

// versionFlag asks of the program what the command of that name says.
const versionFlag = "version"

func versionCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE:  r.action(func(context.Context) (view.View, error) { return view.ReadVersion(), nil }),
	}
}

// flagProblem is what is wrong with a flag; of one that is on or off without the words of the parser.
func flagProblem(err error) string {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok && e.GetFlag().Value.Type() == "bool" {
		if e.GetFlag().Name == describeFlag {
			return fmt.Sprintf("--%s takes no value; a file stands behind it, after a blank: ambit init --%s %s", describeFlag, describeFlag, advice.ShellWord(e.GetValue()))
		}
		return fmt.Sprintf("--%s is true or false, not %s", e.GetFlag().Name, text.Quote(e.GetValue()))
	}
	return text.Printable(err.Error())
}
