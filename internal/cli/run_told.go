package cli

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/child"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/apikey"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/spf13/pflag"
)

// keptLogs is how many logs of runs stay: those of some days of work.
const keptLogs = 20

// A runLog is the log of one run: a file of its own, readable by the user alone. Its
// zero value logs nothing.
type runLog struct {
	path    string
	handler slog.Handler
	file    *os.File
}

// openRunLog begins the log of this run, and removes the oldest.
func (l *lending) openRunLog() *runLog {
	log := &runLog{}
	if l.timeline != nil {
		log.handler = l.timeline
	}
	dir := filepath.Join(l.env.StateDir(), "runs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		l.console.Note("no log is kept: %s", text.Printable(err.Error()))
		return log
	}
	f, err := os.CreateTemp(dir, time.Now().UTC().Format("20060102T150405.000")+"-*.jsonl") // 0600
	if err != nil {
		l.console.Note("no log is kept: %s", text.Printable(err.Error()))
		return log
	}
	removeOldest(dir)
	log.path, log.file, log.handler = f.Name(), f, slog.NewJSONHandler(f, nil)
	if l.timeline != nil {
		log.handler = slog.NewMultiHandler(log.handler, l.timeline)
	}
	return log
}

// start writes down what is lent to whom.
func (g *runLog) start(l *lending) {
	if g.handler == nil {
		return
	}
	c := l.held.Credential.Grant
	slog.New(g.handler).Info("start", "credential", c.Kind, "prefix", c.Prefix, "server", l.held.Server.Name,
		"agent", l.profile.Name, "conflicts", len(l.conflicts))
}

// failed writes down why nothing was started.
func (g *runLog) failed(err error) {
	if g.handler != nil {
		slog.New(g.handler).Error("not started", "why", text.Printable(failure.As(err).Message))
	}
}

// removeOldest keeps the newest logs. Their names begin with the time, so they sort.
func removeOldest(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	slices.Sort(files)
	for len(files) > keptLogs {
		os.Remove(files[0])
		files = files[1:]
	}
}

func (g *runLog) close() {
	if g.file != nil {
		g.file.Close()
	}
}

// settle ends a run: with the child's own code, unless a verdict decides.
func (l *lending) settle(end diagnosis.Ending) error {
	code := end.Code
	l.report.Started, l.report.ChildExit = true, &code
	told := l.proxy.Verdicts()
	l.report.Verdicts = []view.Verdict{}
	l.report.Add(told...)
	l.report.StepUps = l.stepUps.list()
	l.report.Add(l.stillForeseen(told)...)
	l.tellNotRouted(end)
	for _, v := range told {
		if l.stops() && v.Decides() {
			return failure.New(exitOf(v), "the run failed: "+inWords(v), "")
		}
	}
	if code != 0 {
		return childExit(code)
	}
	return nil
}

// tellNotRouted tells of a child that used nothing of what it was lent: in a line of its own where
// nobody knows that it would have.
func (l *lending) tellNotRouted(end diagnosis.Ending) {
	v, ok := diagnosis.NotRouted(l.theCase(), l.proxy.Traffic(), end)
	if !ok || l.profile.Offline(l.line) { // a look whether the server is there is no work
		return
	}
	l.report.Add(v)
	if v.Confidence == diagnosis.ConfidenceUnknown {
		l.console.Note("%s; %s", text.Printable(v.Message), text.Printable(v.Next[0].String()))
		return
	}
	l.tell(v)
}

// stops reports whether a deciding verdict ends the child.
func (l *lending) stops() bool {
	if l.flags.onDenied != "" {
		return l.flags.onDenied == "stop"
	}
	return !l.watched()
}

// told is called for each verdict once, before the child gets the answer.
func (l *lending) told(v diagnosis.Verdict) {
	l.tell(v)
	if v.Decides() && l.stops() {
		go l.stop() // not here: the proxy waits for us, and the child for the proxy
	}
}

