package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/internal/advice"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/oauth/credential"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/ambit-auth/ambit/scopes/provider"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// checkFlags say what counts as failing.
type checkFlags struct {
	keys    *keyFlags
	strict  bool
	level   string
	project string
	reach   []string
	locked  bool
	matches []string
}

// needsCredential reports whether a flag says something of a credential: without one the files of --matches can
// be compared all the same.
func (f *checkFlags) needsCredential(flags *pflag.FlagSet) bool {
	return f.strict || slices.ContainsFunc([]string{"require", "project", "reach", "api-key", "api-key-stdin", "api-key-file"}, flags.Changed)
}

func checkCommand(r *invocation) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [PATH ...]",
		Short: "check in a pipeline that everything required is granted: one exit code",
		Long: `check asks the server what the credential holds, an API key or else the stored login,
and says what is missing, with the line of the manifest that asks for it. It never
prompts. Where GITHUB_ACTIONS is set, the result is annotations and a summary.

Exit codes: 0 everything required is granted; 2 a mistake in the manifest or an
untrusted host; 3 a required scope is missing (see --require), or vanished from the
server's list; 4 no usable credential, or one that does not reach what is named;
5 with --strict, --locked or --matches: more, or something else, than is declared;
6 nobody can tell what it holds.`,
		Example:     "  ambit check\n  ambit check --require recommended --strict -o json\n  ambit check --matches manifest.json",
		Args:        cobra.ArbitraryArgs,
		Annotations: map[string]string{formatsOf: "github sarif markdown junit codequality"},
		RunE: func(cmd *cobra.Command, paths []string) error {
			r.settings.NoInput, r.unasking = true, "check never asks"
			if r.settings.Output == "" && r.env.Get("GITHUB_ACTIONS") != "" {
				r.settings.Output = "github"
			}
			return r.action(func(ctx context.Context) (view.View, error) { return runChecks(ctx, r, &f, cmd.Flags(), paths) })(cmd, nil)
		},
	}
	f.keys = addKeyFlags(cmd.Flags())
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit 5 when more is granted than declared")
	cmd.Flags().StringVar(&f.level, "require", "required", "`"+strings.Join(scopes.LevelWords(), "|")+"` fail when a scope of this level or above is missing")
	cmd.Flags().StringVar(&f.project, "project", "", "the `ID` of a project that the credential has to reach: short for --reach project=ID")
	cmd.Flags().StringSliceVar(&f.reach, "reach", nil, "what the credential has to reach, as `WORD=ID` with a word of the provider, such as organization=ID")
	cmd.Flags().BoolVar(&f.locked, "locked", false, "exit 5 when anything differs from scopes.lock")
	addMatchesFlag(cmd.Flags(), &f.matches)
	return cmd
}

// runChecks checks the manifest that is found here, or each that paths name.
func runChecks(ctx context.Context, r *invocation, f *checkFlags, flags *pflag.FlagSet, paths []string) (view.View, error) {
	if len(paths) == 0 {
		return runCheck(ctx, r, f, flags)
	}
	if flags.Changed("manifest") {
		return nil, failure.New(failure.ExitUsage, "-f and paths exclude each other", "")
	}
	manifests, err := findManifests(paths)
	if err != nil {
		return nil, err
	}
	if len(manifests) == 1 {
		r.settings.Manifest = manifests[0]
		return runCheck(ctx, r, f, flags)
	}
	var all view.Checks
	var failed []string
	code := failure.ExitOK
	for _, path := range manifests {
		r.settings.Manifest = path
		v, err := runCheck(ctx, r, f, flags)
		if ctx.Err() != nil {
			return nil, err
		}
		one, ok := v.(*view.Check)
		if !ok {
			one = &view.Check{}
		}
		one.File = path
		if err != nil {
			one.Failed = failure.As(err)
			failed = append(failed, path)
			code = failure.Graver(code, one.Failed.Code)
		}
		all = append(all, one)
	}
	if len(failed) == 0 {
		return all, nil
	}
	return all, failure.New(code, fmt.Sprintf("%d of %s failed: %s", len(failed), text.Count(len(manifests), "manifest"), text.Listed(failed)), "")
}

