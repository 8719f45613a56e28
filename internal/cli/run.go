package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// runFlags say what is run, and what happens at a refusal.
type runFlags struct {
	keys        *keyFlags
	agent       string
	onDenied    string
	startAnyway bool
	record      string
}

func runCommand(r *invocation) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGS]",
		Short: "run an agent with a lent credential, and explain refused calls",
		Long: `run finds a credential as check does, and starts COMMAND with a lease in its place: a
proxy on this machine swaps the lease for the credential. When a call is refused, run
says on standard error which declared scope is missing and what needs it, or what else
the cause is. Where someone is there, it asks whether to add what a login lacks, and
sends the request again.

Exit codes: the child's own; 2 wrong usage; 3 a required scope is missing; 4 no usable
credential; 6 nobody can tell what the credential holds, or it could not be renewed.`,
		Example: "  ambit run -- my-agent --prompt hello\n  ambit run --report verdicts.json -- my-agent",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failure.New(failure.ExitUsage, "run takes a command, after --", "ambit run -- COMMAND ARGS")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRun(cmd.Context(), r, &f, cmd.Flags().Lookup("report"), args)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failure.New(failure.ExitUsage, flagProblem(err), cmp.Or(withDashes(cmd.Flags(), r.args), "see: ambit run --help"))
	})
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().StringVar(&f.agent, "agent", "", "the agent's profile: its `NAME`, or a file of yours (default: from the command, also behind sh -c, npx and their like)")
	cmd.Flags().StringVar(&f.onDenied, "on-denied", "", "`"+strings.Join(onDeniedWords(), "|")+"` when a required scope is missing or the credential is unusable (default: stop in a non-interactive session)")
	cmd.Flags().BoolVar(&f.startAnyway, "start-anyway", false, "start even if a required scope is known to be missing")
	cmd.Flags().String("report", "", "write the outcome to this `FILE`: as JSON, or as a page with a timeline where it ends with .html")
	cmd.Flags().StringVar(&f.record, "record", "", "append a JSON line for each request to this `FILE`: evidence for an audit")
	return cmd
}

// withDashes is the command line with the -- that was forgotten before the child's command, so
// that its flags are its own; "" where none was. What stands before the command is not repeated.
func withDashes(flags *pflag.FlagSet, args []string) string {
	for i := 1; i < len(args); i++ {
		word := args[i]
		name, _, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		flag := flags.Lookup(name)
		if !strings.HasPrefix(word, "--") && len(name) == 1 {
			flag = flags.ShorthandLookup(name)
		}
		switch {
		case word == "--":
			return ""
		case !strings.HasPrefix(word, "-"):
			line := "ambit run --"
			if i > 1 {
				line = "ambit run … --"
			}
			for _, word := range args[i:] {
				line += " " + advice.ShellWord(word)
			}
			return line
		case flag == nil:
			return ""
		case !hasValue && flag.NoOptDefVal == "":
			i++
		}
	}
	return ""
}

// A childExit carries the child's own exit code through; nothing is said about it.
type childExit int

// Error is not shown: the child spoke for itself.
func (c childExit) Error() string { return fmt.Sprintf("the child ended with %d", int(c)) }

// runRun runs the command, writes the report in every outcome, and settles the exit code.
func runRun(ctx context.Context, r *invocation, f *runFlags, report *pflag.Flag, args []string) error {
	r.settings.Output = "" // standard output is the child's
	l := &lending{invocation: r, flags: f, args: args, line: profile.Disk{}.Command(args...), report: view.Run{Envelope: view.Envelope{Schema: "ambit.run/v1"}, Verdicts: []view.Verdict{}, HiddenTools: []string{}, StepUps: []view.StepUp{}}}
	to, err := beginReport(report, l) // a pipe waits for its reader: signals end that
	if err != nil {
		return err
	}
	r.watchSignals()
	err = l.whole(ctx)
	_, child := errors.AsType[childExit](err)
	l.report.OK = err == nil
	if err != nil && !child {
		e := failure.As(err)
		l.report.Error, l.report.Verdict = view.ErrorOf(e), e.Verdict
	}
	if werr := to.write(); werr != nil && (err == nil || child) {
		return werr
	}
	return err
}

// A lending is one run of a child.
type lending struct {
	*invocation
	flags  *runFlags
	args   []string        // the child's command line
	line   profile.Command // the same, as it was read
	report view.Run
	said   view.Said

	session   *ambit.Session
	held      *ambit.Held
	profile   *profile.Profile
	foreseen  diagnosis.Case // what was known when the forecast was made
	conflicts []profile.Conflict
	overrides atomic.Bool // this run puts the profile's arguments on the command line
	proxy     *agent.Proxy
	telling   atomic.Pointer[agent.Proxy] // the same, for verdicts, which come while it is lent
	stop      context.CancelFunc          // ends the child
	log       *runLog
	timeline  *view.Timeline // for a report that is a page; nil for none
	lent      *source
	stepUps   stepUps
	pipes     []*os.File // to streams that are no files
	copied    sync.WaitGroup
	directory string // of what the child reads besides its environment
}

func (l *lending) whole(ctx context.Context) error {
	l.log = &runLog{}
	defer func() { l.log.close() }()
	if err := l.begin(ctx); err != nil {
		return err
	}
	if err := l.forecast(); err != nil {
		return err
	}
	if why := view.Unlisted(l.held.Credential.KnownBy); why != "" {
		l.console.Note("%s: %s", l.held.Kind.Label, why)
	}
	l.tellHiddenTools()
	end, err := l.child(ctx)
	if err != nil {
		return err
	}
	return l.settle(end)
}

