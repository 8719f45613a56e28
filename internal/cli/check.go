package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/spf13/cobra"
)

// checkFlags say what counts as failing.
type checkFlags struct {
	keys    *keyFlags
	strict  bool
	level   string
	project string
	locked  bool
}

func (r *run) checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "status for pipelines: never interactive, one verdict, one exit code",
		Long: `check asks the server what the credential holds, an API key or else the stored login,
and says what lacks, with the line of the manifest that asks for it. It never prompts.
Where GITHUB_ACTIONS is set, the result is annotations and a summary, unless -o says
otherwise.

Exit codes: 0 everything required is granted; 2 a mistake in the manifest or an
untrusted host; 3 a required scope is missing (see --require), or vanished from the
server's list; 4 no usable credential, another server's, or --project is out of its
reach; 5 with --strict more is granted than declared, with --locked the server's list
or the manifest differs from scopes.lock; 6 nobody can tell what it holds.`,
		Example:     "  ambit check\n  ambit check --require recommended --strict -o json",
		Args:        noArguments,
		Annotations: map[string]string{formatsOf: "github sarif"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.settings.NoInput, r.unasking = true, "check never asks"
			if r.settings.Output == "" && r.env.Get("GITHUB_ACTIONS") != "" {
				r.settings.Output = "github"
			}
			return r.action(func(ctx context.Context) (view, error) { return r.check(ctx, &f) })(cmd, nil)
		},
	}
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().BoolVar(&f.strict, "strict", false, "more granted than declared is a finding: exit 5")
	cmd.Flags().StringVar(&f.level, "require", "required", "what lacks at this `LEVEL` or above is a failure: required, recommended or optional")
	cmd.Flags().StringVar(&f.project, "project", "", "the `ID` of a project that the credential has to reach")
	cmd.Flags().BoolVar(&f.locked, "locked", false, "a difference from scopes.lock is a finding: exit 5")
	return cmd
}

func (r *run) check(ctx context.Context, f *checkFlags) (view, error) {
	var level scopes.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fail(exitUsage, "--require: "+text.Printable(err.Error()), "")
	}
	s, err := r.open(f.keys)
	if err != nil {
		return r.checkFailed("", err)
	}
	lock, err := readLock(s, f.locked)
	if err != nil {
		return r.checkFailed(s.Manifest().File, err)
	}
	h, drift, err := r.examine(ctx, s, f, lock)
	if err != nil {
		return r.checkFailed(s.Manifest().File, err)
	}
	v := &checkView{grantView: r.compare(s, h), drift: drift, level: level, strict: f.strict, locked: f.locked, file: s.Manifest().File}
	return v, v.verdict(s, f.project)
}

// checkFailed shows a check that came to no grant, where the format has a place for it.
func (r *run) checkFailed(file string, err error) (view, error) {
	if r.settings.Output != "github" && r.settings.Output != "sarif" {
		return nil, err
	}
	return &checkView{file: cmp.Or(file, r.settings.Manifest, ambit.ManifestName), failed: asFailure(err)}, err
}

// examine finds the credential, asks what it holds, and meanwhile reads what the
// server says of itself.
func (r *run) examine(ctx context.Context, s *ambit.Session, f *checkFlags, lock *manifest.Lock) (*ambit.Held, ambit.Drift, error) {
	var drift ambit.Drift
	var driftErr error
	var wait sync.WaitGroup
	if lock != nil {
		wait.Go(func() {
			var plan *ambit.Plan
			if plan, driftErr = s.At(s.KeyServer()).Plan(ctx); driftErr == nil {
				drift = plan.Drift(lock)
			}
		})
	}
	h, err := r.asked(ctx, s)
	wait.Wait()
	switch {
	case err != nil:
		return nil, drift, r.failure(s, err)
	case driftErr != nil && f.locked:
		return nil, drift, failureOf(s, driftErr)
	case driftErr != nil:
		r.voice.note("drift is not checked: %s", asFailure(failureOf(s, driftErr)).Message)
	}
	return h, drift, nil
}

// asked is the credential that would be used, and what the server says of it now. A
// stored login that is at its end is renewed first.
func (r *run) asked(ctx context.Context, s *ambit.Session) (*ambit.Held, error) {
	h, err := s.Find(ctx)
	if err != nil {
		return nil, err
	}
	if h.IsLogin() {
		if err := h.Refresh(ctx, 0); err != nil {
			if !h.Credential.LivesAt(time.Now()) {
				return nil, err
			}
			r.tellUnrenewed(s, "login", h, err)
		}
	}
	before := h.Credential.Access
	err = h.Inspect(ctx)
	if !h.Credential.Access.Equal(before) {
		r.tellLost(s, h)
	}
	return h, err
}

