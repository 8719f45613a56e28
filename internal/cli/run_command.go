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
	"github.com/ambit-auth/ambit/internal/settings"
	"github.com/ambit-auth/ambit/internal/text"
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

func (r *run) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGS]",
		Short: "run an agent with a lent credential, and tell why a call was refused",
		Long: `run finds a credential as check does (an API key, else the stored login, else a login
when someone is there) and starts COMMAND with a lease in its place: a proxy on this
machine swaps the lease for the credential. When a call is refused, run says which
declared scope is missing and what for, or what else it was. Standard output is the
child's; what run itself says goes to standard error.

Exit codes: the child's own; 2 wrong usage; 3 a required scope is missing; 4 no usable
credential; 6 nobody can tell what the credential holds.`,
		Example: "  ambit run -- my-agent --prompt hello\n  ambit run --report verdicts.json -- my-agent",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fail(exitUsage, "run takes a command, after --", "ambit run -- COMMAND ARGS")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return r.lend(cmd.Context(), &f, args) },
	}
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().StringVar(&f.agent, "agent", "", "the `NAME` of the agent's profile (default: by the command)")
	cmd.Flags().StringVar(&f.onDenied, "on-denied", "", "stop or continue, when a required scope is missing or the credential is unusable (default: stop where nobody watches)")
	cmd.Flags().BoolVar(&f.startAnyway, "start-anyway", false, "start, though a required scope is known to be missing")
	cmd.Flags().StringVar(&f.report, "report", "", "write the outcome as JSON to this `FILE`")
	cmd.Flags().StringVar(&f.record, "record", "", "append a JSON line for each request to this `FILE`: evidence for an audit")
	return cmd
}

// A runReport is ambit.run/v1.
type runReport struct {
	envelope
	Started   bool          `json:"started"`
	ChildExit *int          `json:"child_exit"` // null where the child was not started
	Verdicts  []verdictJSON `json:"verdicts"`   // the deciding one first
	Log       string        `json:"log"`
}

// A verdictJSON is ambit.verdict/v1.
type verdictJSON struct {
	Schema string `json:"schema"`
	OK     bool   `json:"ok"` // false: there is no verdict on what went well
	diagnosis.Verdict
}

// reports puts verdicts into the report.
func (l *lending) reports(verdicts ...diagnosis.Verdict) {
	for _, v := range verdicts {
		l.report.Verdicts = append(l.report.Verdicts, verdictJSON{Schema: "ambit.verdict/v1", Verdict: v})
	}
}

// A childExit carries the child's own exit code through; nothing is said about it.
type childExit int

// Error is not shown: the child spoke for itself.
func (c childExit) Error() string { return fmt.Sprintf("the child ended with %d", int(c)) }

// lend runs the command, writes the report in every outcome, and settles the exit code.
func (r *run) lend(ctx context.Context, f *runFlags, args []string) error {
	r.watchSignals()
	r.settings.Output = "" // standard output is the child's
	l := &lending{run: r, flags: f, args: args, report: runReport{envelope: envelope{Schema: "ambit.run/v1"}, Verdicts: []verdictJSON{}}}
	err := l.whole(ctx)
	var child childExit
	l.report.OK = err == nil
	if err != nil && !errors.As(err, &child) {
		e := asFailure(err)
		l.report.Error, l.report.Verdict = &errorJSON{e.Code, e.Message, e.Hint}, e.Verdict
	}
	if f.report != "" {
		if werr := writeReport(f.report, &l.report); werr != nil && (err == nil || errors.As(err, &child)) {
			return werr
		}
	}
	return err
}

// A lending is one run of a child.
type lending struct {
	*run
	flags  *runFlags
	args   []string
	report runReport

	session   *ambit.Session
	held      *ambit.Held
	profile   *profile.Profile
	conflicts []profile.Conflict
	proxy     *agent.Proxy
	stop      context.CancelFunc // ends the child
	log       *runLog
	pipes     []*os.File // to streams that are no files
	copied    sync.WaitGroup
	folder    string // of what the child reads besides its environment
}