// findManifests are the manifests that paths name: files, directories that hold one, and DIR/... for
// all below a directory.
func findManifests(paths []string) ([]string, error) {
	var found []string
	for _, path := range paths {
		below, all := strings.CutSuffix(filepath.ToSlash(path), "/...")
		if path == "..." {
			below, all = ".", true
		}
		list := []string{path}
		if info, err := os.Stat(path); !all && err == nil && info.IsDir() {
			list = []string{filepath.Join(path, ambit.ManifestName)}
		}
		if all {
			var err error
			if list, err = files.Below(below, ambit.ManifestName); err != nil {
				return nil, failure.From(failure.ExitUsage, err, "")
			}
			if len(list) == 0 {
				return nil, failure.New(failure.ExitUsage, "no "+ambit.ManifestName+" in "+text.Printable(below)+" or below", "")
			}
		}
		for _, one := range list {
			if !slices.Contains(found, one) {
				found = append(found, one)
			}
		}
	}
	return found, nil
}

func runCheck(ctx context.Context, r *invocation, f *checkFlags, flags *pflag.FlagSet) (view.View, error) {
	var level scopes.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, failure.New(failure.ExitUsage, "--require: "+text.Printable(err.Error()), "")
	}
	s, err := r.open(f.keys)
	if err != nil {
		return checkFailed(r, "", err)
	}
	reach, err := f.wanted(s.Provider())
	if err != nil {
		return nil, err
	}
	lock, err := readLock(s, f.locked)
	if err != nil {
		return checkFailed(r, s.Manifest().File, err)
	}
	compared, err := compareFiles(s, f.matches)
	if err != nil {
		return checkFailed(r, s.Manifest().File, err)
	}
	h, drift, err := examine(ctx, r, s, f, lock)
	if len(compared) > 0 && !f.needsCredential(flags) && r.hasNoCredential(s, err) {
		r.console.Note("there is no credential: only what is declared is compared")
		return view.Matches{Manifest: s.Manifest().File, List: compared}, matchesVerdict(compared)
	}
	if err != nil {
		return checkFailed(r, s.Manifest().File, err)
	}
	h.Identify(ctx)
	v := &view.Check{Grant: compare(r, s, h), Drift: drift, Strict: f.strict, Locked: f.locked, File: s.Manifest().File, Matches: compared}
	v.Level, v.Brief = level, !r.settings.Verbose
	v.Found = true
	hint := ""
	if r.settings.Output == "sarif" { // every other view has the steps
		hint = advice.Line(v.Next)
	}
	if err := checkVerdict(v, s, reach, hint); err != nil {
		v.Failed = failure.As(err)
		return v, err
	}
	return v, nil
}

// hasNoCredential reports whether an error says that there is no credential: none was found, or, where its host is not
// trusted, none was given.
func (r *invocation) hasNoCredential(s *ambit.Session, err error) bool {
	_, untrusted := errors.AsType[*ambit.UntrustedHostError](err)
	given := r.settings.APIKeyFile != "" || slices.ContainsFunc(append(s.Provider().Variables(), credential.KeyVariable), func(name string) bool {
		_, set := r.env.Lookup(name)
		return set
	})
	return errors.Is(err, ambit.ErrNoCredential) || untrusted && !given
}

// wanted reads --reach and --project: on what the credential has to work.
func (f *checkFlags) wanted(p *provider.Provider) ([]reachWanted, error) {
	var list []reachWanted
	for _, flag := range f.reach {
		of, id, _ := strings.Cut(flag, "=")
		if known := p.ReachWords(); !slices.Contains(known, of) || id == "" {
			return nil, failure.New(failure.ExitUsage, fmt.Sprintf("--reach is WORD=ID with a word of the provider, not %q", flag), text.AllowedHint(of, known))
		}
		list = append(list, reachWanted{of, id})
	}
	if f.project != "" {
		list = append(list, reachWanted{"project", f.project})
	}
	return list, nil
}

// A reachWanted is one thing on which the credential has to work.
type reachWanted struct{ of, id string }