// verdict is the one failure of a check; nil where all is well.
func (v *checkView) verdict(s *ambit.Session, project string) error {
	if teams := v.grant.Teams; project != "" && len(teams) > 0 && !slices.Contains(teams, project) {
		f := fail(exitNoCredential, fmt.Sprintf("project %s is out of the credential's reach: it is limited to %s %s",
			text.Printable(project), text.Plural(len(teams), "project"), text.Printable(strings.Join(teams, ", "))), "use a credential that is not limited to other projects; no scope is the cause")
		f.Verdict = &verdict{Cause: diagnosis.CauseNotAScopeProblem, Confidence: diagnosis.ConfidenceProved}
		return f
	}
	if project != "" && len(v.grant.Teams) == 0 && len(v.grant.Organizations) > 0 {
		return fail(exitCannotTell, fmt.Sprintf("whether project %s is within the credential's reach is not known: it is limited to %s %s",
			text.Printable(project), text.Plural(len(v.grant.Organizations), "organization"), text.Printable(strings.Join(v.grant.Organizations, ", "))),
			"see in the project's settings which organization it belongs to")
	}
	if lines := append(missingLines(v.gap, v.level), v.vanished(scopes.Required)...); len(lines) > 0 {
		f := fail(exitMissing, strings.Join(lines, "\n"), advice.Line(v.next))
		f.Verdict = &verdict{Cause: diagnosis.CauseMissingScope, Confidence: diagnosis.ConfidenceProved}
		return f
	}
	if v.strict && v.gap.Excess.Len() > 0 {
		return fail(exitFindings, "more is granted than declared: "+some(v.gap.Excess.Slice()), "take these away from the credential, or declare them")
	}
	if v.locked && v.drift.Any() {
		return fail(exitFindings, "scopes.lock does not fit any more: "+driftWords(v.drift), lookThenLock(s))
	}
	return nil
}

// A checkView shows a check. Every format renders the same findings.
type checkView struct {
	grantView
	drift  ambit.Drift
	level  scopes.Level // what lacks at this level or above fails
	strict bool
	locked bool
	file   string
	failed *failure // in place of a grant, where none was found out
}

type checkJSON struct {
	grantJSON
	Drift []driftJSON `json:"drift"`
}

func (v *checkView) json(e envelope) any {
	return checkJSON{v.grantView.json(e).(grantJSON), driftsOf(v.drift)}
}

func (v *checkView) text(p *printer) {
	v.grantView.text(p)
	if v.drift.Any() && (v.locked || v.drift.Unrecorded == "") {
		p.wrapped("  ", p.paint.yellow("since scopes.lock: ")+driftWords(v.drift))
	}
}

func (v *checkView) title() string { return "ambit check: " + cmp.Or(v.name, v.file) }

func (v *checkView) summary() []summaryLine {
	lines := make([]summaryLine, len(v.needs))
	for i := range v.needs {
		e := &v.needs[i]
		lines[i] = summaryLine{e.Name(), e.Level.String(), v.held(&printer{}, e), why(*e)}
	}
	return lines
}

// findings are what a check has to say, each at its line of the manifest.
func (v *checkView) findings() []finding {
	if v.failed != nil {
		return v.failedFindings()
	}
	var list []finding
	for _, e := range v.gap.Lost {
		list = append(list, finding{
			Rule: "missing_scope", Level: v.severityOf(e.Level), File: e.File, Line: e.Line, Column: e.Column, Scope: e.Name(),
			Message: fmt.Sprintf("%s scope %s is not granted: %s", e.Level, e.Name(), why(e)),
		})
	}
	if n := v.gap.Excess.Len(); n > 0 {
		list = append(list, finding{Rule: "excess", Level: failsIf(v.strict), File: v.file, Line: 1,
			Message: fmt.Sprintf("%s granted and not declared: %s", text.Count(n, "scope"), some(v.gap.Excess.Slice()))})
	}
	return append(list, driftFindings(v.drift, v.file, v.needs, v.locked)...)
}

// failedFindings are what a check without a grant has to say: each mistake of a file
// at its place, anything else at the manifest's first line.
func (v *checkView) failedFindings() []finding {
	mistakes, ok := is[yamlfile.Mistakes](v.failed.Err)
	if !ok {
		message := firstLine(v.failed.Message)
		if v.failed.Hint != "" {
			message += "; " + firstLine(v.failed.Hint)
		}
		return []finding{{Rule: "credential", Level: mistake, File: v.file, Line: 1, Message: message}}
	}
	var list []finding
	for _, m := range mistakes {
		list = append(list, finding{Rule: "manifest", Level: mistake, File: m.File, Line: m.Line, Column: m.Column, Message: m.Message})
	}
	return list
}

func (v *checkView) severityOf(level scopes.Level) severity {
	switch {
	case level >= v.level:
		return mistake
	case level == scopes.Optional:
		return notice
	}
	return warning
}

func failsIf(fails bool) severity {
	if fails {
		return mistake
	}
	return warning
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// vanished are the lines of declared scopes at level or above that the server no
// longer advertises.
func (v *checkView) vanished(level scopes.Level) []string {
	var lines []string
	for _, f := range driftFindings(v.drift, v.file, v.needs, false) {
		if f.Rule == driftVanished && f.Line > 1 && v.levelOf(f.Scope) >= level {
			lines = append(lines, place(f.File, f.Line)+": "+f.Message)
		}
	}
	return lines
}

func (v *checkView) levelOf(scope string) scopes.Level {
	for _, e := range v.needs {
		if slices.Contains(e.AnyOf, scope) && !e.Unadvertised {
			return e.Level
		}
	}
	return -1
}