func (l *lending) whole(ctx context.Context) error {
	l.log = &runLog{}
	defer func() { l.log.close() }()
	if err := l.begin(ctx); err != nil {
		return err
	}
	if v, ok := diagnosis.Forecast(l.theCase()); !ok && v.LacksRequired() && v.Confidence == diagnosis.ConfidenceProved && !l.flags.startAnyway {
		l.tell(v)
		l.reports(v)
		return fail(exitMissing, "the agent was not started: a required scope is missing", "--start-anyway starts it all the same")
	}
	code, err := l.child(ctx)
	if err != nil {
		return err
	}
	return l.settle(code)
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
		Message: firstLine(f.Message), Cause: f.Verdict.Cause, Confidence: f.Verdict.Confidence,
		Missing: []string{}, NeededFor: map[string][]string{}, Why: map[string]string{}, Evidence: []string{"the server was asked"},
		Conflicts: []profile.Conflict{}, Next: []diagnosis.Step{{Text: f.Hint}},
	}
	if f.diagnosis != nil {
		v = *f.diagnosis
	}
	v.Log = l.log.path
	l.tell(v)
	l.reports(v)
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
	h, err := l.asked(ctx, l.session)
	if _, nobody := errors.AsType[*oauth.NoInspectionError](err); nobody && h != nil {
		return h, nil
	}
	if !errors.Is(err, ambit.ErrNoCredential) || !l.interactive() {
		return h, err
	}
	l.voice.say("nobody is logged in yet")
	if _, err := l.login(ctx, l.flags.keys); err != nil {
		return nil, err
	}
	return l.asked(ctx, l.session)
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
			l.voice.note("%s sets %s; ambit run overrides it for this run", text.Printable(c.Path), text.Printable(strings.Join(c.Keys, ", ")))
		case c.Overrides:
			l.voice.note("%s", conflictLine(c))
		}
	}
}

func conflictLine(c profile.Conflict) string {
	line := fmt.Sprintf("%s sets %s, which overrides the lent credential", text.Printable(c.Path), text.Printable(strings.Join(c.Keys, ", ")))
	if c.Advice != "" {
		line += ": " + text.Printable(c.Advice)
	}
	return line
}

// theCase is what is known before any call.
func (l *lending) theCase() diagnosis.Case {
	return diagnosis.Case{
		Provider: l.session.Provider(), Server: l.held.Server, Kind: l.held.Kind, Grant: l.held.Credential.Grant, Needs: l.session.Needs(),
		Agent: l.profile, Conflicts: l.conflicts, Now: now(), Run: invocationOf(l.session), Unattended: l.unattended(), Log: l.log.path,
	}
}

// settle ends a run: with the child's own code, unless a verdict decides.
func (l *lending) settle(code int) error {
	l.report.Started, l.report.ChildExit = true, &code
	l.reports(l.proxy.Verdicts()...)
	if l.proxy.Requests() == 0 {
		if v, ok := diagnosis.Bypassed(l.theCase()); ok {
			l.tell(v)
			l.reports(v)
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
	p := &printer{paint: l.voice.paint, width: widthOf(l.Stderr)}
	verdictText(p, v)
	l.voice.write(p.String())
}

func verdictText(p *printer, v diagnosis.Verdict) {
	p.wrapped("  ", p.paint.red("ambit:")+" "+p.paint.bold(text.Printable(v.Message)))
	for _, scope := range v.Missing {
		p.fact("missing", scope+forWhat(v, scope))
	}
	for _, e := range v.Evidence {
		p.fact("because", e)
	}
	for _, step := range v.Next {
		p.fact("next", step.String())
	}
	p.fact("log", v.Log)
}

func forWhat(v diagnosis.Verdict, scope string) string {
	text := ""
	if why := v.Why[scope]; why != "" {
		text = ": " + why
	}
	if uses := v.NeededFor[scope]; len(uses) > 0 {
		text += " (" + strings.Join(uses, ", ") + ")"
	}
	return text
}

// scanPlace is where a scan looks on this machine.
func scanPlace(env settings.Environment, project string) profile.Place {
	return profile.Place{Files: profile.Disk{}, Home: env.Get("HOME"), Project: filepath.ToSlash(project), OS: osName, Environ: env}
}
