package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/agent/profile"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth"
	"github.com/spf13/cobra"
)

// runFlags say what is run, and what happens at a refusal.
type runFlags struct {
	keys        *keyFlags
	agent       string
	onDenied    string
	startAnyway bool
	report      string
	record      string
}

func runCommand(r *invocation) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGS]",
		Short: "run an agent with a lent credential, and say why a call was refused",
		Long: `run finds a credential as check does (an API key, else the stored login, else a login
when someone is there) and starts COMMAND with a lease in its place: a proxy on this
machine swaps the lease for the credential. When a call is refused, run says which
declared scope is missing and what needs it, or what else the cause is. Standard output
is the child's; what run itself says goes to standard error.

Exit codes: the child's own; 2 wrong usage; 3 a required scope is missing; 4 no usable
credential; 6 nobody can tell what the credential holds.`,
		Example: "  ambit run -- my-agent --prompt hello\n  ambit run --report verdicts.json -- my-agent",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fail(exitUsage, "run takes a command, after --", "ambit run -- COMMAND ARGS")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runRun(cmd.Context(), r, &f, args) },
	}
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().StringVar(&f.agent, "agent", "", "the `NAME` of the agent's profile (default: from the command's name)")
	cmd.Flags().StringVar(&f.onDenied, "on-denied", "", "stop or continue, when a required scope is missing or the credential is unusable (default: stop where nobody is at a terminal)")
	cmd.Flags().BoolVar(&f.startAnyway, "start-anyway", false, "start even if a required scope is known to be missing")
	cmd.Flags().StringVar(&f.report, "report", "", "write the outcome as JSON to this `FILE`")
	cmd.Flags().StringVar(&f.record, "record", "", "append a JSON line for each request to this `FILE`: evidence for an audit")
	return cmd
}

// A childExit carries the child's own exit code through; nothing is said about it.
type childExit int

// Error is not shown: the child spoke for itself.
func (c childExit) Error() string { return fmt.Sprintf("the child ended with %d", int(c)) }

// runRun runs the command, writes the report in every outcome, and settles the exit code.
func runRun(ctx context.Context, r *invocation, f *runFlags, args []string) error {
	r.watchSignals()
	r.settings.Output = "" // standard output is the child's
	l := &lending{invocation: r, flags: f, args: args, report: view.Run{Envelope: view.Envelope{Schema: "ambit.run/v1"}, Verdicts: []view.Verdict{}, HiddenTools: []string{}}}
	err := l.whole(ctx)
	_, child := errors.AsType[childExit](err)
	l.report.OK = err == nil
	if err != nil && !child {
		e := asFailure(err)
		l.report.Error, l.report.Verdict = view.ErrorOf(e), e.Verdict
	}
	if f.report != "" {
		if werr := writeReport(f.report, &l.report); werr != nil && (err == nil || child) {
			return werr
		}
	}
	return err
}

