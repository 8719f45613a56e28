package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/failure"
	"github.com/ambit-auth/ambit/internal/files"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/internal/view"
	"github.com/ambit-auth/ambit/internal/yamlfile"
	"github.com/ambit-auth/ambit/scopes/manifest"
	"github.com/spf13/cobra"
)

func planCommand(r *invocation) *cobra.Command {
	var lock, locked bool
	var matches []string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "show what will be requested and what is withheld, without a login",
		Long: `plan reads the authorization server's metadata, compares the manifest with it, and
shows for each declared scope whether it will be requested. Nobody logs in.

Exit codes: 0 all required scopes can be requested; 2 a mistake in the manifest;
3 a required scope cannot be had from this server; 5 with --locked, the server's
list or the manifest differs from scopes.lock, with --matches a file declares other
scopes than the manifest; 6 the server does not say, or no
login can be made there.`,
		Example: "  ambit plan\n  ambit plan --server eu --program slack\n  ambit plan --lock\n  ambit plan --matches manifest.json",
		Args:    noArguments,
		RunE:    r.action(func(ctx context.Context) (view.View, error) { return runPlan(ctx, r, lock, locked, matches) }),
	}
	cmd.Flags().BoolVar(&lock, "lock", false, "record in scopes.lock what the server advertises and what was negotiated")
	cmd.Flags().BoolVar(&locked, "locked", false, "exit 5 when anything differs from scopes.lock")
	addMatchesFlag(cmd.Flags(), &matches)
	return cmd
}

func runPlan(ctx context.Context, r *invocation, write, locked bool, matches []string) (view.View, error) {
	if write && locked {
		return nil, failure.New(failure.ExitUsage, "--lock and --locked exclude each other", "")
	}
	s, err := r.open(nil)
	if err != nil {
		return nil, err
	}
	lock, err := readLock(s, locked)
	if err != nil {
		return nil, err
	}
	compared, err := compareFiles(s, matches)
	if err != nil {
		return nil, err
	}
	plan, err := s.Plan(ctx)
	if err != nil && len(compared) > 0 { // a comparison needs no server
		return view.Matches{Manifest: s.Manifest().File, List: compared}, failure.Of(s, err)
	}
	if err != nil {
		return nil, failure.Of(s, err)
	}
	v := &view.Plan{Plan: plan, Alone: true, Detail: r.settings.Verbose, Matches: compared}
	if lock != nil && !write {
		v.Drift = plan.Drift(lock)
	}
	if err := plan.Check(); err != nil {
		return v, failure.Of(s, err)
	}
	if e := plan.Elsewhere(); e != nil && e.Consent != "" {
		f := failure.As(failure.Of(s, e))
		r.console.Note("a login will ask first: %s; %s", f.Message, f.Hint)
	}
	if write {
		v.Locked, err = writeLock(ctx, s, plan, lock)
		return v, cmp.Or(err, matchesVerdict(compared))
	}
	if locked && v.Drift.Breaks() {
		return v, outdated(v.Drift, s)
	}
	v.Quiet = locked && !r.settings.Verbose
	return v, matchesVerdict(compared)
}

func lockPath(file string) string { return filepath.Join(filepath.Dir(file), manifest.LockName) }

// readLock reads the lock file; nil where there is none, which is a mistake only
// where it must be there.
func readLock(p *ambit.Session, must bool) (*manifest.Lock, error) {
	path := lockPath(p.Manifest().File)
	source, err := yamlfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure.New(failure.ExitUsage, "there is no "+path, "write it with: "+lockAgain(p))
	case err != nil:
		return nil, failure.New(failure.ExitUsage, err.Error(), "")
	}
	lock, err := manifest.DecodeLock(path, source)
	if mistakes, ok := errors.AsType[yamlfile.Mistakes](err); ok {
		err = mistakes.WithoutForeignWords(path)
	}
	if err != nil {
		return nil, &view.Failure{Code: failure.ExitUsage, Message: text.Block(err.Error()), Hint: "rewrite it with: " + lockAgain(p), Err: err}
	}
	return lock, nil
}

// lockAgain is the command that writes the lock file.
func lockAgain(p *ambit.Session) string {
	return failure.Command("ambit plan --lock", p)
}

// outdated is the failure of a lock file that differs from what is found now.
func outdated(d ambit.Drift, s *ambit.Session) error {
	f := failure.New(failure.ExitFindings, "scopes.lock is out of date: "+view.DriftWords(d), "look at what changed, then: "+lockAgain(s))
	f.Rest = "scopes.lock is out of date"
	return f
}

// writeLock records what was negotiated, and says what became of the file: one that
// holds this already is not touched. Where nobody chose a server, the one at which a
// key would be checked is recorded too.
func writeLock(ctx context.Context, s *ambit.Session, plan *ambit.Plan, old *manifest.Lock) (told string, err error) {
	if old == nil {
		old = &manifest.Lock{}
	}
	lock := plan.RecordIn(old)
	server := s.Server()
	if other := s.KeyServer(); other.Issuer != server.Issuer {
		there, err := s.At(other).Plan(ctx)
		if err != nil {
			return "", failure.Of(s, err)
		}
		lock = there.RecordIn(lock)
	}
	path, fresh := lockPath(s.Manifest().File), lock.Bytes()
	if before, err := yamlfile.Read(path); err == nil && bytes.Equal(before, fresh) {
		return path + " is up to date", nil
	}
	if err := files.Update(path, fresh); err != nil {
		return "", failure.From(failure.ExitUsage, err, "")
	}
	return "wrote " + path, nil
}