// tell shows a verdict, without what an earlier one has said: an advice, the log's path.
func (l *lending) tell(v diagnosis.Verdict) {
	l.show(l.said.News(v))
}

// show lays a verdict out when the screen is free, with what is known by then.
func (l *lending) show(v diagnosis.Verdict) {
	l.console.Show(func(p *view.Printer) {
		if proxy := l.telling.Load(); proxy != nil {
			v = proxy.Latest(v)
		}
		view.VerdictText(p, v)
	})
}

// stepUpPatience bounds the wait for a yes or a no: the child waits for its request meanwhile, and the
// person may be away from the terminal.
const stepUpPatience = 2 * time.Minute

// stepUps are those of one run, for its report.
type stepUps struct {
	mu  sync.Mutex
	all []view.StepUp
}

func (s *stepUps) add(one view.StepUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
}

func (s *stepUps) list() []view.StepUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]view.StepUp{}, s.all...)
}

// stepUpper asks the person whether the login may hold what a request lacks; nil where nobody can be
// asked while the child runs. A child whose standard input is the terminal has that for itself: it
// would get the answer, or its screen the question.
func (l *lending) stepUpper() func(context.Context, diagnosis.Verdict) (*credential.Credential, error) {
	if l.settings.NoInput || l.env.InCI() || console.IsTerminal(l.Stdin) || !console.IsTerminal(l.Stderr) || !l.held.IsLogin() {
		return nil
	}
	return l.stepUp
}

// stepUp puts the question, and logs in after a yes.
func (l *lending) stepUp(ctx context.Context, v diagnosis.Verdict) (got *credential.Credential, err error) {
	terminal, err := console.OpenTerminal()
	if err != nil {
		return nil, err
	}
	defer terminal.Close()
	if !child.InForeground(terminal) {
		return nil, nil
	}
	one := view.StepUp{Scopes: v.Wanted()}
	spoken := l.console.Aside(func() { got, one.Outcome, err = l.askToStepUp(ctx, l.at(terminal), v) })
	if spoken {
		l.stepUps.add(one)
	}
	return got, err
}

// at is the same invocation with the person at a terminal that is not its standard input.
func (l *lending) at(terminal *os.File) *invocation {
	there := &invocation{
		Command: l.Command, args: l.args, env: l.env, settings: l.settings, console: l.console, schema: l.schema,
		ctx: l.ctx, cancel: l.cancel, http: l.http, log: l.invocation.log,
	}
	there.Stdin, there.Signals = terminal, false // they are watched already
	there.input = &console.Input{From: terminal, Console: l.console, Ending: l.ctx, Nobody: there.nobodyTypes}
	return there
}

// askToStepUp is the conversation. The outcome is that of a [view.StepUp].
func (l *lending) askToStepUp(ctx context.Context, there *invocation, v diagnosis.Verdict) (got *credential.Credential, outcome string, err error) {
	wanted := text.Listed(v.Wanted())
	patient, cancel := context.WithTimeout(ctx, stepUpPatience)
	defer cancel()
	yes, err := there.input.Ask(patient, "\n"+text.Printable(v.Message)+"\nOpen the browser to add "+text.Printable(wanted)+" to the login?")
	if !yes {
		return nil, "declined", err
	}
	h, err := l.widen(ctx, there, v.Wanted())
	if err != nil {
		l.console.Note("the login stays as it is: %s", failure.Line(err))
		return nil, "failed", err
	}
	l.lent.replace(h)
	if missing := l.session.Provider().Implies.Uncovered(v.Wanted(), h.Credential.Scopes); len(missing) > 0 {
		l.console.Note("the new login does not hold %s either: the consent left it out, or the server did not grant it", text.Printable(text.Listed(missing)))
		return h.Credential, "not_granted", nil
	}
	l.console.Note("the login holds %s now; the request is sent again", text.Printable(wanted))
	return h.Credential, "granted", nil
}