// forecast tells what will be refused: in one line where that is nothing that is required. The
// error says why the child is not started for it. Where the child takes the screen, a verdict
// says all of it again later.
func (l *lending) forecast() error {
	l.foreseen = l.theCase()
	for _, v := range diagnosis.Forecast(l.foreseen) {
		l.report.Add(v)
		if v.Cause == diagnosis.CauseMissingScope && !v.LacksRequired() {
			l.console.Note("%s; see: %s", text.Printable(v.Message), failure.Invocation(l.session.For(l.held)).Command("status"))
		} else if l.lendsScreen() {
			l.show(v)
		} else {
			l.tell(v)
		}
		if !l.lendsScreen() {
			l.said.Foreseen(v)
		}
		if v.LacksRequired() && v.Confidence == diagnosis.ConfidenceProved && !l.flags.startAnyway {
			return failure.New(exitOf(v), "the agent was not started: a required scope is missing", "to start it anyway, add --start-anyway")
		}
	}
	return nil
}

// tellHiddenTools says which tools of MCP servers the child will not see: nothing else does, for
// no call of them is refused.
func (l *lending) tellHiddenTools() {
	gap := l.held.Gap()
	if len(gap.HiddenTools) == 0 || l.held.Credential.Grant.KnownBy == "" { // nobody said what it holds
		return
	}
	l.report.HiddenTools = gap.HiddenTools
	l.console.Note("hidden tools: %s", view.HiddenTools(gap))
}

func onDeniedWords() []string { return []string{"stop", "continue"} }

// begin finds all that a run needs, before anything is started.
func (l *lending) begin(ctx context.Context) error {
	if l.flags.onDenied != "" && !slices.Contains(onDeniedWords(), l.flags.onDenied) {
		return failure.New(failure.ExitUsage, fmt.Sprintf("--on-denied %q is unknown", l.flags.onDenied), text.AllowedHint(l.flags.onDenied, onDeniedWords()))
	}
	var err error
	if l.profile, err = l.pickProfile(); err != nil {
		return err
	}
	if l.session, err = l.open(l.flags.keys); err != nil {
		return err
	}
	l.log = l.openRunLog()
	l.report.Log = l.log.path
	if l.held, err = l.lendable(ctx); err != nil {
		err = l.failure(l.session, err)
		l.log.failed(err)
		return l.unusable(err)
	}
	l.conflicts = l.scan()
	l.log.start(l)
	return nil
}

// unusable tells of a credential that was refused before anything was started, as of
// one that is refused later.
func (l *lending) unusable(err error) error {
	f := failure.As(err)
	if f.Diagnosis == nil {
		return err
	}
	v := *f.Diagnosis
	v.Log = l.log.path
	l.tell(v)
	l.report.Add(v)
	return failure.New(f.Code, "the agent was not started: "+inWords(v), "")
}

func (l *lending) pickProfile() (*profile.Profile, error) {
	if l.flags.agent != "" {
		return namedAgent(l.flags.agent)
	}
	return profile.ForCommand(l.line)
}

// namedAgent is the profile that --agent means.
func namedAgent(word string) (*profile.Profile, error) {
	p, err := profile.Find(word)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure.From(failure.ExitUsage, err, "a word with a slash or .yaml at its end is a file; known agents: "+strings.Join(profile.Names(), ", "))
	}
	if mistakes, ok := errors.AsType[yamlfile.Mistakes](err); ok {
		err = mistakes.WithoutForeignWords(word)
	}
	return nil, fileFailure(err)
}

// lendable is the credential of a check, or the outcome of a login where someone is
// there and there was none. That nobody can say what a key holds, or nobody says it of a login
// now, does not keep it from being lent: a refusal will tell.
func (l *lending) lendable(ctx context.Context) (*ambit.Held, error) {
	h, err := asked(ctx, l.invocation, l.session, credential.RenewAhead, forNew)
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody && h != nil {
		return h, nil
	}
	if e, silent := errors.AsType[*oauth.UnansweredError](err); silent && h != nil && h.IsLogin() {
		l.console.Note("what the login holds is as recorded: %s", text.Printable(e.Error()))
		return h, nil
	}
	if !errors.Is(err, ambit.ErrNoCredential) || !l.interactive() {
		return h, err
	}
	l.console.Say("nobody is logged in yet")
	if _, err := runLogin(ctx, l.invocation, l.flags.keys, nil); err != nil {
		return nil, err
	}
	return asked(ctx, l.invocation, l.session, credential.RenewAhead, forNew)
}

// scan looks for settings and logins of the agent that are in the way.
func (l *lending) scan() []profile.Conflict {
	here, _ := os.Getwd() // without it no project's settings are found
	place := scanPlace(l.env, here)
	place.Command, place.Hosts = l.line, hostsOf(l.session.Provider())
	found := l.profile.Scan(place)
	if l.overrides.Load() {
		return profile.Overridden(found)
	}
	return found
}

// tellConflicts says before it costs anything what overrides the lent credential, what this run
// overrides, and what goes past it.
func (l *lending) tellConflicts() {
	for _, c := range l.conflicts {
		if c.Overrides || c.Effect == profile.EffectBypasses {
			l.console.Note("%s", view.ConflictLine(c))
			if !l.lendsScreen() {
				l.said.Setting(c)
			}
		}
	}
}

// theCase is what is known before any call.
func (l *lending) theCase() diagnosis.Case {
	return diagnosis.Case{
		Provider: l.session.Provider(), Server: l.held.Server, Needs: l.session.Needs(),
		Agent: l.profile, Conflicts: l.conflicts, Now: now(), Run: failure.Invocation(l.session.For(l.held)), Unattended: l.unattended(), Withheld: failure.Withheld(l.held, l.session.Needs()), Log: l.log.path,
	}.With(l.held.Credential)
}