// isIn is nil where the credential works on it.
func (w reachWanted) isIn(g scopes.Grant) error {
	ids := g.ReachOf(w.of)
	switch {
	case len(g.Reach) == 0 || slices.Contains(ids, w.id):
		return nil
	case len(ids) > 0:
		f := failure.New(failure.ExitNoCredential, fmt.Sprintf("%s %s is out of the credential's reach: it is limited to %s", w.of, text.Printable(w.id), view.Limit(w.of, ids)),
			fmt.Sprintf("use a credential that is not limited to other %s; no scope is the cause", text.Plural(0, w.of)))
		f.Verdict = &view.Cause{Cause: diagnosis.CauseNotAScopeProblem, Confidence: diagnosis.ConfidenceProved}
		return f
	}
	limit := g.Reach[0]
	return failure.New(failure.ExitCannotTell, fmt.Sprintf("whether %s %s is within the credential's reach is not known: it is limited to %s", w.of, text.Printable(w.id), view.Limit(limit.Of, limit.IDs)),
		fmt.Sprintf("see in the %s's settings which %s it belongs to", w.of, limit.Of))
}

// checkFailed shows a check that came to no grant, where the format has a place for it.
func checkFailed(r *invocation, file string, err error) (view.View, error) {
	if !r.showsFindings() {
		return nil, err
	}
	return &view.Check{File: cmp.Or(file, r.settings.Manifest, ambit.ManifestName), Failed: failure.As(err)}, err
}

// examine finds the credential, asks what it holds, and meanwhile reads what the
// server says of itself.
func examine(ctx context.Context, r *invocation, s *ambit.Session, f *checkFlags, lock *manifest.Lock) (*ambit.Held, ambit.Drift, error) {
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
	h, err := asked(ctx, r, s, 0, func(*ambit.Session) string { return "" }) // steps follow
	wait.Wait()
	switch {
	case err != nil:
		return nil, drift, r.failure(s, err)
	case driftErr != nil && f.locked:
		return nil, drift, failure.Of(s, driftErr)
	case driftErr != nil:
		r.console.Note("drift is not checked: %s", failure.As(failure.Of(s, driftErr)).Message)
	}
	return h, drift, nil
}

// asked is the credential that would be used, and what the server says of it now. A
// stored login that does not live for longer than minTTL is renewed first; where that fails and
// it still lives, both are told, with the way out where no steps follow. Of one that its server does
// not know any more, the error tells all.
func asked(ctx context.Context, r *invocation, s *ambit.Session, minTTL time.Duration, way func(*ambit.Session) string) (*ambit.Held, error) {
	h, err := s.Find(ctx)
	if err != nil {
		return nil, err
	}
	unrenewed := h.Refresh(ctx, minTTL)
	if unrenewed != nil && !h.Credential.LivesAt(time.Now()) {
		return nil, unrenewed
	}
	unrenewed = cmp.Or(unrenewed, h.Unrenewable())
	before := h.Credential.Access
	err = h.Inspect(ctx)
	_, unknown := errors.AsType[*ambit.UnknownCredentialError](err)
	switch {
	case !h.Credential.Access.Equal(before):
		tellLost(r, s, h)
	case !unknown:
		tellUnrenewed(r, "login", way(s.For(h)), h, unrenewed)
	}
	return h, err
}

// checkVerdict is the one failure of a check; nil where all is well. hint is that of scopes that
// are missing.
func checkVerdict(v *view.Check, s *ambit.Session, reach []reachWanted, hint string) error {
	for _, wanted := range reach {
		if err := wanted.isIn(v.Granted); err != nil {
			return err
		}
	}
	if err := failure.Missing(v.Gap, v.Level, v.Vanished(scopes.Required)...); err != nil {
		f := failure.As(err)
		f.Hint, f.Verdict = hint, &view.Cause{Cause: diagnosis.CauseMissingScope, Confidence: diagnosis.ConfidenceProved}
		if v.Gap.Assumed {
			f.Verdict.Confidence = diagnosis.ConfidenceLikely
		}
		return f
	}
	if err := cannotTell(v.Grant, v.Level); err != nil {
		return err
	}
	if v.Strict && v.Gap.Excess.Len() > 0 {
		return failure.New(failure.ExitFindings, "more is "+view.Granted(v.Gap)+" than declared: "+view.Some(v.Gap.Excess.Slice()), "remove these from the credential, or declare them")
	}
	if v.Locked && v.Drift.Breaks() {
		return outdated(v.Drift, s)
	}
	return matchesVerdict(v.Matches)
}