// widen logs in anew, for what the login holds and for what is added.
func (l *lending) widen(ctx context.Context, there *invocation, add []string) (*ambit.Held, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s, err := l.openOn(l.session.Manifest(), apikey.Sources{}, loginUI(there, end, func() string { return "" }))
	if err == nil {
		s, err = s.Widen(ctx, add...)
	}
	if err != nil {
		return nil, err
	}
	h, err := s.Login(ctx, nil)
	if why := context.Cause(ctx); err != nil && why != nil {
		return nil, why
	}
	return h, err
}

// stillForeseen is what of the forecast no verdict has told since.
func (l *lending) stillForeseen(told []diagnosis.Verdict) []diagnosis.Verdict {
	c := l.foreseen
	if len(l.report.StepUps) > 0 {
		c = c.With(l.lent.now())
	}
	c.Index, c.Needs = nil, slices.DeleteFunc(slices.Clone(c.Needs), func(need scopes.Need) bool {
		return slices.ContainsFunc(told, func(v diagnosis.Verdict) bool {
			return v.Cause == diagnosis.CauseMissingScope && slices.Contains(v.Missing, need.Name())
		})
	})
	return diagnosis.Forecast(c)
}

// inWords is the cause of a verdict in two or three words: the verdict itself was shown.
func inWords(v diagnosis.Verdict) string {
	if v.LacksRequired() {
		return "a required scope is missing"
	}
	return strings.ReplaceAll(string(v.Cause), "_", " ")
}

// exitOf is the exit code of a verdict that decides.
func exitOf(v diagnosis.Verdict) int {
	if v.LacksRequired() {
		return failure.ExitMissing
	}
	return failure.ExitNoCredential
}

// A reportFile is where the report of a run goes. Its zero value is nowhere.
type reportFile struct {
	render func() ([]byte, error)
	path   string
	stream *os.File // open since before the child; nil for a file, which is replaced
}

// beginReport writes the report before anything is started: one that cannot be written is told
// then, and an old one does not stay. A stream is opened, and gets the outcome alone.
func beginReport(flag *pflag.Flag, l *lending) (*reportFile, error) {
	to := &reportFile{path: flag.Value.String(), render: l.reportJSON}
	if strings.EqualFold(filepath.Ext(to.path), ".html") {
		to.render, l.timeline = l.reportPage, &view.Timeline{}
	}
	if to.path == "" && flag.Changed {
		return nil, failure.New(failure.ExitUsage, "--report takes the name of a file, and got none", "")
	} else if to.path == "" {
		return to, nil
	}
	var err error
	if to.stream, err = files.OpenStream(to.path); err != nil {
		return nil, reportFailure(err)
	}
	if to.stream != nil {
		return to, nil
	}
	return to, to.write()
}

// write writes the report as it is now.
func (f *reportFile) write() error {
	if f.path == "" {
		return nil
	}
	data, err := f.render()
	if err == nil {
		err = f.put(data)
	}
	if err != nil {
		return reportFailure(err)
	}
	return nil
}

func (l *lending) reportJSON() ([]byte, error) {
	line, err := json.MarshalIndent(&l.report, "", "  ")
	return append(line, '\n'), err
}

func (l *lending) reportPage() ([]byte, error) {
	page := view.RunPage{Run: &l.report, Agent: filepath.Base(l.args[0]), Timeline: l.timeline}
	switch {
	case l.held != nil:
		page.Server = l.held.Server
	case l.session != nil:
		page.Server = l.session.Server()
	}
	out, err := page.Page()
	return []byte(out), err
}

func (f *reportFile) put(data []byte) error {
	if f.stream == nil {
		return files.Update(f.path, data)
	}
	_, err := f.stream.Write(data)
	return errors.Join(err, f.stream.Close())
}

func reportFailure(err error) error {
	return failure.New(failure.ExitUsage, "the report cannot be written: "+text.Printable(err.Error()), "")
}