// A lending is one run of a child.
type lending struct {
	*invocation
	flags  *runFlags
	args   []string
	report view.Run

	session   *ambit.Session
	held      *ambit.Held
	profile   *profile.Profile
	conflicts []profile.Conflict
	proxy     *agent.Proxy
	stop      context.CancelFunc // ends the child
	log       *runLog
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
	if v, ok := diagnosis.Forecast(l.theCase()); !ok && v.LacksRequired() && v.Confidence == diagnosis.ConfidenceProved && !l.flags.startAnyway {
		l.tell(v)
		l.report.Add(v)
		return fail(exitMissing, "the agent was not started: a required scope is missing", "--start-anyway starts it all the same")
	}
	l.tellHiddenTools()
	code, err := l.child(ctx)
	if err != nil {
		return err
	}
	return l.settle(code)
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

// begin finds all that a run needs, before anything is started.
func (l *lending) begin(ctx context.Context) error {
	if !slices.Contains([]string{"", "stop", "continue"}, l.flags.onDenied) {
		return fail(exitUsage, fmt.Sprintf("--on-denied %q is unknown", l.flags.onDenied), "allowed: stop, continue")
	}
	var err error
	if l.profile, err = l.pickProfile(); err != nil {
		return fail(exitUsage, text.Printable(err.Error()), "")
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
	f := asFailure(err)
	if f.Verdict == nil {
		return err
	}
	v := diagnosis.Verdict{
		Message: view.FirstLine(f.Message), Cause: f.Verdict.Cause, Confidence: f.Verdict.Confidence,
		Missing: []string{}, NeededFor: map[string][]string{}, Why: map[string]string{}, Evidence: []string{"the server was asked"}, Possible: []string{},
		Conflicts: []profile.Conflict{}, Next: []diagnosis.Step{{Text: f.Hint}},
	}
	if f.Diagnosis != nil {
		v = *f.Diagnosis
	}
	v.Log = l.log.path
	l.tell(v)
	l.report.Add(v)
	return err
}

func (l *lending) pickProfile() (*profile.Profile, error) {
	if l.flags.agent != "" {
		return profile.ByName(l.flags.agent)
	}
	return profile.ForCommand(l.args[0])
}

// lendable is the credential of a check, or the outcome of a login where someone is
// there and there was none. That nobody can say what a key holds does not keep it from
// being lent: a refusal will tell.
func (l *lending) lendable(ctx context.Context) (*ambit.Held, error) {
	h, err := asked(ctx, l.invocation, l.session)
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody && h != nil {
		return h, nil
	}
	if !errors.Is(err, ambit.ErrNoCredential) || !l.interactive() {
		return h, err
	}
	l.console.Say("nobody is logged in yet")
	if _, err := runLogin(ctx, l.invocation, l.flags.keys); err != nil {
		return nil, err
	}
	return asked(ctx, l.invocation, l.session)
}

// scan looks for settings and logins of the agent that are in the way.
func (l *lending) scan() []profile.Conflict {
	here, _ := os.Getwd() // without it no project's settings are found
	return l.profile.Scan(scanPlace(l.env, here))
}

// tellConflicts says before it costs anything what overrides the lent credential, and
// what this run overrides.
func (l *lending) tellConflicts() {
	for _, c := range l.conflicts {
		switch {
		case c.Overrides && c.Overridden:
			l.console.Note("%s sets %s; ambit run overrides it for this run", text.Printable(c.Path), text.Printable(strings.Join(c.Keys, ", ")))
		case c.Overrides:
			l.console.Note("%s", view.ConflictLine(c))
		}
	}
}

// theCase is what is known before any call.
func (l *lending) theCase() diagnosis.Case {
	return diagnosis.Case{
		Provider: l.session.Provider(), Server: l.held.Server, Needs: l.session.Needs(),
		Agent: l.profile, Conflicts: l.conflicts, Now: now(), Run: invocationOf(l.session), Unattended: l.unattended(), Withheld: withheld(l.held, l.session.Needs()), Log: l.log.path,
	}.With(l.held.Credential)
}

// settle ends a run: with the child's own code, unless a verdict decides.
func (l *lending) settle(code int) error {
	l.report.Started, l.report.ChildExit = true, &code
	l.report.Add(l.proxy.Verdicts()...)
	if l.proxy.Requests() == 0 {
		if v, ok := diagnosis.Bypassed(l.theCase()); ok {
			l.tell(v)
			l.report.Add(v)
		}
	}
	for _, v := range l.report.Verdicts {
		if l.stops() && v.Decides() {
			exit := exitNoCredential
			if v.LacksRequired() {
				exit = exitMissing
			}
			return fail(exit, text.Printable(v.Message), advice.Line(v.Next))
		}
	}
	if code != 0 {
		return childExit(code)
	}
	return nil
}

// stops reports whether a deciding verdict ends the child.
func (l *lending) stops() bool {
	if l.flags.onDenied != "" {
		return l.flags.onDenied == "stop"
	}
	return !l.interactive()
}

// told is called for each verdict once, before the child gets the answer.
func (l *lending) told(v diagnosis.Verdict) {
	l.tell(v)
	if v.Decides() && l.stops() {
		go l.stop() // not here: the proxy waits for us, and the child for the proxy
	}
}

// tell shows a verdict: the cause first, then the ways out.
func (l *lending) tell(v diagnosis.Verdict) {
	p := &view.Printer{Paint: l.console.Paint, Width: console.Width(l.Stderr)}
	view.VerdictText(p, v)
	l.console.Write(p.String())
}

// scanPlace is where a scan looks on this machine.
func scanPlace(env settings.Environment, project string) profile.Place {
	return profile.Place{Files: profile.Disk{}, Home: env.Get("HOME"), Project: filepath.ToSlash(project), OS: osName, Environ: env}
}
